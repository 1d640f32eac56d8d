/** Gateways that lead to each other, or to themselves (S10). */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  CAPABILITIES_KEY,
  expectEcho,
  expectError,
  headersOf,
  META,
  openYard,
  send,
  type Yard,
} from '../support/base.ts'
import { eventually, type Gateway, STAYS_CLOSED } from '../support/gateway.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const HOPS = 'x-switchyard-hops'

let yard: Yard
let gateway: Gateway
let legacy: Upstream
beforeAll(async () => {
  const resources = [{ uri: 'test://one', name: 'one' }]
  yard = await openYard({ era: 'modern', resources })
  gateway = yard.gateway
  legacy = await startUpstream({ era: 'legacy', stateful: true, listens: true })
  expect((await gateway.register('legacy', legacy.url, STAYS_CLOSED)).status).toBe(201)
})
afterAll(async () => {
  await yard.close()
  await legacy.stop()
})
const countsAt = ({ requests }: Upstream): unknown[] => requests.map(({ headers }) => headers[HOPS])

it('S10 what the gateway does unasked begins with a count of one', () => {
  expect(legacy.requests.length).toBeGreaterThan(2)
  expect(new Set([...countsAt(legacy), ...countsAt(yard.upstream)])).toEqual(new Set(['1']))
})

describe('a request', () => {
  beforeEach(() => {
    legacy.requests.length = 0
    yard.upstream.requests.length = 0
  })

  it.each(['4', '999', '-1', '1, 1', 'x', ''])('S10 with a count of %j goes no further', async (count) => {
    expectError(await send(gateway, { headers: { [HOPS]: count } }), 508, -31508, 'Loop detected')
    expect(yard.upstream.requests).toEqual([])
  })

  it.each([
    [undefined, '1'],
    ['0', '1'],
    ['3', '4'],
  ])('S10 with a count of %s goes on with %s', async (count, next) => {
    expectEcho(await send(gateway, { headers: { [HOPS]: count } }))
    expect(countsAt(yard.upstream)).toEqual([next])
  })

  it('S10 that may have to wait for its caller takes its count along, in its session too', async () => {
    const params = { _meta: { ...META, [CAPABILITIES_KEY]: { roots: {} } } }
    const headers = { [HOPS]: '2' }
    expectEcho(await send(gateway, { path: '/mcp/legacy', headers, params }))
    expect(legacy.calls('tools/call').length).toBe(1)
    expect(new Set(countsAt(legacy))).toEqual(new Set(['3']))
  })

  it('S10 that listens takes its count along', async () => {
    const over = new AbortController()
    const params = { notifications: { resourceSubscriptions: ['test://one'] }, _meta: META }
    const headers = headersOf({
      headers: { [HOPS]: '1', 'mcp-method': 'subscriptions/listen', 'mcp-name': undefined },
    })
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params })
    await fetch(`${gateway.url}/mcp`, { method: 'POST', headers, body, signal: over.signal })
    await eventually(5_000, () => expect(countsAt(yard.upstream)).toContain('2'))
    over.abort()
  })

  it('S10 of a session that listens takes its count along', async () => {
    const path = '/mcp/legacy'
    const clientInfo = { name: 't', version: '1' }
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
    const begun = await gateway.rpc('initialize', params, { path })
    const over = new AbortController()
    const headers = {
      ...headersOf({ headers: { 'mcp-protocol-version': '2025-11-25' } }),
      'mcp-session-id': begun.headers.get('mcp-session-id') ?? '',
      [HOPS]: '1',
    }
    await fetch(`${gateway.url}${path}`, { headers, signal: over.signal })
    const opened = () => legacy.requests.filter(({ httpMethod }) => httpMethod === 'GET')
    await eventually(5_000, () => expect(opened().map((seen) => seen.headers[HOPS])).toContain('2'))
    over.abort()
  })
})

describe('a service that leads back to the gateway', () => {
  it('S10 ends after a few rounds, and harms nobody else', async () => {
    // It has to be there before it can lead to itself.
    const auth = { type: 'bearer', token: 'a-bearer-token-of-the-tests' }
    const registered = await gateway.register('circle', `${gateway.url}/mcp/fixture`, { auth })
    expect(registered.status).toBe(201)
    const turned = await gateway.manage('PUT', '/api/v1/servers/circle', { url: `${gateway.url}/mcp/circle` })
    expect(turned.status).toBe(200)
    const call = (hops: string) =>
      gateway.rpc('tools/call', { name: 'echo' }, { path: '/mcp/circle', headers: { [HOPS]: hops } })
    // No circuit opens, for whoever sends high counts could close the way for everybody.
    for (const hops of ['0', '3', '3', '3', '3', '3', '3', '0']) {
      const { status, body } = await call(hops)
      expect([status, body.error.code]).toEqual([200, -31502])
      expect(body.error.message).toContain('HTTP 508')
    }
  })

  it.each(['https://gateway.example/mcp', 'https://GATEWAY.example./', 'https://gateway.example:8443/x'])(
    'S10 cannot be registered as %s where the gateway knows its own address',
    async (url) => {
      const knowing = await yard.stack.gateway({ PUBLIC_URL: 'https://gateway.example/' })
      const { status, body } = await knowing.register('own', url)
      expect([status, body.code, body.reason]).toEqual([422, 'upstream_address_refused', 'own_host'])
    },
  )

  it('S10 the count cannot be fixed by an operator', async () => {
    const { status, body } = await gateway.register('fixed', legacy.url, {
      headers: { 'X-Switchyard-Hops': '0' },
    })
    expect([status, body.code]).toEqual([400, 'invalid_body'])
  })
})
