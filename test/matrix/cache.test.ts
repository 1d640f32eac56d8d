/** Results that are given again, in every cell: whichever era and framing, whoever can be asked for what. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, eventually, type Gateway, STAYS_CLOSED } from '../support/gateway.ts'
import { type LegacySession, openLegacySession } from '../support/legacy-session.ts'
import { modernCall } from '../support/modern-call.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream, type UpstreamOptions } from '../support/upstream.ts'

const UPSTREAMS = {
  legacy: { era: 'legacy' },
  'legacy-sse': { era: 'legacy', answers: 'sse' },
  stateful: { era: 'legacy', stateful: true, answers: 'sse' },
  modern: { era: 'modern' },
  'modern-sse': { era: 'modern', answers: 'sse' },
} as const satisfies Record<string, UpstreamOptions>
type Name = keyof typeof UPSTREAMS
const names = Object.keys(UPSTREAMS) as Name[]
const ABLE = { roots: {}, elicitation: {}, sampling: {} }

let stack: Stack
let gateway: Gateway
let session: LegacySession
const upstreams = {} as Record<Name, Upstream>

beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  for (const name of names) {
    upstreams[name] = await startUpstream(UPSTREAMS[name])
    await gateway.register(name, upstreams[name].url, { cacheTtlSeconds: 60, ...STAYS_CLOSED })
  }
  session = await openLegacySession(gateway, { capabilities: ABLE })
}, 120_000)
afterAll(async () => {
  await stack.close()
  await Promise.all(names.map((name) => upstreams[name].stop()))
})

let last = 0
const fresh = (): object => ({ text: `t${++last}` })
const calls = (name: Name): number => upstreams[name].calls('tools/call').length

type Caller = (tool: string, args: object) => Promise<Answer>
const CALLERS: Readonly<Record<string, Caller>> = {
  'a modern caller': (tool, args) => gateway.fetch('/mcp', modernCall(tool, { arguments: args })),
  'a modern caller who can be asked': (tool, args) =>
    gateway.fetch('/mcp', modernCall(tool, { arguments: args, capabilities: ABLE })),
  'a legacy caller': (tool, args) => gateway.rpc('tools/call', { name: tool, arguments: args }),
  'a legacy caller who can be asked': (tool, args) =>
    session.post(
      JSON.stringify({
        jsonrpc: '2.0',
        id: ++last,
        method: 'tools/call',
        params: { name: tool, arguments: args },
      }),
    ),
}

describe.each(Object.entries(CALLERS))('%s', (_, call) => {
  it.each(names)('has of %s one call made for five', async (name) => {
    const args = fresh()
    const before = calls(name)
    const first = await call(`${name}__echo`, args)
    expect(first.headers.get('x-cache')).toBe('MISS')
    // What an object of its own has kept, others have from the quick store.
    await stack.quiet()
    for (let turn = 0; turn < 4; turn++) {
      const { headers, body } = await call(`${name}__echo`, args)
      expect([headers.get('x-cache'), body.result.content]).toEqual(['HIT', first.body.result.content])
      expect(body.result._meta['switchyard/cache'].status).toBe('hit')
      expect(Object.keys(body.result).toSorted()).toEqual(Object.keys(first.body.result).toSorted())
    }
    expect(calls(name) - before).toBe(1)
  })
})

describe('at the same time', () => {
  it.each(names)('five calls of %s make one', async (name) => {
    const args = { ...fresh(), ms: 300, steps: 1 }
    const before = calls(name)
    const call = CALLERS['a legacy caller'] ?? expect.fail()
    const answers = await Promise.all(Array.from({ length: 5 }, () => call(`${name}__slow`, args)))
    expect(answers.map(({ body }) => body.result.content[0].text)).toEqual(Array(5).fill('done'))
    expect(calls(name) - before).toBe(1)
  })
})

it('progress on the way keeps no result from being kept, and a hit has none', async () => {
  const params = {
    name: 'legacy-sse__slow',
    arguments: { ms: 30, steps: 2, nonce: ++last },
    _meta: { progressToken: 'p' },
  }
  const first = await gateway.rpc('tools/call', params)
  expect(first.text).toContain('notifications/progress')
  const second = await gateway.rpc('tools/call', { ...params, _meta: { progressToken: 'q' } })
  expect(second.headers.get('x-cache')).toBe('HIT')
  expect(second.text).not.toContain('notifications/progress')
})

describe('a call that asked for something leaves nothing', () => {
  it.each(['modern', 'modern-sse'] as const)('of %s, to a modern caller', async (name) => {
    const before = calls(name)
    const ask = (rest: object = {}) =>
      gateway.fetch('/mcp', modernCall(`${name}__ask`, { capabilities: ABLE, rest }))
    for (let turn = 0; turn < 2; turn++) {
      const asked = await ask()
      expect(asked.body.result.resultType).toBe('input_required')
      const { requestState } = asked.body.result
      const done = await ask({ requestState, inputResponses: { answer: { roots: [] } } })
      expect(done.body.result.content[0].text).toContain('roots')
    }
    expect(calls(name) - before).toBe(4)
  })

  it.each(['legacy-sse', 'stateful'] as const)(
    'of %s, to a modern caller whom it waits for',
    async (name) => {
      const before = calls(name)
      const ask = (rest: object = {}) =>
        gateway.fetch('/mcp', modernCall(`${name}__ask`, { capabilities: ABLE, rest }))
      for (let turn = 1; turn <= 2; turn++) {
        const asked = await ask()
        expect(asked.body.result.resultType).toBe('input_required')
        const { requestState, inputRequests } = asked.body.result
        const [key = ''] = Object.keys(inputRequests)
        const done = await ask({ requestState, inputResponses: { [key]: { roots: [] } } })
        expect(done.body.result.content[0].text).toContain('roots')
        await stack.quiet()
        expect(calls(name) - before).toBe(turn)
      }
    },
  )

  it.each(names)('of %s, to a legacy caller', async (name) => {
    const before = calls(name)
    const params = { name: `${name}__ask`, arguments: { method: 'roots/list' } }
    const rounds = UPSTREAMS[name].era === 'modern' ? 2 : 1
    for (let turn = 1; turn <= 2; turn++) {
      const body = JSON.stringify({ jsonrpc: '2.0', id: ++last, method: 'tools/call', params })
      for await (const text of session.follow(body)) {
        const { id, method, result } = JSON.parse(text)
        if (method !== undefined) {
          await session.post(JSON.stringify({ jsonrpc: '2.0', id, result: { roots: [] } }))
        } else if (name !== 'legacy') expect(result.content[0].text).toContain('roots')
      }
      await eventually(3_000, () => expect(calls(name) - before).toBe(turn * rounds))
    }
  })
})
