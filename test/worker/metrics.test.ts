/** `/metrics`: the calls of all isolates, told to operators alone, whatever is away. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROWS } from '../support/dial.ts'
import { type Answer, eventually, type Gateway, STAYS_CLOSED, TOKEN } from '../support/gateway.ts'
import { readExposition } from '../support/exposition.ts'
import { bearer, makeKey, makeOrganisation } from '../support/people.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const ISOLATES = 4

let stack: Stack
let gateways: readonly Gateway[]
let first: Gateway
let upstream: Upstream
let directory: string
beforeAll(async () => {
  stack = await startStack()
  directory = await mkdtemp(join(tmpdir(), 'metrics-'))
  gateways = await stack.gateways({}, { isolates: ISOLATES, dataDirectory: directory })
  first = gateways[0] ?? expect.fail()
  upstream = await startUpstream({ era: 'legacy' })
  expect((await first.register('shop', upstream.url, STAYS_CLOSED)).status).toBe(201)
  const limited = { rateLimit: { requestsPerMinute: 1, burstLimit: 5 } }
  expect((await first.register('limited', upstream.url, limited)).status).toBe(201)
  const isKnown = async (gateway: Gateway): Promise<void> =>
    expect(await gateway.toolNames('/mcp/limited')).not.toEqual([])
  await eventually(10_000, async () => void (await Promise.all(gateways.map(isKnown))))
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
  await rm(directory, { recursive: true, force: true })
})

const call = (gateway: Gateway, name: string, tool = 'echo') =>
  gateway.rpc('tools/call', { name: tool, arguments: { text: 'x' } }, { path: `/mcp/${name}` })

type Read = (name: string, labels?: Record<string, string>) => number | undefined

/** The value of the one series of this name with these labels. */
function reader({ text }: Answer): Read {
  const series = readExposition(text).flatMap((family) => family.series)
  return (name, labels = {}) =>
    series.find(
      (each) =>
        each.name === `switchyard_${name}` &&
        Object.entries(labels).every(([label, value]) => each.labels[label] === value),
    )?.value
}
const scrape = async (gateway = first): Promise<Read> => reader(await gateway.manage('GET', '/metrics'))

describe('the metrics of all isolates', () => {
  it('are of the text format, and say so', async () => {
    const { status, headers, text } = await first.manage('GET', '/metrics')
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(headers.get('cache-control')).toBe('no-store')
    const names = readExposition(text).map(({ name }) => name)
    expect(names).toContain('switchyard_call_duration_seconds')
    expect(names.every((name) => name.startsWith('switchyard_'))).toBe(true)
  })

  it('hold each call once, whichever isolate it came through', async () => {
    const before = (await scrape())('calls_total', { service: 'shop', status: 'success' }) ?? 0
    const calls = gateways.flatMap((gateway) => Array.from({ length: 25 }, () => call(gateway, 'shop')))
    for (const { body } of await Promise.all(calls)) expect(body.result.content[0].text).toBe('x')
    await eventually(5_000, async () => {
      const read = await scrape()
      expect(read('calls_total', { service: 'shop', status: 'success' })).toBe(before + 100)
      expect(read('attempts_total', { service: 'shop', outcome: 'ok' })).toBe(before + 100)
      expect(read('call_duration_seconds_count', { service: 'shop' })).toBe(before + 100)
      expect(read('calls_in_flight', { service: 'shop' })).toBe(0)
      expect(read('isolates', { service: 'shop' })).toBe(ISOLATES)
    })
    for (const gateway of gateways)
      expect((await scrape(gateway))('calls_total', { service: 'shop', status: 'success' })).toBe(
        before + 100,
      )
  })

  it('count calls that were answered with what was kept', async () => {
    expect((await first.register('kept', upstream.url)).status).toBe(201)
    const setting = await first.manage('PATCH', '/api/v1/tools/kept/echo', { cacheTtlSeconds: 60 })
    expect(setting.status).toBe(200)
    for (let time = 0; time < 3; time++) await call(first, 'kept')
    await eventually(5_000, async () => {
      const read = await scrape()
      expect(read('calls_total', { service: 'kept', status: 'success' })).toBe(1)
      expect(read('calls_total', { service: 'kept', status: 'cached' })).toBe(2)
    })
  })

  it('tell what failed, what was refused, and why', async () => {
    const before = await scrape()
    const was = (name: string, labels: Record<string, string>): number => before(name, labels) ?? Number.NaN
    upstream.dial.set({ ...ROWS.F07, for: 'tools/call', times: 3 })
    for (let at = 0; at < 3; at++) expect((await call(first, 'shop')).body.error.code).toBe(-31502)
    expect((await call(first, 'shop', 'rpc-error')).body.error).toBeDefined()
    const answers = await Promise.all(Array.from({ length: 8 }, () => call(first, 'limited')))
    const refused = answers.filter(({ status }) => status === 429).length
    expect(refused).toBeGreaterThan(0)
    await eventually(5_000, async () => {
      const read = await scrape()
      const [failed, errors] = [
        { service: 'shop', outcome: 'failed' },
        { service: 'shop', status: 'error' },
      ]
      expect(read('attempts_total', failed)).toBe(was('attempts_total', failed) + 3)
      expect(read('calls_total', errors)).toBe(was('calls_total', errors) + 4)
      expect(read('calls_total', { service: 'limited', status: 'refused' })).toBe(refused)
      expect(read('refusals_total', { service: 'limited', reason: 'rate_limit' })).toBe(refused)
      expect(read('rate_limit_burst', { service: 'limited' })).toBe(5)
      expect(read('rate_limit_burst', { service: 'shop' })).toBeUndefined()
    })
  })

  it('show a circuit that opened', async () => {
    const circuitBreaker = { failureThreshold: 2, recoveryTimeout: 60_000, halfOpenMaxCalls: 1 }
    await first.registerAnew('shaky', upstream.url, { circuitBreaker })
    upstream.dial.set({ ...ROWS.F07, for: 'tools/call', times: 2 })
    for (let at = 0; at < 3; at++) await call(first, 'shaky')
    await eventually(5_000, async () => {
      const read = await scrape()
      expect(read('breaker_state', { service: 'shaky', state: 'open' })).toBe(1)
      expect(read('breaker_state', { service: 'shaky', state: 'closed' })).toBe(0)
      expect(read('breaker_openings_total', { service: 'shaky' })).toBe(1)
      expect(read('refusals_total', { service: 'shaky', reason: 'circuit_open' })).toBe(1)
    })
  })

  it('tell of the gateway itself', async () => {
    const read = await scrape()
    expect(read('build_info')).toBe(1)
    expect(read('registry_version')).toBeGreaterThan(1_700_000_000_000)
    expect(read('services', { status: 'connected' })).toBeGreaterThanOrEqual(2)
    expect(read('dependency_up', { dependency: 'database' })).toBe(1)
    stack.cache.takeAway()
    await eventually(5_000, async () => {
      const now = await scrape()
      expect(now('dependency_up', { dependency: 'cache' })).toBe(0)
      expect(now('dependency_up', { dependency: 'database' })).toBe(1)
    })
    stack.cache.giveBack()
  })
})

describe('who may read them', () => {
  it('are those who manage services', async () => {
    expect((await first.fetch('/metrics')).status).toBe(401)
    expect((await first.fetch('/metrics', { headers: { 'x-api-key': 'wrong' } })).status).toBe(401)
    const { key } = await makeKey(first, { role: 'user' })
    const agent = await first.fetch('/metrics', { headers: bearer(key) })
    expect([agent.status, agent.body.code]).toEqual([403, 'forbidden'])
    // By MCP_TOKEN_MANAGES.
    expect((await first.fetch('/metrics', { headers: bearer(TOKEN) })).status).toBe(200)
  })

  it('S21 learn of the services of their own organisation alone', async () => {
    const headers = bearer(await makeOrganisation(first, 'acme'))
    const { status, text } = await first.fetch('/metrics', { headers })
    expect(status).toBe(200)
    expect(text).not.toContain('shop')
    expect(reader({ text } as Answer)('services', { status: 'connected' })).toBe(0)
  })
})

describe('counters', () => {
  it('go on where they were after the process was killed', async () => {
    const labels = { service: 'shop', status: 'success' }
    await stack.quiet()
    const before = (await scrape())('calls_total', labels) ?? Number.NaN
    await stack.kill(first)
    const again = await stack.gateway({}, { dataDirectory: directory })
    expect((await scrape(again))('calls_total', labels)).toBe(before)
    await call(again, 'shop')
    await eventually(5_000, async () => expect((await scrape(again))('calls_total', labels)).toBe(before + 1))
  })

  it('F43 are missing while guards are lost, which fails no scrape', async () => {
    const lost = await mkdtemp(join(tmpdir(), 'metrics-'))
    const gateway = await stack.gateway({}, { dataDirectory: lost })
    await rm(lost, { recursive: true })
    const { status, text } = await gateway.manage('GET', '/metrics')
    expect(status).toBe(200)
    const read = reader({ text } as Answer)
    expect(read('guard_up', { service: 'shop' })).toBe(0)
    expect(read('service_connected', { service: 'shop' })).toBe(1)
    expect(read('calls_total')).toBeUndefined()
  })
})
