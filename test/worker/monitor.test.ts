/** `GET /mcp/health`: anyone learns how the gateway is, those who manage services learn it of each service. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROWS } from '../support/dial.ts'
import { eventually, type Gateway } from '../support/gateway.ts'
import { bearer, makeKey, makeOrganisation } from '../support/people.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const PATH = '/mcp/health'

let stack: Stack
let gateway: Gateway
let upstream: Upstream
beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  upstream = await startUpstream({ era: 'legacy' })
  const circuitBreaker = { failureThreshold: 2, recoveryTimeout: 60_000, halfOpenMaxCalls: 1 }
  expect((await gateway.register('shop', upstream.url, { circuitBreaker })).status).toBe(201)
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})

const whole = async () => (await gateway.manage('GET', PATH)).body

describe('the health of gateway and services', () => {
  it('is told to anyone, without a name', async () => {
    const { status, headers, body, text } = await gateway.fetch(PATH)
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(body).toEqual({
      status: 'healthy',
      registryVersion: expect.any(Number),
      dependencies: { database: 'ok', cache: 'ok' },
      services: { connected: 1, disconnected: 0, error: 0 },
    })
    expect(text).not.toContain('shop')
  })

  it('is told of each service to those who manage them', async () => {
    expect((await whole()).serviceHealth).toEqual([
      {
        name: 'shop',
        status: 'healthy',
        serviceStatus: 'connected',
        breaker: 'closed',
        totalInstances: 1,
        healthyInstances: 1,
      },
    ])
  })

  it('names nothing to agents, and nothing of others to other organisations', async () => {
    const { key } = await makeKey(gateway, { role: 'user' })
    const agent = await gateway.fetch(PATH, { headers: bearer(key) })
    expect([agent.status, agent.body.serviceHealth]).toEqual([200, undefined])
    const other = await gateway.fetch(PATH, { headers: bearer(await makeOrganisation(gateway, 'acme')) })
    expect([other.status, other.body.serviceHealth]).toEqual([200, []])
  })

  it('is not told to a wrong credential', async () => {
    expect((await gateway.fetch(PATH, { headers: { 'x-api-key': 'wrong' } })).status).toBe(401)
  })

  it('is degraded by a circuit that is open, and by a service in error, but not by one that was disabled', async () => {
    upstream.dial.set({ ...ROWS.F07, for: 'tools/call', times: 2 })
    for (let at = 0; at < 2; at++)
      await gateway.rpc('tools/call', { name: 'echo', arguments: { text: 'x' } }, { path: '/mcp/shop' })
    await eventually(5_000, async () => {
      const { status, serviceHealth } = await whole()
      expect(status).toBe('degraded')
      expect(serviceHealth[0]).toMatchObject({ status: 'unhealthy', breaker: 'open' })
    })
    await gateway.manage('POST', '/api/v1/servers/shop/disconnect')
    expect(await whole()).toMatchObject({ status: 'healthy', serviceHealth: [{ status: 'disabled' }] })
    const away = { fallbackTools: [{ name: 'x', inputSchema: { type: 'object' } }] }
    expect((await gateway.register('away', 'http://127.0.0.1:1/mcp', away)).status).toBe(201)
    const { body } = await gateway.fetch(PATH)
    expect(body).toMatchObject({ status: 'degraded', services: { disconnected: 1, error: 1 } })
  })

  it('is degraded while a store is away, and unhealthy where there is nothing to serve', async () => {
    stack.cache.takeAway()
    await eventually(5_000, async () => {
      const { status, body } = await gateway.fetch(PATH)
      expect([status, body.status, body.dependencies.cache]).toEqual([200, 'degraded', 'unreachable'])
    })
    stack.database.takeAway()
    const fresh = await stack.gateway()
    const { status, body } = await fresh.fetch(PATH)
    expect([status, body.status, body.registryVersion]).toEqual([503, 'unhealthy', null])
    stack.cache.giveBack()
    stack.database.giveBack()
  })

  it('has a path that no service can take', async () => {
    const { status, body } = await gateway.register('health', upstream.url)
    expect([status, body.code]).toEqual([400, 'invalid_body'])
  })
})
