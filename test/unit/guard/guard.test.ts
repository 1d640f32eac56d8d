import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Limits } from '../../../src/guard/admission.ts'
import type { Denial } from '../../../src/guard/desk.ts'
import type { Permit } from '../../../src/guard/guard.ts'
import type { Outcome } from '../../../src/guard/ledger.ts'
import { LIMITS } from './request.ts'
import { FAILED, NEUTRAL, type Passage, quick, subjectOf, World } from './world.ts'

const limited = (requestsPerMinute: number, burstLimit: number): Limits => ({
  ...LIMITS,
  rate: { requestsPerMinute, burstLimit },
})
const unreached: Outcome = { is: 'failed', wasUnreached: true, retryAfterMs: 0 }
const late: Passage = { thereMs: 1_000, backMs: 1_000 }
const deaf: Passage = { thereMs: 30_000, backMs: 0, loses: 'question' }

/** A call, and so much time; more where it is not decided yet. */
async function callIn(world: World, call = {}, forMs = 600): Promise<Permit | Denial> {
  const answers: (Permit | Denial)[] = []
  void world.call(call).then((answer) => answers.push(answer))
  await world.timeline.run(forMs)
  for (;;) {
    const [answer] = answers
    if (answer) return answer
    await world.timeline.run(1)
  }
}

async function fail(world: World, times: number, call = {}): Promise<void> {
  for (let at = 0; at < times; at++) await callIn(world, { outcome: FAILED, ...call }, 50)
}

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
      let isThere = false
      void world.call().then(() => (isThere = true))
      await world.timeline.run(0)
      expect(isThere).toBe(true)
      await world.timeline.run(50)
    }
    expect(world.entries).toHaveLength(101)
    expect(world.asks.length).toBeLessThan(25)
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

describe('leave for calls while the guard is away', () => {
  it.each([
    ['F43 fails', { ...quick, loses: 'question' }],
    ['F45 answers too late', late],
    ['F47 never answers', deaf],
  ] as const)('%s: a tenth of the rate, five at once', async (_, passage) => {
    const world = new World()
    world.passage = () => passage
    const service = subjectOf({ limits: limited(600, 100) })
    for (let at = 0; at < 100; at++) await callIn(world, { service }, 100)
    await world.timeline.run(1_000)
    expect(world.entries.length).toBeLessThanOrEqual(5 + 11)
    expect(world.entries.length).toBeGreaterThanOrEqual(5 + 8)
    expect(world.denials.every(({ why }) => why === 'rate')).toBe(true)
  })

  it('F45 no call waits longer than 250 ms, and within the next second none waits at all', async () => {
    const world = new World()
    world.passage = () => deaf
    const startedAt = world.timeline.now
    let endedAt = 0
    void world.call().then(() => (endedAt = world.timeline.now))
    await world.timeline.run(300)
    expect(endedAt - startedAt).toBe(250)
    expect(await callIn(world, {}, 0)).toHaveProperty('url')
  })

  it('F45 no call waits longer for a report of failures that hangs', async () => {
    const world = new World()
    await callIn(world, { outcome: FAILED, durationMs: 200 }, 100)
    world.passage = () => deaf
    await world.timeline.run(150)
    for (let at = 0; at < 4; at++) await callIn(world, {}, 0)
    const [, first, ...others] = world.waitsMs
    expect(first).toBeLessThanOrEqual(250)
    expect(others).toEqual([0, 0, 0])
  })

  it('F47 a report that was lost with its request is waited for only once', async () => {
    const world = new World()
    await callIn(world, { outcome: FAILED, durationMs: 200 }, 100)
    world.passage = () => ({ thereMs: 1e12, backMs: 0 })
    await world.timeline.run(150)
    world.passage = () => quick
    await callIn(world, {}, 2_000)
    await callIn(world)
    const [, first, second] = world.waitsMs
    expect(first).toBeLessThanOrEqual(250)
    expect(second).toBe(10)
  })

  it('F45 what it grants too late is never spent', async () => {
    const world = new World()
    const service = subjectOf({ limits: limited(600, 100) })
    world.passage = () => late
    await callIn(world, { service }, 3_000)
    world.passage = () => deaf
    for (let at = 0; at < 50; at++) await callIn(world, { service }, 10)
    expect(world.entries.length).toBeLessThanOrEqual(6)
  })

  it('is not a full bucket again whenever the guard is lost anew', async () => {
    const world = new World()
    const service = subjectOf({ limits: limited(60, 100) })
    for (let loss = 0; loss < 10; loss++) {
      world.passage = () => ({ ...quick, loses: 'question' })
      for (let at = 0; at < 20; at++) await callIn(world, { service }, 10)
      world.passage = () => quick
      await callIn(world, { service }, 2_000)
    }
    expect(world.entries.length).toBeLessThanOrEqual(10 + 5 + 3)
  })

  it('is refused as last known while the circuit is open', async () => {
    const world = new World()
    await fail(world, 5)
    await callIn(world, {}, 50)
    world.passage = () => deaf
    expect(await callIn(world, {}, 0)).toMatchObject({ why: 'open' })
  })

  it('depends on a breaker of this isolate', async () => {
    const world = new World()
    world.passage = () => deaf
    await fail(world, 5, { durationMs: 0 })
    await callIn(world)
    await fail(world, 5, { durationMs: 0 })
    const went = world.entries.length
    expect(await callIn(world, {}, 0)).toMatchObject({ why: 'open' })
    await world.timeline.run(5_000)
    expect(await callIn(world)).toHaveProperty('url')
    expect(went).toBeLessThan(10)
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
    await world.timeline.run(600)
    expect(world.keeperOf().gate.view(LIMITS, world.timeline.now).counts.ok).toBe(31)
    const before = world.asks.length
    await callIn(world, { durationMs: 0, outcome: NEUTRAL }, 10)
    expect(world.asks).toHaveLength(before)
    await callIn(world, { durationMs: 0, outcome: { is: 'neutral', pauseMs: 7_000 } }, 20)
    expect(await callIn(world)).toMatchObject({ why: 'throttled' })
    expect(world.keeperOf().gate.view(LIMITS, world.timeline.now).counts.neutral).toBe(2)
  })
})

describe('usage records', () => {
  it('are told within a second', async () => {
    const world = new World()
    for (let at = 0; at < 20; at++) {
      world.record(`${at}`)
      await world.timeline.run(100)
    }
    await world.timeline.run(600)
    expect(world.keeperOf().records).toEqual(Array.from({ length: 20 }, (_, at) => `${at}`))
  })

  it('are kept, and told again, where the guard could not be reached', async () => {
    const world = new World()
    world.passage = () => ({ ...quick, loses: 'answer' })
    world.record('one')
    await world.timeline.run(2_000)
    world.passage = () => quick
    world.record('two')
    await world.timeline.run(2_000)
    expect(new Set(world.keeperOf().records)).toEqual(new Set(['one', 'two']))
  })

  it('are dropped and counted where there are too many (F59)', async () => {
    const world = new World()
    world.passage = () => ({ ...quick, loses: 'question' })
    for (let at = 0; at < 1_500; at++) world.record(`${at}`)
    await world.timeline.run(2_000)
    world.passage = () => quick
    await callIn(world, {}, 2_000)
    expect(world.keeperOf().records).toEqual(Array.from({ length: 1_000 }, (_, at) => `${at}`))
  })
})
