/** S21: keys of the result cache. What may make a difference makes another key; what cannot, does not. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ANONYMOUS, type Principal } from '../../../src/identity/principal.ts'
import type { Forward } from '../../../src/mcp/forward.ts'
import { resultKey, type Speech } from '../../../src/mcp/result-key.ts'
import { META } from '../../../src/protocol/version.ts'
import type { Caching } from '../../../src/registry/caching.ts'

const principal: Principal = { ...ANONYMOUS, subject: 'key:1', agentType: 'coder' }
const session = { name: 's1', capabilities: '{}', protocolVersion: '2025-11-25', createdAt: 0 } as never

const forward: Forward = {
  serviceId: 'bank',
  method: 'tools/call',
  params: [
    ['name', '"look"'],
    ['arguments', '{"a":1,"b":[true,null,"x"]}'],
  ],
  localName: 'look',
  mirrors: [],
  given: undefined,
  endpoint: { is: 'all', names: 'bare' },
  principal,
  session: undefined,
  era: 'legacy',
  capabilities: '{}',
  logLevel: undefined,
  idText: '1',
  acceptsJson: true,
  acceptsStream: true,
  context: { correlationId: 'c', trace: {}, isGiven: false },
  hops: 0,
}
const caching: Caching = { ttlSeconds: 60, scope: 'shared', edition: 'e' }
const speech: Speech = { dialect: { era: 'legacy', protocolVersion: '2025-11-25' }, isStateful: false }
const ofModern: Speech = { dialect: { era: 'modern', protocolVersion: '2026-07-28' }, isStateful: false }

const key = (change: Partial<Forward> = {}, rule: Partial<Caching> = {}, said: Speech = speech) =>
  resultKey({ ...forward, ...change }, { ...caching, ...rule }, said)
const withArguments = (text: string): Partial<Forward> => ({
  params: [
    ['name', '"look"'],
    ['arguments', text],
  ],
})
const withMeta = (meta: string): Partial<Forward> => ({ params: [...forward.params, ['_meta', meta]] })

describe('the same key', () => {
  it.each<[string, Partial<Forward>]>([
    [
      'arguments in another order, with other spaces and escapes',
      withArguments(' { "b" : [true,null,"\\u0078"], "a":1 } '),
    ],
    ['another id', { idText: '"x"' }],
    ['another endpoint', { endpoint: { is: 'service', name: 'bank' }, publicName: 'bank__look' }],
    ['another caller', { principal: { ...principal, subject: 'key:2', agentType: undefined } }],
    ['a caller whom nobody knows', { principal: ANONYMOUS }],
    [
      'another way to take the answer',
      {
        acceptsStream: false,
        hops: 1,
        context: { correlationId: 'x', trace: { traceparent: 'y' }, isGiven: true },
        logLevel: 'debug',
      },
    ],
    ['a session of its own', { session }],
    ['its own token of progress', withMeta('{"progressToken":7}')],
    ['its own trace', withMeta('{"traceparent":"00-1-2-01","tracestate":"a=b","baggage":"c=d"}')],
    ['a name of its own', withMeta('{"switchyard/correlationId":"c-7"}')],
    ['a word to this gateway', withMeta('{"switchyard/cache":"no-cache"}')],
  ])('is that of a call with %s', async (_, change) => {
    expect(await key(change)).toBe(await key())
  })

  it('is that of a modern caller, where the upstream is a legacy one that hears nothing of the difference', async () => {
    const meta = JSON.stringify({
      [META.version]: '2026-07-28',
      [META.capabilities]: {},
      [META.clientInfo]: { name: 'a' },
    })
    expect(await key({ ...withMeta(meta), era: 'modern' })).toBe(await key())
  })
})

describe('another key', () => {
  it.each<[string, Partial<Forward>, Partial<Caching>?, Speech?]>([
    ['another organisation', { principal: { ...principal, organisationId: 'other' } }],
    ['another service', { serviceId: 'shop' }],
    ['another tool', { localName: 'take' }],
    ['another edition of the tool', {}, { edition: 'f' }],
    ['results for the caller alone', {}, { scope: 'caller' }],
    [
      'another version spoken',
      {},
      {},
      { ...speech, dialect: { era: 'legacy', protocolVersion: '2025-06-18' } },
    ],
    ['another era spoken', {}, {}, { ...speech, dialect: { era: 'modern', protocolVersion: '2025-11-25' } }],
    ['another number', withArguments('{"a":2,"b":[true,null,"x"]}')],
    ['a number written otherwise', withArguments('{"a":1.0,"b":[true,null,"x"]}')],
    ['a text for a number', withArguments('{"a":"1","b":[true,null,"x"]}')],
    ['another order in a list', withArguments('{"a":1,"b":[null,true,"x"]}')],
    ['a key given twice', withArguments('{"a":2,"a":1,"b":[true,null,"x"]}')],
    ['no arguments', { params: [['name', '"look"']] }],
    ['a member that no version knows', { params: [...forward.params, ['extra', '1']] }],
    ['a member of the message that no version knows', { rest: [['extra', '1']] }],
    ['other capabilities', { capabilities: '{"sampling":{}}' }],
    ['anything else in _meta', withMeta('{"example/locale":"de"}')],
  ])('is that of a call with %s', async (_, change, rule, said) => {
    const other = await key(change, rule, said)
    expect(other).toMatch(/^[0-9a-f]{64}$/)
    expect(other).not.toBe(await key())
  })

  it('is that of another client of a modern upstream, which is told who it is', async () => {
    const of = (name: string) =>
      key({ ...withMeta(JSON.stringify({ [META.clientInfo]: { name } })), era: 'modern' }, {}, ofModern)
    expect(await of('a')).toBe(await of('a'))
    expect(await of('a')).not.toBe(await of('b'))
  })

  it('is, for the caller alone, that of each subject, agent type, and session where the upstream has them', async () => {
    const own = { scope: 'caller' } as const
    const stateful = { ...speech, isStateful: true }
    const other = (change: Partial<Principal>) => key({ principal: { ...principal, ...change } }, own)
    const keys = [
      await key({}, own),
      await other({ subject: 'key:2' }),
      await other({ agentType: 'tester' }),
      await other({ agentType: undefined }),
      await key({ session }, own, stateful),
    ]
    expect(new Set(keys).size).toBe(keys.length)
    expect(await key({ session }, own)).toBe(keys[0])
  })
})

describe('no key', () => {
  it.each<[string, Partial<Forward>, Partial<Caching>?]>([
    ['that runs on as a task', { params: [...forward.params, ['task', '{}']] }],
    ['that brings input', { params: [...forward.params, ['inputResponses', '{}']] }],
    ['that brings a state', { params: [...forward.params, ['requestState', '"s"']] }],
    ['whose _meta can be read in two ways', withMeta('{"a":1,"a":2}')],
    ['of nobody in particular, for the caller alone', { principal: ANONYMOUS }, { scope: 'caller' }],
  ])('has a call %s', async (_, change, rule) => {
    expect(await key(change, rule)).toBeUndefined()
  })
})

it('two arguments have one key exactly when they are the same value, digit for digit', async () => {
  const json = fc.jsonValue({ maxDepth: 3 })
  const shuffled = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(shuffled)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .toReversed()
              .map(([name, each]) => [name, shuffled(each)]),
          )
        : value
  const of = (value: unknown, indent?: number) => key(withArguments(JSON.stringify(value, null, indent)))
  await fc.assert(
    fc.asyncProperty(json, json, async (a, b) => {
      expect(await of(shuffled(a), 2)).toBe(await of(a))
      const isSame = sorted(a) === sorted(b)
      expect((await of(a)) === (await of(b))).toBe(isSame)
    }),
    { numRuns: 300 },
  )
})

/** The same by other means. */
const sorted = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? { members: Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)) }
      : each,
  )

it('what stands beside each other in a key cannot pass for one another', async () => {
  const part = fc.string({ unit: fc.constantFrom('a', 'b', '"', ','), maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(part, part, part, part, async (a, b, c, d) => {
      const one = await key({ serviceId: a }, { edition: b })
      const other = await key({ serviceId: c }, { edition: d })
      expect(one === other).toBe(a === c && b === d)
    }),
    { numRuns: 1_000 },
  )
  expect(await key({ serviceId: 'ab' }, { edition: 'c' })).not.toBe(
    await key({ serviceId: 'a' }, { edition: 'bc' }),
  )
})

it('S58 says nothing of the arguments', async () => {
  expect(await key(withArguments('{"password":"hunter2"}'))).toMatch(/^[0-9a-f]{64}$/)
})
