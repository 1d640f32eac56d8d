/** A service with several instances: who gets which call, and what happens when one of them goes away. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ROWS } from '../support/dial.ts'
import { eventually, type Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const IDEMPOTENT = {
  name: 'again',
  inputSchema: { type: 'object' },
  annotations: { idempotentHint: true },
} as const

let stack: Stack
let gateway: Gateway
let all: readonly Upstream[]
const at = (index: number): Upstream => all[index] ?? expect.fail()

beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway({ HEALTH_INTERVAL_MS: '300' })
})
afterAll(() => stack.close())
beforeEach(async () => {
  const options = { era: 'legacy', resources: [{ uri: 'test://one', name: 'one' }] } as const
  all = await Promise.all([1, 2, 3].map(() => startUpstream(options)))
})
afterEach(() => Promise.all(all.map((upstream) => upstream.stop())))

const register = (rest: object, weights = [1, 1, 1]) =>
  gateway.registerAnew('many', at(0).url, {
    instances: all.map(({ url }, index) => ({ url, weight: weights[index] })),
    ...rest,
  })
const PATH = { path: '/mcp/many' }
const call = (name = 'echo') => gateway.rpc('tools/call', { name, arguments: { text: 'x' } }, PATH)
const counts = (): number[] => all.map((upstream) => upstream.calls('tools/call').length)
const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)
const health = async () => (await gateway.manage('GET', '/api/v1/servers/many/health')).body

async function callTimes(times: number): Promise<void> {
  for (let turn = 0; turn < times; turn++) expect((await call()).body.error).toBeUndefined()
}

describe('the strategy', () => {
  it('round_robin, which is the default, gives each its turn', async () => {
    await register({})
    await callTimes(9)
    expect(counts()).toEqual([3, 3, 3])
  })
  it('weighted gives each its share', async () => {
    await register({ loadBalancer: 'weighted' }, [1, 2, 3])
    await callTimes(12)
    expect(counts()).toEqual([2, 4, 6])
  })
  it('least_connections leaves out those that are busy', async () => {
    await register({ loadBalancer: 'least_connections' })
    const end = at(0).dial.set({ is: 'delay', ms: 2_000, for: 'tools/call' })
    const slow: Promise<unknown>[] = []
    await eventually(2_000, async () => {
      slow.push(call())
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(at(0).calls('tools/call')).toHaveLength(1)
    })
    await eventually(2_000, () => expect(sum(counts())).toBe(slow.length))
    const before = counts()
    await callTimes(8)
    expect(counts().map((count, index) => count - (before[index] ?? 0))).toEqual([0, 4, 4])
    end()
    await Promise.all(slow)
  })
  it('health_based prefers the one whose calls go well', async () => {
    await register({ loadBalancer: 'health_based' })
    at(1).dial.set({ ...ROWS.F07, for: 'tools/call', times: 1 })
    at(2).dial.set({ ...ROWS.F07, for: 'tools/call', times: 1 })
    const codes: unknown[] = []
    for (let turn = 0; turn < 6; turn++) codes.push((await call()).body.error?.code)
    expect(codes.filter((code) => code === -31502)).toHaveLength(2)
    const before = counts()
    await callTimes(6)
    expect(counts().map((count, index) => count - (before[index] ?? 0))).toEqual([6, 0, 0])
  })
  it('random reaches all of them', async () => {
    await register({ loadBalancer: 'random' })
    await callTimes(60)
    for (const count of counts()) expect(count).toBeGreaterThan(5)
  })
})

describe('an instance that goes away', () => {
  it('costs at most the call that found out, and is left out from then on', async () => {
    await register({})
    await callTimes(3)
    await at(1).stop()
    const codes: unknown[] = []
    for (let turn = 0; turn < 12; turn++) codes.push((await call()).body.error?.code)
    expect(codes.filter((code) => code !== undefined).length).toBeLessThanOrEqual(1)
    expect((await gateway.manage('GET', '/api/v1/servers/many/metrics')).body.breaker.state).toBe('closed')
  })
  it('costs no read: another instance is asked instead', async () => {
    await register({})
    await at(1).stop()
    for (let turn = 0; turn < 6; turn++) {
      const { body } = await gateway.rpc('resources/read', { uri: 'test://one' }, PATH)
      expect(body.error).toBeUndefined()
    }
  })
  it('is found out without any call, and let in again when it is back', async () => {
    await register({})
    await callTimes(1)
    await at(2).stop()
    await eventually(5_000, async () =>
      expect(await health()).toMatchObject({ totalInstances: 3, healthyInstances: 2, status: 'degraded' }),
    )
    // A lease may still hold that was given before.
    await eventually(2_000, () => callTimes(6))
    await at(2).start()
    await eventually(5_000, async () =>
      expect(await health()).toMatchObject({ healthyInstances: 3, status: 'healthy' }),
    )
  })
})

describe('an instance that fails', () => {
  const trusting = async (rest: object): Promise<void> => {
    for (const { offer } of all) offer.tools.push(JSON.stringify(IDEMPOTENT))
    await register(rest)
  }
  it('S41 is not asked again for a tool that may have effects', async () => {
    await trusting({ trusted: true })
    for (const { dial } of all) dial.set({ ...ROWS.F07, for: 'tools/call' })
    expect((await call()).body.error.code).toBe(-31502)
    expect(sum(counts())).toBe(1)
  })
  it('S41 nor for one that calls itself idempotent, where nobody trusts the service', async () => {
    await trusting({})
    for (const { dial } of all) dial.set({ ...ROWS.F07, for: 'tools/call' })
    expect((await call('again')).body.error.code).toBe(-31502)
    expect(sum(counts())).toBe(1)
  })
  it('is replaced by another for an idempotent tool of a trusted service', async () => {
    await trusting({ trusted: true })
    for (const { dial } of all) dial.set({ ...ROWS.F07, for: 'tools/call', times: 1 })
    const { body } = await call('again')
    expect(body.error?.code).toBe(-31502)
    expect(counts()).toEqual([1, 1, 1])
  })
})

describe('a session with a legacy upstream', () => {
  it('stays with its instance, and moves when that is gone', async () => {
    await Promise.all(all.map((upstream) => upstream.stop()))
    all = await Promise.all([1, 2, 3].map(() => startUpstream({ era: 'legacy', stateful: true })))
    await register({})
    await callTimes(6)
    const home = counts().findIndex((count) => count > 0)
    expect(counts()[home]).toBe(6)
    await at(home).stop()
    const codes: unknown[] = []
    for (let turn = 0; turn < 6; turn++) codes.push((await call()).body.error?.code)
    expect(codes.filter((code) => code !== undefined).length).toBeLessThanOrEqual(1)
    expect(counts().filter((count) => count > 0)).toHaveLength(2)
  })
})
