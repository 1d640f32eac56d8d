import { describe, expect, it } from 'vitest'
import type { Note } from '../../../src/guard/ledger.ts'
import { callerTypeOf, type Principal } from '../../../src/identity/principal.ts'
import type { Forward } from '../../../src/mcp/forward.ts'
import { noteCall, noteRefusal } from '../../../src/mcp/record.ts'
import { withoutCapture } from '../../../src/telemetry/audit.ts'
import { checkAnswer } from '../../../src/upstream/answer.ts'
import type { Verdict } from '../../../src/upstream/conversation.ts'
import { serviceOf } from '../../support/image.ts'

const service = serviceOf('one', ['echo'])
const principal: Principal = {
  organisationId: 'default',
  subject: 'key:1',
  role: 'user',
  agentType: undefined,
  scopes: undefined,
  manages: 'own',
  grounds: { keyId: '1' },
}
const forwardOf = (args?: string, method = 'tools/call'): Forward => ({
  serviceId: service.id,
  method,
  params: args === undefined ? [] : [['arguments', args]],
  localName: 'echo',
  mirrors: [],
  given: undefined,
  endpoint: { is: 'all', names: 'bare' },
  principal,
  session: undefined,
  era: 'modern',
  capabilities: '{}',
  logLevel: undefined,
  idText: '1',
  acceptsJson: true,
  acceptsStream: true,
  context: { correlationId: 'c', trace: {}, isGiven: false },
  hops: 0,
})

type Course = Parameters<typeof noteCall>[2]

const note = (args?: string, course: Partial<Course> = {}, method?: string): Note =>
  noteCall(forwardOf(args, method), service, {
    verdict: undefined,
    denial: undefined,
    startedAt: 1_000,
    now: 1_025,
    ...course,
  })
const written = async (of: Note | undefined): Promise<any> => JSON.parse((await of?.write()) ?? '{}')
const answering = (member: 'result' | 'error', raw: string): Verdict => {
  const text = `{"jsonrpc":"2.0","id":1,"${member}":${raw}}`
  const answer = checkAnswer(text, '1', 321)
  return answer.ok ? { answer: answer.value } : expect.fail()
}
const failed = (fault: NonNullable<Verdict['fault']>): Verdict => ({ fault })
const denied: Partial<Course> = { denial: { why: 'rate', retryAfterMs: 1 } }

describe('the usage of a call', () => {
  it.each<[string, string, Partial<Course>]>([
    ['success', 'a result', { verdict: answering('result', '{"content":[]}') }],
    ['success', 'isError false', { verdict: answering('result', '{"content":[],"isError":false}') }],
    [
      'success',
      'words about errors',
      {
        verdict: answering(
          'result',
          '{"structuredContent":{"isError":true},"content":[{"text":"\\"isError\\": true"}]}',
        ),
      },
    ],
    ['error', 'isError true', { verdict: answering('result', '{"content":[], "isError" : true}') }],
    ['error', 'an error', { verdict: answering('error', '{"code":-32000,"message":"no"}') }],
    ['error', 'a lost connection', { verdict: failed({ is: 'connection', detail: 'lost' }) }],
    ['error', 'a caller that went away', { verdict: failed({ is: 'cancelled' }) }],
    ['error', 'the end of its session', { verdict: failed({ is: 'ended' }) }],
    ['timeout', 'no answer in time', { verdict: failed({ is: 'timeout', afterMs: 25 }) }],
    ['refused', 'no leave', denied],
    ['success', 'the cache', { isCached: true }],
  ])('is %s after %s', async (status, _, course) => {
    const { usage } = await written(note('{}', course))
    expect(usage).toMatchObject({ serviceId: 'id-one', tool: 'echo', status, durationMs: 25 })
    expect(usage.isCached).toBe(course.isCached ?? false)
  })

  it('counts the bytes of the arguments, and of the answer as it came', async () => {
    const verdict = answering('result', '{}')
    expect((await written(note('{"a":"é€"}', { verdict }))).usage).toMatchObject({
      requestBytes: 13,
      responseBytes: 321,
    })
    const long = JSON.stringify({ text: 'é'.repeat(70_000) })
    const { usage, detail } = await written(note(long, { verdict: { unreadBytes: 70_000 } }))
    expect(usage).toMatchObject({ requestBytes: long.length + 70_000, responseBytes: 70_000 })
    expect(detail.argsHash).toMatch(/^[0-9a-f]{32}$/)
    const { usage: without } = await written(note())
    expect([without.requestBytes, without.responseBytes]).toEqual([0, undefined])
  })

  it('is of tools alone', async () => {
    expect((await written(note('{}', {}, 'prompts/get'))).usage).toBeUndefined()
  })

  it('is told of a refused call where its tool is known', async () => {
    const request = new Request('https://gateway.example/mcp')
    const tool = { serviceId: 'id-one', tool: 'echo' }
    const { usage } = await written(noteRefusal('unknown_tool', { principal, request, tool }, 1))
    expect(usage).toEqual({ ...tool, callerType: 'agent', status: 'refused', requestBytes: 0 })
    expect((await written(noteRefusal('unknown_tool', { principal, request }, 1))).usage).toBeUndefined()
  })
})

describe('what a call was given and answered', () => {
  const isCaptured = true
  const secret = '{"text":"canary"}'

  it('is kept only where an operator wants it', async () => {
    const verdict = answering('result', '{"said":"canary"}')
    expect(JSON.stringify(await written(note(secret, { verdict })))).not.toContain('canary')
    const { usage } = await written(note(secret, { verdict, isCaptured }))
    expect([usage.input, usage.output]).toEqual([secret, '{"said":"canary"}'])
    const error = answering('error', '{"code":1,"message":"m"}')
    expect((await written(note(undefined, { verdict: error, isCaptured }))).usage).toMatchObject({
      output: '{"code":1,"message":"m"}',
    })
  })

  it('is not kept of a call that was not let through', async () => {
    expect((await written(note(secret, { ...denied, isCaptured }))).usage.input).toBeUndefined()
  })

  it('is left out where it is too long, or too deep for a table', async () => {
    const long = JSON.stringify('x'.repeat(65_536))
    const deep = `${'['.repeat(100)}${']'.repeat(100)}`
    const left = async (course: Partial<Course>, args = '{}') =>
      (await written(note(args, { ...course, isCaptured }))).usage
    const tooLong = '{"switchyard/leftOut":"too_long"}'
    expect((await left({}, long)).input).toBe(tooLong)
    expect((await left({ verdict: answering('result', `{"text":${long}}`) })).output).toBe(tooLong)
    expect((await left({ verdict: { unreadBytes: 70_000 } })).output).toBe(tooLong)
    const tooDeep = await left({ verdict: answering('result', `{"deep":${deep}}`) })
    expect(tooDeep.output).toBe('{"switchyard/leftOut":"too_deep"}')
  })

  it('is counted in what a note holds, and left out of the one for little room', async () => {
    const verdict = answering('result', `{"text":"${'x'.repeat(10_000)}"}`)
    const full = note(secret, { verdict, isCaptured })
    const metadata = note(secret, { verdict })
    expect(full.chars - metadata.chars).toBeGreaterThanOrEqual(10_000)
    expect(full.bare?.().chars).toBeLessThan(700)
    const left = '{"switchyard/leftOut":"no_room"}'
    const [all, bare] = [await written(full), await written(full.bare?.())]
    expect(bare).toEqual({ ...all, usage: { ...all.usage, input: left, output: left } })
    const emptied = JSON.parse(withoutCapture(JSON.stringify(all)))
    expect(emptied).toEqual(bare)
    const plain = JSON.stringify(await written(metadata))
    expect(withoutCapture(plain)).toBe(plain)
  })
})

describe('a caller', () => {
  const typeOf = (rest: Partial<Principal>) => callerTypeOf({ ...principal, ...rest })
  const login = { userId: '1', tokensSince: 0, expiresAt: 1 }
  it.each([
    ['an agent by a key, also by that of a user', { grounds: { keyId: '1', userId: '1' } }, 'agent'],
    ['a user who logged in, of whatever agent type', { grounds: login, agentType: 'support' }, 'user'],
    ['a skill, where its key says so', { agentType: 'skill' }, 'skill'],
    ['a user by a token of the issuer', { grounds: { expiresAt: 1 } }, 'user'],
    [
      'an agent by a token of the issuer that names one',
      { grounds: { expiresAt: 1 }, agentType: 'x' },
      'agent',
    ],
  ])('is %s', (_, rest, type) => {
    expect(typeOf(rest)).toBe(type)
  })
  it('is an agent by the token of the environment, or by none', () => {
    const { grounds: _, ...groundless } = principal
    expect(callerTypeOf(groundless)).toBe('agent')
  })
})
