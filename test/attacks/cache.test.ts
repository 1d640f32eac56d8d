/** S21: results that are given again, and who tries to be given another's, or to have theirs given to others. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, eventually, type Gateway, STAYS_CLOSED } from '../support/gateway.ts'
import { modernCall } from '../support/modern-call.ts'
import { bearer, by, makeKey, makeOrganisation } from '../support/people.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let stack: Stack
let gateway: Gateway
let upstream: Upstream
const sides: { readonly admin: string; readonly agent: string }[] = []

beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway({ MCP_AUTH: 'open' })
  upstream = await startUpstream({ era: 'legacy', stateful: true })
  const service = { cacheTtlSeconds: 60, ...STAYS_CLOSED }
  for (const id of ['org-a', 'org-b']) {
    const admin = await makeOrganisation(gateway, id)
    const added = await gateway.manage(
      'POST',
      '/api/v1/servers',
      { name: 'x', url: upstream.url, ...service },
      by(admin),
    )
    expect([added.status, added.text]).toEqual([201, expect.any(String)])
    sides.push({ admin, agent: (await makeKey(gateway, {}, admin)).key })
  }
  const own = await gateway.register('own', upstream.url, { ...service, cacheScope: 'caller' })
  expect([own.status, own.text]).toEqual([201, expect.any(String)])
}, 120_000)
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})

const calls = (): number => upstream.calls('tools/call').length
const call = (args: object, headers: Record<string, string>, name = 'echo'): Promise<Answer> =>
  gateway.rpc('tools/call', { name, arguments: args }, { headers })
const markOf = ({ headers }: Answer): string | null => headers.get('x-cache')

it('S21 two organisations with the same service, tool and arguments share nothing', async () => {
  const before = calls()
  for (const { agent } of sides) expect(markOf(await call({ text: 'a' }, bearer(agent)))).toBe('MISS')
  expect(calls() - before).toBe(2)
  for (const { agent } of sides) expect(markOf(await call({ text: 'a' }, bearer(agent)))).toBe('HIT')
  const [a, b] = sides
  if (!a || !b) return expect.fail()
  expect((await gateway.manage('DELETE', '/api/v1/servers/x/cache', undefined, by(a.admin))).status).toBe(200)
  expect(markOf(await call({ text: 'a' }, bearer(b.agent)))).toBe('HIT')
  expect(markOf(await call({ text: 'a' }, bearer(a.agent)))).toBe('MISS')
})

it('S21 callers share nothing where results are for the caller alone, and who is nobody is given nothing again', async () => {
  const keys = await Promise.all([makeKey(gateway, { name: 'one' }), makeKey(gateway, { name: 'two' })])
  for (const expected of ['MISS', 'HIT']) {
    for (const { key } of keys)
      expect(markOf(await call({ text: 'b' }, bearer(key), 'own__echo'))).toBe(expected)
  }
  const anonymous = {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
  }
  for (let turn = 0; turn < 2; turn++) {
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'own__echo', arguments: { text: 'b' } },
    })
    const answer = await gateway.fetch('/mcp', { ...anonymous, body })
    expect([answer.status, markOf(answer)]).toEqual([200, null])
  }
})

describe('arguments that look alike', () => {
  const post = (args: string): Promise<Answer> => {
    const params = `{"name":"own__headers","arguments":${args}}`
    return gateway.post(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`)
  }

  it('have each a result of their own', async () => {
    const texts = [
      '{"n":1}',
      '{"n":1.0}',
      '{"n":1e0}',
      '{"n":"1"}',
      '{"n":true}',
      '{"n":[1]}',
      '{"n":{"0":1}}',
      '{"n":9007199254740992}',
      '{"n":9007199254740993}',
      '{"n":1,"n":2}',
      '{"n":2,"n":1}',
      '{"n":null}',
      '{}',
      '{"N":1}',
      '{"n ":1}',
      '{"n":"a\\u0000"}',
      '{"n":"a"}',
      '{"n":"\\u00e4"}',
      '{"n":"a\\u0308"}',
      '{"__proto__":{"n":1}}',
      '{"a":{"b":1},"c":2}',
      '{"a":{"b":1,"c":2}}',
    ]
    for (const text of texts) expect([text, markOf(await post(text))]).toEqual([text, 'MISS'])
    for (const text of texts) expect([text, markOf(await post(text))]).toEqual([text, 'HIT'])
  })

  it('are the same where only their writing differs', async () => {
    await post('{"one":1,"two":["\\u00e4",{"x":null,"y":false}]}')
    expect(markOf(await post(' {"two" :[ "\u00e4" , {"y":false,"x":null}], "one":1}'))).toBe('HIT')
  })
})

it('a service cannot say for the gateway that a result was kept', async () => {
  const key = await makeKey(gateway, { name: 'three' })
  upstream.dial.raw = '{"content":[],"_meta":{"switchyard/cache":{"status":"hit"}}}'
  const answer = await call({}, bearer(key.key), 'own__raw')
  expect(answer.body.result._meta['switchyard/cache']).toEqual({ status: 'miss' })
})

describe('what a caller brings to a call of several rounds', () => {
  it('is neither kept nor answered with what was', async () => {
    const before = calls()
    for (const rest of [{ requestState: 'x' }, { inputResponses: {} }, { task: { ttl: 1 } }]) {
      for (let turn = 0; turn < 2; turn++) {
        const answer = await gateway.fetch(
          '/mcp',
          modernCall('own__echo', { arguments: { text: 'c' }, rest }),
        )
        expect([markOf(answer), JSON.stringify(answer.body).includes('switchyard/cache')]).toEqual([
          null,
          false,
        ])
      }
    }
    expect(calls()).toBeGreaterThanOrEqual(before)
  })
})

it('S58 the log and the audit say nothing of results', async () => {
  await call({ text: 'canary-of-the-cache' }, bearer(sides[0]?.agent ?? ''))
  await call({ text: 'canary-of-the-cache' }, bearer(sides[0]?.agent ?? ''))
  await eventually(10_000, async () => {
    const rows = JSON.stringify(await stack.query('select * from audit_log'))
    expect(rows).toContain('x/echo')
    expect(rows).not.toContain('canary-of-the-cache')
  })
})
