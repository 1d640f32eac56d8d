/** The end of a legacy session, as isolates know of it that were not told: nothing of it stays anywhere. */
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectError } from '../support/base.ts'
import { type Answer, eventually, type Gateway } from '../support/gateway.ts'
import { LegacySession, openLegacySession } from '../support/legacy-session.ts'
import type { Seen } from '../support/message.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const CALL = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'echo', arguments: { text: 'hi' } },
})

const LIST = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'

let stack: Stack
let here: Gateway
let elsewhere: Gateway
let third: Gateway
let upstream: Upstream
beforeAll(async () => {
  stack = await startStack()
  const gateways = await stack.gateways({}, { isolates: 3 })
  here = gateways[0] ?? expect.fail()
  elsewhere = gateways[1] ?? expect.fail()
  third = gateways[2] ?? expect.fail()
  upstream = await startUpstream({ era: 'legacy', stateful: true, resources: [{ uri: 'test://one' }] })
  expect((await here.register('fixture', upstream.url)).status).toBe(201)
  for (const gateway of gateways) {
    await eventually(10_000, async () => expect(await gateway.toolNames('/mcp/fixture')).toContain('echo'))
  }
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})

const at = (gateway: Gateway, { headers }: LegacySession): LegacySession =>
  new LegacySession(gateway, '/mcp', headers)
const end = (gateway: Gateway, { headers }: LegacySession, path = '/mcp'): Promise<Answer> =>
  gateway.fetch(path, { method: 'DELETE', headers })
const listen = (gateway: Gateway, { headers }: LegacySession, path = '/mcp'): Promise<Response> =>
  fetch(`${gateway.url}${path}`, { headers: { ...headers, accept: 'text/event-stream' } })
const expectUnknown = (answer: Answer): void =>
  expectError(answer, 404, -31404, 'Session not found, initialize again', 1)

describe('a session that ends in an isolate that has not seen it', () => {
  it('is refused by all others, though it never needed an object of its own', async () => {
    const session = await openLegacySession(here)
    expect((await session.post(LIST)).status).toBe(200)
    expect((await end(elsewhere, session)).status).toBe(204)
    for (const gateway of [elsewhere, third]) expectUnknown(await at(gateway, session).post(LIST))
  })

  it('ends with its session with an upstream', async () => {
    const before = upstream.sessions
    const session = await openLegacySession(here)
    await session.post(CALL)
    expect(upstream.sessions).toBe(before + 1)
    expect((await end(elsewhere, session)).status).toBe(204)
    await eventually(3_000, () => expect(upstream.sessions).toBe(before))
    expectUnknown(await at(third, session).post(LIST))
  })

  it('has one session with an upstream, whichever isolates call', async () => {
    const before = upstream.sessions
    const session = await openLegacySession(here)
    for (const gateway of [elsewhere, here, third]) {
      expect((await at(gateway, session).post(CALL)).body.result.content[0].text).toBe('hi')
    }
    expect(upstream.sessions).toBe(before + 1)
    expect((await end(here, session)).status).toBe(204)
    await eventually(3_000, () => expect(upstream.sessions).toBe(before))
  })

  it('leaves nothing at an upstream, however its end meets its first calls', async () => {
    const before = upstream.sessions
    const race = async (): Promise<void> => {
      const session = await openLegacySession(here)
      const [ended] = await Promise.all([
        end(elsewhere, session),
        session.post(CALL),
        at(third, session).post(CALL),
      ])
      expect(ended.status).toBe(204)
    }
    for (let round = 0; round < 10; round++) await Promise.all([race(), race(), race()])
    await eventually(3_000, () => expect(upstream.sessions).toBe(before))
  })
})

describe('a session that ends in one isolate, and is used at once in the one where it began,', () => {
  it('has no call made, and leaves no session with an upstream', async () => {
    const before = upstream.sessions
    const calls = upstream.calls('tools/call').length
    const session = await openLegacySession(here)
    expect((await end(elsewhere, session)).status).toBe(204)
    expectUnknown(await session.post(CALL))
    expect(upstream.calls('tools/call')).toHaveLength(calls)
    await eventually(3_000, () => expect(upstream.sessions).toBe(before))
  })

  it('opens no new session with the upstream whose session ended with it', async () => {
    const before = upstream.sessions
    const session = await openLegacySession(here)
    expect((await session.post(CALL)).body.result.content[0].text).toBe('hi')
    expect(upstream.sessions).toBe(before + 1)
    expect((await end(elsewhere, session)).status).toBe(204)
    await eventually(3_000, () => expect(upstream.sessions).toBe(before))
    expectUnknown(await session.post(CALL))
    await eventually(3_000, () => expect(upstream.sessions).toBe(before))
  })

  it.each([
    ['that was never used', async () => undefined],
    ['that has called', async (session: LegacySession) => void (await session.post(CALL))],
  ])('%s, is listened to no more', async (_, use) => {
    const session = await openLegacySession(here)
    await use(session)
    expect((await end(elsewhere, session)).status).toBe(204)
    const response = await listen(here, session)
    await response.body?.cancel()
    expect(response.status).toBe(404)
  })
})

it('a session that ends while its stream opens one with an upstream leaves none there', async () => {
  const path = '/mcp/fixture'
  const capabilities = { roots: { listChanged: false } }
  const isOpening = (): boolean =>
    upstream
      .calls('initialize')
      .some(({ message }) => isDeepStrictEqual(capabilitiesIn(message), capabilities))
  const seen = (httpMethod: string): number =>
    upstream.requests.filter((request) => request.httpMethod === httpMethod).length
  // The service's guard looks at it when the first client listens, and listens too.
  const [gets, ends] = [seen('GET'), seen('DELETE')]
  const other = await listen(here, await openLegacySession(here, { path }), path)
  await eventually(5_000, () => expect([seen('GET'), seen('DELETE')]).toEqual([gets + 2, ends + 1]))
  const session = await openLegacySession(here, { path, capabilities })
  const swift = upstream.dial.set({ is: 'delay', ms: 400, for: 'initialize' })
  const response = await listen(here, session, path)
  await eventually(3_000, () => expect(isOpening()).toBe(true))
  expect((await end(elsewhere, session, path)).status).toBe(204)
  await response.text()
  expect(seen('DELETE')).toBe(ends + 1)
  swift()
  await eventually(3_000, () => expect(seen('DELETE')).toBe(ends + 2))
  await other.body?.cancel()
})

it('a session that ends in an isolate that has not seen it ends with its listening stream', async () => {
  const session = await openLegacySession(here)
  const response = await listen(here, session)
  expect(response.status).toBe(200)
  expect((await end(elsewhere, session)).status).toBe(204)
  await response.text()
  expectUnknown(await at(third, session).post(LIST))
})

const capabilitiesIn = (message: Seen['message']): unknown => message?.params?.['capabilities']
