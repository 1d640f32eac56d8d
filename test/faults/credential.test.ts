/** What goes wrong while an upstream's credential is refreshed: the token endpoint, the database, the process. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type AuthorizationServer,
  startAuthorizationServer,
  type TokenFault,
} from '../support/token-endpoint.ts'
import { eventually, type Gateway, TOKEN } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const ISOLATES = 4
/** A look at a service needs its credential as well, and would be counted. */
const UNPROBED = { HEALTH_INTERVAL_MS: '3600000' }

let stack: Stack
let directory: string
let gateways: readonly Gateway[]
let first: Gateway
let authorization: AuthorizationServer
let upstream: Upstream
beforeAll(async () => {
  stack = await startStack()
  directory = await mkdtemp(join(tmpdir(), 'credentials-'))
  gateways = await stack.gateways(UNPROBED, { isolates: ISOLATES, dataDirectory: directory })
  first = gateways[0] ?? expect.fail()
  authorization = await startAuthorizationServer()
  upstream = await startUpstream({
    era: 'legacy',
    auth: { header: 'authorization', value: authorization.accepts },
  })
})
afterAll(async () => {
  await stack.close()
  await Promise.all([upstream.stop(), authorization.stop()])
  await rm(directory, { recursive: true })
})
beforeEach(() => {
  authorization.asked.length = 0
  authorization.refreshes = 0
})
afterEach(() => {
  authorization.fault = undefined
  stack.database.giveBack()
})

let count = 0
/** Registers at one isolate a service whose token has ended, and waits until all know it. */
async function register(): Promise<string> {
  const name = `ended-${++count}`
  const auth = authorization.signIn({ expiresAt: '2026-01-01T00:00:00Z' })
  expect((await first.register(name, upstream.url, { auth })).status).toBe(201)
  const isKnown = async (gateway: Gateway): Promise<void> =>
    expect(await gateway.toolNames(`/mcp/${name}`)).not.toEqual([])
  await eventually(10_000, async () => void (await Promise.all(gateways.map(isKnown))))
  return name
}
const call = (gateway: Gateway, name: string) =>
  gateway.rpc('tools/call', { name: 'echo', arguments: { text: 'x' } }, { path: `/mcp/${name}` })
const sealedOf = async (name: string): Promise<unknown> =>
  (await stack.query(`select sealed_auth from services where name = '${name}'`))[0]?.['sealed_auth']

it('fifty calls at all isolates that meet an ended token are one refresh, and nobody asks again', async () => {
  const name = await register()
  authorization.endAccess()
  const asked = Array.from({ length: 50 }, (_, at) => call(gateways[at % ISOLATES] ?? first, name))
  for (const { body, text } of await Promise.all(asked)) expect(body.result?.content[0].text, text).toBe('x')
  for (const gateway of gateways) expect((await call(gateway, name)).body.result.content[0].text).toBe('x')
  expect(authorization.asked).toHaveLength(1)
})

it('F39 a refresh goes on where the caller that began it goes away', async () => {
  const name = await register()
  authorization.fault = { is: 'delay', ms: 400 }
  const gone = new AbortController()
  const params = { name: 'echo', arguments: { text: 'x' } }
  const left = fetch(`${first.url}/mcp/${name}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${TOKEN}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
    signal: gone.signal,
  })
  await eventually(5_000, () => expect(authorization.asked).toHaveLength(1))
  gone.abort()
  await expect(left).rejects.toThrow('abort')
  expect((await call(first, name)).body.result?.content[0].text).toBe('x')
  expect(authorization.asked).toHaveLength(1)
})

describe('a token endpoint that cannot be had', () => {
  it.each<[string, TokenFault, RegExp]>([
    ['fails', { is: 'respond', status: 500, body: 'canary' }, /answered HTTP 500/],
    ['is busy', { is: 'respond', status: 429, headers: { 'retry-after': '30' } }, /answered HTTP 429/],
    ['redirects', { is: 'respond', status: 302, headers: { location: '/token?again' } }, /answered HTTP 302/],
    [
      'says nothing of OAuth',
      { is: 'respond', status: 200, body: '<html>canary</html>' },
      /no usable answer/,
    ],
    ['gives no token', { is: 'respond', status: 200, body: '{"canary":1}' }, /no usable answer/],
    [
      'gives a token that is none',
      { is: 'respond', status: 200, body: '{"access_token":"a\\r\\nx-canary: b"}' },
      /no usable answer/,
    ],
    [
      'says too much',
      { is: 'respond', status: 200, body: `{"access_token":"a","x":"${'y'.repeat(70_000)}"}` },
      /no usable answer/,
    ],
    [
      'fails in its own words',
      { is: 'respond', status: 400, body: '{"error":"canary"}' },
      /no usable answer/,
    ],
  ])(
    'since it %s leaves the credential as it is, and is left alone for a while',
    async (_, fault, reason) => {
      const name = await register()
      const before = await sealedOf(name)
      authorization.fault = fault
      const startedAt = performance.now()
      const { body, text } = await call(first, name)
      expect(body.error.code).toBe(-31501)
      expect(body.error.message).toMatch(reason)
      expect(text).not.toContain('canary')
      for (const gateway of gateways) expect((await call(gateway, name)).body.error.code).toBe(-31501)
      const restsOver = Math.floor((performance.now() - startedAt) / 1_000)
      expect(authorization.asked.length).toBeLessThanOrEqual(1 + restsOver)
      expect(await sealedOf(name)).toBe(before)
      expect((await first.manage('GET', `/api/v1/servers/${name}`)).body.status).toBe('connected')
    },
  )

  it('F03 is waited for no longer than ten seconds', { timeout: 30_000 }, async () => {
    const name = await register()
    authorization.fault = { is: 'silent' }
    const startedAt = performance.now()
    const { body } = await call(first, name)
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(9_900)
    expect(body.error.message).toContain('did not answer')
  })

  it('is asked again later, and calls go on', async () => {
    const name = await register()
    authorization.fault = { is: 'respond', status: 503 }
    expect((await call(first, name)).body.error.code).toBe(-31501)
    authorization.fault = undefined
    await eventually(5_000, async () =>
      expect((await call(first, name)).body.result?.content[0].text).toBe('x'),
    )
    expect(authorization.refreshes).toBe(1)
  })
})

describe('a database that is away while a credential is refreshed', () => {
  it('keeps no call back, and is told when it returns', async () => {
    const name = await register()
    const before = await sealedOf(name)
    stack.database.takeAway()
    expect((await call(first, name)).body.result?.content[0].text).toBe('x')
    stack.database.giveBack()
    expect(await sealedOf(name)).toBe(before)
    await eventually(10_000, async () => expect(await sealedOf(name)).not.toBe(before))
    expect(authorization.refreshes).toBe(1)
  })

  it('is told by the next process where this one is killed meanwhile', async () => {
    const name = await register()
    const before = await sealedOf(name)
    authorization.endAccess()
    stack.database.takeAway()
    expect((await call(first, name)).body.result?.content[0].text).toBe('x')
    await stack.kill(first)
    stack.database.giveBack()
    expect(await sealedOf(name)).toBe(before)
    const next = await stack.gateway(UNPROBED, { dataDirectory: directory })
    expect((await call(next, name)).body.result?.content[0].text).toBe('x')
    await eventually(10_000, async () => expect(await sealedOf(name)).not.toBe(before))
    expect(authorization.asked).toHaveLength(1)
  })
})
