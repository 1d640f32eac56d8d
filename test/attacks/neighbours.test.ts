/** What one organisation, or one user, does to itself is nobody else's trouble; and nobody is two callers by having two keys. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { ROWS } from '../support/dial.ts'
import type { Answer, Gateway } from '../support/gateway.ts'
import { modernCall } from '../support/modern-call.ts'
import { by, makeKey, makeOrganisation, makeUser, tokenOf } from '../support/people.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const SECRET = 'a-credential-of-organisation-a'

let stack: Stack
let gateway: Gateway
let upstream: Upstream
const admins: Record<string, string> = {}
const streams: AbortController[] = []

beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway({ MAX_LISTENS_PER_PRINCIPAL: '2' })
  upstream = await startUpstream({ era: 'legacy' })
  for (const id of ['a', 'b']) admins[id] = await makeOrganisation(gateway, id)
})
afterEach(() => {
  upstream.dial.clear()
  for (const stream of streams.splice(0)) stream.abort()
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})

const manage = (who: string, method: string, path: string, body?: object): Promise<Answer> =>
  gateway.manage(method, path, body, by(admins[who] ?? ''))
const register = async (who: string, name: string, rest: object = {}): Promise<void> => {
  const { status, text } = await manage(who, 'POST', '/api/v1/servers', { name, url: upstream.url, ...rest })
  if (status !== 201) throw new Error(text)
}
const call = (who: string, tool: string): Promise<Answer> =>
  gateway.fetch('/mcp', modernCall(tool, { token: admins[who] ?? '', arguments: { text: 'fine' } }))

it("S53 failing calls of one organisation open no circuit of another's, be it the same upstream", async () => {
  const circuitBreaker = { failureThreshold: 3, recoveryTimeout: 60_000, halfOpenMaxCalls: 1 }
  for (const who of ['a', 'b']) await register(who, 'x', { circuitBreaker })
  const end = upstream.dial.set({ ...ROWS.F07, for: 'tools/call' })
  for (let at = 0; at < 4; at++) expect((await call('a', 'x__echo')).body.error).toBeDefined()
  end()
  const stateOf = async (who: string): Promise<string> =>
    (await manage(who, 'GET', '/api/v1/servers/x/metrics')).body.breaker.state
  expect([await stateOf('a'), await stateOf('b')]).toEqual(['open', 'closed'])
  expect((await call('a', 'x__echo')).body.error.message).toMatch(/circuit open/i)
  expect((await call('b', 'x__echo')).body.result.content[0].text).toBe('fine')
})

it("S31 a credential that was moved to another organisation's row is never sent", async () => {
  const auth = { type: 'bearer', token: SECRET }
  await register('a', 'sealed', { auth })
  await register('b', 'sealed', { auth: { type: 'bearer', token: 'another' } })
  await stack.query(`update services set sealed_auth = (select sealed_auth from services
    where organisation_id = 'a' and name = 'sealed') where organisation_id = 'b' and name = 'sealed'`)
  await stack.query(`update registry_versions set version = version + 1 where organisation_id = 'b'`)
  const fresh = await stack.gateway()
  // Operators read what is committed: from here on this gateway knows it.
  await fresh.manage('GET', '/api/v1/servers', undefined, by(admins['b'] ?? ''))
  upstream.requests.length = 0
  const answer = await fresh.fetch('/mcp', modernCall('sealed__echo', { token: admins['b'] ?? '' }))
  expect(answer.body.error.code).toBe(-31511)
  expect(JSON.stringify(upstream.requests)).not.toContain(SECRET)
  expect((await call('a', 'sealed__echo')).body.result.content[0].text).toBe('fine')
})

it('S54 all keys and tokens of a user share its streams, those of others do not', async () => {
  await makeUser(gateway, 'many')
  const token = await tokenOf(gateway, 'many')
  const [one, other] = [await makeKey(gateway, {}, token), await makeKey(gateway, {}, token)]
  const stranger = await makeKey(gateway)
  const listen = async (credential: string): Promise<number> => {
    const stream = new AbortController()
    streams.push(stream)
    const rest = { notifications: { toolsListChanged: true } }
    const init = modernCall('', { method: 'subscriptions/listen', rest, token: credential })
    return (await fetch(`${gateway.url}/mcp`, { ...init, signal: stream.signal })).status
  }
  expect([await listen(one.key), await listen(other.key)]).toEqual([200, 200])
  for (const credential of [one.key, other.key, token]) expect(await listen(credential)).toBe(429)
  expect(await listen(stranger.key)).toBe(200)
})
