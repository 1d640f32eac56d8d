import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Limits } from '../../../src/guard/admission.ts'
import type { Outcome } from '../../../src/guard/ledger.ts'
import { LIMITS } from './request.ts'
import { callIn, fail, FAILED, NEUTRAL, quick, subjectOf, World } from './world.ts'

const limited = (requestsPerMinute: number, burstLimit: number): Limits => ({
  ...LIMITS,
  rate: { requestsPerMinute, burstLimit },
})
const unreached: Outcome = { is: 'failed', wasUnreached: true, retryAfterMs: 0 }

const breakerIn = (world: World, id = 'service') => world.keeperOf(id).gate.breaker

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('leave for calls', () => {
  it('costs a warm call nothing: it is given at once, and asks nobody', async () => {
    const world = new World()
    await callIn(world, {}, 50)
    const before = world.asks.length
    const answer = world.guards[0]?.admit(subjectOf(), {}, () => undefined)
    expect(answer).toHaveProperty('url', 'https://one.example/mcp')
    expect(world.asks).toHaveLength(before)
  })

  it('renews a lease before it ends, so that calls go on at once', async () => {
    const world = new World()
    await callIn(world, {}, 50)
    for (let at = 0; at < 100; at++) {
      // None ends meanwhile, so nothing is told that would renew it by the way.
      await callIn(world, { durationMs: 60_000 }, 50)
    }
    expect(world.waitsMs.slice(1).every((waitMs) => waitMs === 0)).toBe(true)
    expect(world.asks.length).toBeLessThan(25)
  })

  it('renews a lease the sooner the further away the guard is', async () => {
    const world = new World()
    world.passage = () => ({ thereMs: 100, backMs: 100 })
    for (let at = 0; at < 100; at++) await callIn(world, { durationMs: 60_000 }, 50)
    expect(world.waitsMs.filter((waitMs) => waitMs > 0)).toHaveLength(1)
  })

  it('is refused to none of many calls at once, in several isolates, while there are tokens', async () => {
    const world = new World(8)
    world.passage = () => ({ thereMs: 20, backMs: 20 })
    const service = subjectOf({ limits: limited(100, 100) })
    for (let at = 0; at < 400; at++) void world.call({ service, isolate: at % 8 })
    await world.timeline.run(1_000)
    expect(world.entries).toHaveLength(100)
    expect(world.denials).toHaveLength(300)
  })

  it('is asked for and told of in one breath, so that steady calls cost one question in six', async () => {
    const world = new World()
    const service = subjectOf({ limits: limited(2_400, 80) })
    for (let at = 0; at < 200; at++) await callIn(world, { service, durationMs: 20 }, 50)
    expect(world.asks.length).toBeLessThanOrEqual(200 / 6)
  })

  it('is refused without asking while a "no" holds', async () => {
    const world = new World()
    const service = subjectOf({ limits: limited(6, 1) })
    await callIn(world, { service })
    expect(await callIn(world, { service })).toMatchObject({ why: 'rate' })
    const asked = world.asks.filter(({ want }) => want > 0).length
    for (let at = 0; at < 10; at++) await callIn(world, { service }, 100)
    expect(world.asks.filter(({ want }) => want > 0)).toHaveLength(asked)
    expect(world.entries).toHaveLength(1)
  })

  it('goes by the limits of now as soon as they change', async () => {
    const world = new World()
    await callIn(world, { service: subjectOf({ limits: limited(6, 1) }) })
    expect(await callIn(world, { service: subjectOf({ limits: limited(6, 1) }) })).toHaveProperty('why')
    expect(await callIn(world, { service: subjectOf() })).toHaveProperty('url')
  })

  it('F24 nothing goes while the circuit is open, and nobody is asked', async () => {
    const world = new World()
    await fail(world, 5)
    expect(await callIn(world, {}, 50)).toMatchObject({ why: 'open' })
    const [asked, went] = [world.asks.length, world.entries.length]
    for (let at = 0; at < 20; at++) expect(await callIn(world, {}, 1)).toMatchObject({ why: 'open' })
    expect(world.asks).toHaveLength(asked)
    expect(world.entries).toHaveLength(went)
  })

  it('F24 a failure is told before the next call asks', async () => {
    const world = new World()
    await fail(world, 4)
    void world.call({ outcome: FAILED, durationMs: 0 })
    await world.timeline.run(11)
    expect(await callIn(world)).toMatchObject({ why: 'open' })
    expect(world.entries).toHaveLength(5)
  })

  it('F24 a failure is told before the next call asks, though its report is slow', async () => {
    const world = new World()
    await fail(world, 4)
    // After the question for leave.
    const reported = world.asks.length + 2
    world.passage = () => (world.asks.length === reported ? { thereMs: 100, backMs: 5 } : quick)
    await callIn(world, { outcome: FAILED, durationMs: 0 }, 11)
    expect(world.entries).toHaveLength(5)
    expect(await callIn(world)).toMatchObject({ why: 'open' })
  })

  it('F24 a renewal under way when the circuit opens lets nothing through', async () => {
    const world = new World()
    await fail(world, 4)
    void world.call({ outcome: FAILED, durationMs: 900 })
    await world.timeline.run(850)
    // The question arrives before the failure does, its answer after that.
    world.passage = () => ({ thereMs: 10, backMs: 200 })
    await callIn(world, { durationMs: 5_000 }, 0)
    const went = world.entries.length
    await world.timeline.run(250)
    expect(breakerIn(world).is).toBe('open')
    expect(await callIn(world)).toMatchObject({ why: 'open' })
    expect(world.entries).toHaveLength(went)
  })

  it('F25 the success of the one probe closes the circuit', async () => {
    const world = new World(2)
    await fail(world, 5)
    await world.timeline.run(5_000)
    const [first, second] = await Promise.all([
      callIn(world, { durationMs: 100 }),
      world.call({ isolate: 1 }),
    ])
    expect(first).toHaveProperty('url')
    expect(second).toMatchObject({ why: 'open' })
    expect(breakerIn(world)).toMatchObject({ is: 'closed', generation: 4 })
    expect(await callIn(world, { isolate: 1 })).toHaveProperty('url')
  })

  it('F26 a probe that never ends gives way to another', async () => {
    const world = new World()
    await fail(world, 5)
    await world.timeline.run(5_000)
    await callIn(world, { durationMs: 1e9 })
    expect(await callIn(world)).toMatchObject({ why: 'open' })
    await world.timeline.run(LIMITS.probeMs)
    expect(await callIn(world)).toHaveProperty('url')
    expect(breakerIn(world).is).toBe('closed')
  })

  it('F27 a failure from before the circuit opened does not count against the probe', async () => {
    const world = new World()
    void world.call({ outcome: FAILED, durationMs: 6_000 })
    await fail(world, 5)
    await world.timeline.run(5_000)
    await callIn(world, { durationMs: 1_000 }, 2_000)
    expect(world.keeperOf().gate.view(LIMITS, world.timeline.now).counts.failed).toBe(6)
    expect(breakerIn(world).is).toBe('closed')
  })

  it('S55 is given for repeats of a fifth of the calls, which are counted, and are no calls that allow more', async () => {
    const world = new World()
    const [guard] = world.guards
    for (let at = 0; at < 100; at++) await callIn(world, { wish: { isRetry: at >= 50 }, durationMs: 0 }, 10)
    let repeats = 0
    for (let at = 0; at < 50; at++) if (guard?.mayRetry(subjectOf())) repeats++
    expect(repeats).toBe(10)
    await callIn(world, {}, 2_000)
    expect(world.keeperOf().gate.view(LIMITS, world.timeline.now).counts.retried).toBe(10)
  })

  it('S53 a service that fails does not close the way to another', async () => {
    const world = new World()
    const other = subjectOf({ id: 'other' })
    await callIn(world, { service: other })
    const before = world.keeperOf('other').saved
    await fail(world, 20)
    expect(breakerIn(world).is).toBe('open')
    expect(await callIn(world, { service: other })).toHaveProperty('url')
    expect(world.keeperOf('other').saved.breaker).toEqual(before.breaker)
  })
})

describe('a permit', () => {
  it('ends once, whatever is said of it later', async () => {
    const world = new World()
    const permit = await callIn(world, { durationMs: 0 })
    if ('why' in permit) throw new Error('it was refused')
    permit.settle(FAILED, () => undefined)
    await world.timeline.run(2_000)
    const { ok, failed } = world.keeperOf().gate.view(LIMITS, world.timeline.now).counts
    expect({ ok, failed }).toEqual({ ok: 1, failed: 0 })
  })

  it('goes to the instances in turn, and not to one that was not reached', async () => {
    const world = new World()
    const urls = ['u', 'v', 'w']
    const service = subjectOf({
      limits: { ...LIMITS, failureThreshold: 100, instances: urls },
      instances: [
        { url: 'u', weight: 1 },
        { url: 'v', weight: 1 },
        { url: 'w', weight: 1 },
      ],
    })
    const urlOf = async (call = {}): Promise<string> => {
      const permit = await callIn(world, { service, ...call }, 100)
      return 'url' in permit ? permit.url : permit.why
    }
    expect([await urlOf(), await urlOf(), await urlOf()]).toEqual(urls)
    expect(await urlOf({ wish: { prefers: 'w' } })).toBe('w')
    const lost = await urlOf({ outcome: unreached })
    const next = [await urlOf(), await urlOf(), await urlOf(), await urlOf()]
    expect(next).not.toContain(lost)
    expect(new Set(next).size).toBe(2)
  })

  it('tells good news in batches within a second, failures and pauses at once', async () => {
    const world = new World()
    await callIn(world, { durationMs: 0 }, 10)
    for (let at = 0; at < 30; at++) await callIn(world, { durationMs: 0 }, 10)
    expect(world.asks).toHaveLength(1)
    await world.timeline.run(900)
    expect(world.keeperOf().gate.view(LIMITS, world.timeline.now).counts.ok).toBe(31)
    const before = world.asks.length
    await callIn(world, { durationMs: 0, outcome: NEUTRAL }, 10)
    expect(world.asks).toHaveLength(before)
    await callIn(world, { durationMs: 0, outcome: { is: 'neutral', pauseMs: 7_000 } }, 20)
    expect(await callIn(world)).toMatchObject({ why: 'throttled' })
    expect(world.keeperOf().gate.view(LIMITS, world.timeline.now).counts.neutral).toBe(2)
  })
})
