/** What the guard costs and what it lets through under steady traffic, and when all come at once. */
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { RateLimit } from '../../../src/guard/bucket.ts'
import { LIMITS } from './request.ts'
import { FAILED, OK, subjectOf, World } from './world.ts'

afterEach(() => {
  vi.unstubAllGlobals()
})

const SECONDS = 5
const PER_SECOND = 20
/** Pauses between calls, in shares of their mean. */
const pauses = fc
  .array(fc.integer({ min: 1, max: 20 }), { minLength: 150, maxLength: 200 })
  .map((list) => list.map((each) => (each * list.length) / list.reduce((sum, other) => sum + other)))
const runs = { numRuns: 5 }

/** Calls to every isolate, so many a second, each isolate at a place of its own in the pauses. */
async function traffic(
  isolates: number,
  perSecond: number,
  rate: RateLimit | undefined,
  list: readonly number[],
) {
  const world = new World(isolates)
  const service = subjectOf({ limits: { ...LIMITS, rate } })
  for (let isolate = 0; isolate < isolates; isolate++) {
    for (let at = 0, next = isolate * 7; at < SECONDS * 1_000; next++) {
      at += ((list[next % list.length] ?? 1) * 1_000) / perSecond
      world.timeline.after(at, () => void world.call({ service, isolate, durationMs: 100 }))
    }
  }
  await world.timeline.run(SECONDS * 1_000)
  vi.unstubAllGlobals()
  const [went, all] = [world.entries.length, world.entries.length + world.denials.length]
  return { world, went, all, asksPerCall: world.asks.length / all }
}

describe('traffic', () => {
  it.each([
    ['1 isolate', 1, undefined],
    ['8 isolates', 8, undefined],
    ['1 isolate with a rate limit', 1, { requestsPerMinute: 2_400, burstLimit: 80 }],
    ['8 isolates with a rate limit', 8, { requestsPerMinute: 19_200, burstLimit: 640 }],
  ])(
    'L8 of 20 calls a second in each of %s asks for a quarter of them at most',
    async (_, isolates, rate) => {
      await fc.assert(
        fc.asyncProperty(pauses, async (list) => {
          const { all, went, asksPerCall } = await traffic(isolates, PER_SECOND, rate, list)
          expect(went).toBe(all)
          expect(asksPerCall).toBeLessThanOrEqual(0.25)
        }),
        runs,
      )
    },
  )

  it.each([1, 8])(
    'L9 of four times the rate in %i isolates gets what is due, and no more',
    async (isolates) => {
      const rate: RateLimit = { requestsPerMinute: 2_400, burstLimit: 20 }
      const due = (rate.requestsPerMinute / 60) * SECONDS
      await fc.assert(
        fc.asyncProperty(pauses, async (list) => {
          const { went, asksPerCall } = await traffic(isolates, 160 / isolates, rate, list)
          expect(went).toBeGreaterThanOrEqual(0.98 * due)
          expect(went).toBeLessThanOrEqual(due + rate.burstLimit)
          expect(asksPerCall).toBeLessThanOrEqual(0.6)
        }),
        runs,
      )
    },
  )

  it('L8 a flood beyond the rate does not become a flood of questions', async () => {
    const rate: RateLimit = { requestsPerMinute: 600, burstLimit: 10 }
    const { world, went } = await traffic(1, 1_000, rate, [1])
    expect(went).toBeLessThanOrEqual(110)
    expect(world.asks.length).toBeLessThanOrEqual(3 * went + (SECONDS * 1_000) / 600)
  })

  it('of 400 calls at once in 8 isolates lets exactly the burst through, and what refills', async () => {
    const rate: RateLimit = { requestsPerMinute: 60, burstLimit: 100 }
    const world = new World(8)
    const service = subjectOf({ limits: { ...LIMITS, rate } })
    for (let at = 0; at < 400; at++) void world.call({ service, isolate: at % 8 })
    await world.timeline.run(500)
    expect(world.entries).toHaveLength(100)
    expect(world.denials).toHaveLength(300)
    expect(world.asks.length).toBeLessThanOrEqual(400)
    await world.timeline.run(8_000)
    for (let at = 0; at < 400; at++) void world.call({ service, isolate: at % 8 })
    await world.timeline.run(500)
    expect(world.entries).toHaveLength(108)
  })

  it('of many calls at once in one isolate all go, where there is room for all, for a few questions', async () => {
    for (const rate of [undefined, { requestsPerMinute: 60, burstLimit: 200 }]) {
      const world = new World(1)
      const service = subjectOf({ limits: { ...LIMITS, rate } })
      for (let at = 0; at < 200; at++) void world.call({ service })
      await world.timeline.run(500)
      expect(world.entries).toHaveLength(200)
      expect(world.asks.length).toBeLessThanOrEqual(12)
      await world.timeline.run(5_000)
      void world.call({ service })
      await world.timeline.run(100)
      expect(world.asks.at(-1)?.want).toBeLessThanOrEqual(4)
      vi.unstubAllGlobals()
    }
  })

  it('F25 of 8 isolates sends one probe at a time to a service that was down', async () => {
    const world = new World(8)
    const limits = { ...LIMITS, halfOpenMaxCalls: 3 }
    const service = subjectOf({ limits })
    for (let at = 0; at < 5; at++) void world.call({ service, outcome: FAILED })
    await world.timeline.run(1_500)
    expect(world.keeperOf().gate.breaker.is).toBe('open')
    const wentBefore = world.entries.length
    world.mostInFlight = 0
    for (let round = 0; round < 500 && world.keeperOf().gate.breaker.is !== 'closed'; round++) {
      for (let isolate = 0; isolate < 8; isolate++)
        void world.call({ service, isolate, outcome: OK, durationMs: 700 })
      await world.timeline.run(50)
    }
    expect(world.mostInFlight).toBe(1)
    expect(world.entries.length - wentBefore).toBe(3)
  })
})
