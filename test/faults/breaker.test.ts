/** The circuit breaker of a service, through the whole gateway. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ROWS } from '../support/dial.ts'
import { eventually, type Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const RECOVERY_MS = 1_000
const circuitBreaker = { failureThreshold: 3, recoveryTimeout: RECOVERY_MS, halfOpenMaxCalls: 1 }

let stack: Stack
let gateway: Gateway
let upstream: Upstream
beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  upstream = await startUpstream({ resources: [{ uri: 'test://one', name: 'one' }] })
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})
beforeEach(async () => {
  upstream.dial.clear()
  await gateway.registerAnew('shaky', upstream.url, { circuitBreaker })
})

const call = () =>
  gateway.rpc('tools/call', { name: 'echo', arguments: { text: 'x' } }, { path: '/mcp/shaky' })
const codeOf = async (): Promise<number | undefined> => (await call()).body.error?.code
const sent = (): number => upstream.calls('tools/call').length
const metrics = async () => (await gateway.manage('GET', '/api/v1/servers/shaky/metrics')).body

async function fail(times: number): Promise<void> {
  const end = upstream.dial.set({ ...ROWS.F07, for: 'tools/call' })
  for (let at = 0; at < times; at++) expect(await codeOf()).toBe(-31502)
  end()
}

describe('F24 a service that keeps failing', () => {
  it('is left alone: the caller is told at once, and when to come back', async () => {
    await fail(3)
    const before = sent()
    const { status, body } = await call()
    expect(status).toBe(200)
    expect(body.id).toBe(1)
    expect(body.error.code).toBe(-31523)
    expect(body.error.message).toMatch(
      /^Service 'shaky' is unavailable: circuit open, retry in \d+ s: Upstream unavailable$/,
    )
    expect(body.error.data).toEqual({ upstream: 'shaky', retryAfterMs: expect.any(Number) })
    expect(body.error.data.retryAfterMs).toBeLessThanOrEqual(RECOVERY_MS)
    for (let at = 0; at < 20; at++) expect(await codeOf()).toBe(-31523)
    expect(sent()).toBe(before)
    expect((await metrics()).breaker).toMatchObject({ state: 'open', trips: 1 })
  })
  it('is said to be open in less than 5 ms', async () => {
    await fail(3)
    await call()
    const spans: number[] = []
    for (let at = 0; at < 21; at++) {
      const start = performance.now()
      expect(await codeOf()).toBe(-31523)
      spans.push(performance.now() - start)
    }
    // The others waited for this machine.
    expect(Math.min(...spans)).toBeLessThan(5)
  })
  it('still offers its tools', async () => {
    await fail(3)
    expect(await gateway.toolNames('/mcp/shaky')).toContain('echo')
  })
})

describe('F25 recovery', () => {
  it('begins with one call that goes well', async () => {
    await fail(3)
    expect(await codeOf()).toBe(-31523)
    await eventually(3_000, async () => expect(await codeOf()).toBeUndefined())
    expect((await metrics()).breaker).toMatchObject({ state: 'closed', trips: 0 })
  })
  it('ends with one call that fails, and takes longer the next time', async () => {
    await fail(3)
    const end = upstream.dial.set({ ...ROWS.F07, for: 'tools/call' })
    const before = sent()
    await eventually(3_000, async () => expect(await codeOf()).toBe(-31502))
    expect(sent()).toBe(before + 1)
    const { breaker } = await metrics()
    expect(breaker).toMatchObject({ state: 'open', trips: 2 })
    expect(breaker.retryAfterMs).toBeGreaterThan(RECOVERY_MS)
    end()
  })
  it('sends one probe at a time, however many call', async () => {
    await fail(3)
    const end = upstream.dial.set({ is: 'delay', ms: 300, for: 'tools/call' })
    const before = sent()
    await eventually(3_000, async () => {
      const codes = await Promise.all(Array.from({ length: 20 }, codeOf))
      expect(codes.filter((code) => code === undefined)).toHaveLength(1)
      expect(codes.filter((code) => code === -31523)).toHaveLength(19)
    })
    expect(sent()).toBe(before + 1)
    end()
  })
})

describe('an operator who has seen the service work', () => {
  it('need not wait until its circuit closes by itself', async () => {
    const slow = { ...circuitBreaker, recoveryTimeout: 3_600_000 }
    await gateway.registerAnew('shaky', upstream.url, { circuitBreaker: slow })
    await fail(3)
    expect(await codeOf()).toBe(-31523)
    expect((await gateway.manage('POST', '/api/v1/servers/shaky/refresh')).status).toBe(200)
    await eventually(8_000, async () => expect(await codeOf()).toBeUndefined())
  })
})

describe('what says nothing about the service', () => {
  it.each([
    ['F11', ROWS.F11, -31511],
    ['F18', ROWS.F18, -31513],
    ['F19', ROWS.F19, -31513],
  ])('%s leaves the circuit closed', async (_, fault, code) => {
    upstream.dial.set({ ...fault, for: 'tools/call' })
    for (let at = 0; at < 5; at++) {
      const { text } = await call()
      expect(text).toContain(`"code":${code}`)
    }
    await eventually(2_000, async () => expect((await metrics()).counts.neutral).toBeGreaterThanOrEqual(5))
    expect((await metrics()).breaker.state).toBe('closed')
  })
  it('an error that the upstream answers with is an answer', async () => {
    for (let at = 0; at < 5; at++) {
      const { body } = await gateway.rpc('resources/read', { uri: 'test://none' }, { path: '/mcp/shaky' })
      expect(body.error).toBeDefined()
    }
    expect((await metrics()).breaker.state).toBe('closed')
  })
})

describe('F30 slow calls', () => {
  const callAll = async (rest: object): Promise<string> => {
    await gateway.registerAnew('shaky', upstream.url, { circuitBreaker: { ...circuitBreaker, ...rest } })
    const end = upstream.dial.set({ is: 'delay', ms: 120, for: 'tools/call' })
    for (let at = 0; at < 20; at++) await call()
    end()
    await eventually(3_000, async () => expect((await metrics()).counts.ok).toBeGreaterThanOrEqual(10))
    return (await metrics()).breaker.state
  }
  it('open the circuit where it was set from when on a call is slow', async () => {
    expect(await callAll({ slowCallMs: 50, recoveryTimeout: 60_000 })).toBe('open')
  })
  it('leave it closed otherwise', async () => {
    expect(await callAll({})).toBe('closed')
    expect(await callAll({ slowCallMs: 5_000 })).toBe('closed')
  })
})

describe('F09 an upstream that wants to be left alone', () => {
  it('is, for as long as it said, and its circuit stays closed', async () => {
    upstream.dial.set({ ...ROWS.F09, for: 'tools/call', times: 1 })
    expect(await codeOf()).toBe(-31530)
    const before = sent()
    const { body } = await call()
    expect(body.error.code).toBe(-31530)
    expect(body.error.data.retryAfterMs).toBeGreaterThan(6_000)
    expect(body.error.data.retryAfterMs).toBeLessThanOrEqual(7_000)
    expect(sent()).toBe(before)
    expect(await metrics()).toMatchObject({ breaker: { state: 'closed' }, counts: { failed: 0 } })
  })
})

it('F08 a circuit stays open for as long as the upstream asked', async () => {
  upstream.dial.set({ ...ROWS.F08, for: 'tools/call' })
  for (let at = 0; at < 3; at++) expect(await codeOf()).toBe(-31502)
  const { body } = await call()
  expect(body.error.data.retryAfterMs).toBeGreaterThan(6_000)
})
