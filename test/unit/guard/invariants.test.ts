/**
 * The ten invariants of the guard, over schedules of calls, outcomes, delays, losses and evictions that nobody chose.
 * A failure names its seed.
 */
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { LEASE_MS, type Limits } from '../../../src/guard/admission.ts'
import type { RateLimit } from '../../../src/guard/bucket.ts'
import type { Outcome } from '../../../src/guard/ledger.ts'
import { mostAhead } from '../../../src/guard/desk.ts'
import { guardPolicy } from '../../../src/guard/teller.ts'
import type { Mark } from './keeper.ts'
import { LIMITS, NOW } from './request.ts'
import { FAILED, NEUTRAL, OK, type Passage, quick, subjectOf, World } from './world.ts'

afterEach(() => {
  vi.unstubAllGlobals()
})

const OUTCOMES = { ok: OK, failed: FAILED, neutral: NEUTRAL } as const satisfies Record<string, Outcome>

const rates: fc.Arbitrary<RateLimit> = fc.record({
  requestsPerMinute: fc.constantFrom(60, 600, 3_000, 12_000),
  burstLimit: fc.constantFrom(1, 5, 20, 100),
})

const moment = fc.record({
  afterMs: fc.oneof({ weight: 6, arbitrary: fc.nat(30) }, fc.nat(400), fc.nat(5_000)),
  isolate: fc.nat(7),
  calls: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 30 })),
  outcome: fc.constantFrom<keyof typeof OUTCOMES>('ok', 'ok', 'ok', 'failed', 'neutral'),
  durationMs: fc.oneof(fc.nat(50), fc.nat(3_000)),
  isEvicted: fc.constantFrom(true, false, false, false, false, false),
})
type Moment = typeof moment extends fc.Arbitrary<infer T> ? T : never

const moments = fc.array(moment, { minLength: 5, maxLength: 80 })
const soon = fc.record({ thereMs: fc.nat(60), backMs: fc.nat(60) })
const anyhow: fc.Arbitrary<Passage> = fc.record({
  thereMs: fc.oneof(fc.nat(60), fc.nat(60), fc.nat(700)),
  backMs: fc.oneof(fc.nat(60), fc.nat(60), fc.nat(700)),
  loses: fc.constantFrom(undefined, undefined, undefined, 'question', 'answer'),
})

type Plan = {
  readonly list: readonly Moment[]
  readonly passages: readonly Passage[]
  readonly limits: Limits
  readonly isolates: number
}

/** What happens when all this is done. */
async function play({ list, passages, limits, isolates }: Plan): Promise<World> {
  const world = new World(isolates)
  let asks = 0
  world.passage = () => passages[asks++ % passages.length] ?? quick
  const service = subjectOf({ limits })
  for (const { afterMs, isolate, calls, outcome, durationMs, isEvicted } of list) {
    await world.timeline.run(afterMs)
    if (isEvicted) world.keeperOf().evict()
    const call = { service, isolate: isolate % isolates, outcome: OUTCOMES[outcome], durationMs }
    for (let at = 0; at < calls; at++) void world.call(call)
  }
  await world.timeline.run(10_000)
  return world
}

/** The most that any span of time let through above what refilled in it and what was out when it began. */
function worstBurst(book: readonly Mark[], requestsPerMinute: number): number {
  let [worst, lowest] = [0, Number.POSITIVE_INFINITY]
  for (const { at, gone, outstanding } of book) {
    const refilled = ((at - NOW) * requestsPerMinute) / 60_000
    lowest = Math.min(lowest, gone - refilled + outstanding)
    worst = Math.max(worst, gone - refilled - lowest)
  }
  return worst
}

const withoutLeases = (book: readonly Mark[]): Mark[] => book.map((line) => ({ ...line, outstanding: 0 }))

const check = async <T>(
  plan: fc.Arbitrary<T>,
  holds: (plan: T) => Promise<void>,
  numRuns = 50,
): Promise<void> =>
  await fc.assert(
    fc.asyncProperty(plan, async (each) => {
      try {
        await holds(each)
      } finally {
        vi.unstubAllGlobals()
      }
    }),
    { numRuns },
  )

const isolates = fc.constantFrom(1, 2, 8)
const inTime = fc.array(soon, { minLength: 1, maxLength: 20 })

describe('the guard, whatever happens', () => {
  it('1: in any span of time lets through no more than burst, refill, and the leases that lived at its start', async () => {
    await check(
      fc.record({ list: moments, passages: inTime, rate: rates, isolates }),
      async ({ rate, ...plan }) => {
        const world = await play({ ...plan, limits: { ...LIMITS, rate } })
        const { book } = world.keeperOf()
        expect(worstBurst(book, rate.requestsPerMinute)).toBeLessThanOrEqual(rate.burstLimit + 0.01)
        expect(Math.min(...book.map(({ outstanding }) => outstanding))).toBeGreaterThanOrEqual(0)
      },
    )
  })

  it('1: and no more than one burst more when the object forgets what it had not written down (F46)', async () => {
    const plan = fc.record({ list: moments, passages: inTime, rate: rates, isolates, forgets: fc.nat(80) })
    await check(plan, async ({ rate, forgets, list, ...plan }) => {
      const world = new World(plan.isolates)
      const service = subjectOf({ limits: { ...LIMITS, rate } })
      let written = world.keeperOf().saved.bucket
      for (const [at, { afterMs, isolate, calls }] of list.entries()) {
        await world.timeline.run(afterMs)
        if (at === forgets % list.length) world.keeperOf().evict(written)
        if (at % 5 === 0) written = world.keeperOf().saved.bucket
        for (let call = 0; call < calls; call++)
          void world.call({ service, isolate: isolate % plan.isolates })
      }
      await world.timeline.run(2_000)
      const worst = worstBurst(world.keeperOf().book, rate.requestsPerMinute)
      expect(worst).toBeLessThanOrEqual(2 * rate.burstLimit + 0.01)
    })
  })

  it('2: lets nothing through while the circuit is open, once the leases from before are over', async () => {
    const failing = fc.array(
      moment.map((each): Moment => ({ ...each, outcome: each.outcome === 'neutral' ? 'ok' : 'failed' })),
      { minLength: 20, maxLength: 80 },
    )
    await check(fc.record({ list: failing, passages: inTime, isolates }), async (plan) => {
      const world = await play({ ...plan, limits: LIMITS })
      const { breakers } = world.keeperOf()
      for (const { at } of world.entries) {
        const last = breakers.findLast((breaker) => breaker.at <= at)
        const since = breakers.find(({ generation }) => generation === last?.generation)
        if (last?.is === 'open' && since) expect(at - since.at).toBeLessThanOrEqual(LEASE_MS + 60)
      }
      expect(world.entries.length + world.denials.length).toBe(calls(plan.list))
    })
  })

  it('6: every permit ends once: each call counts once, and none stays under way', async () => {
    await check(fc.record({ list: moments, passages: inTime, isolates }), async (plan) => {
      const world = await play({ ...plan, limits: LIMITS })
      const { ok, failed, neutral } = world.keeperOf().gate.view(LIMITS, world.timeline.now).counts
      expect(ok + failed + neutral).toBe(world.entries.length)
      expect(world.inFlight).toBe(0)
      const lastOf = new Map(world.asks.map(({ isolate, report }) => [isolate, report]))
      for (const { inFlight } of lastOf.values()) expect(inFlight).toEqual({})
    })
  })

  it('8: what happens to one service changes nothing for another (S53)', async () => {
    const other = fc.record({ id: fc.constant('other'), calls: fc.array(moment, { maxLength: 30 }) })
    await check(
      fc.record({ list: moments, other, rate: rates }),
      async ({ list, other, rate }) => {
        const outcomeOf = async (others: readonly Moment[]): Promise<unknown> => {
          const world = new World(2)
          const limits = { ...LIMITS, rate }
          for (const [service, moments] of [
            [subjectOf({ limits }), list],
            [subjectOf({ limits, id: 'other' }), others],
          ] as const) {
            let at = 0
            for (const { afterMs, isolate, calls, outcome, durationMs } of moments) {
              const call = { service, isolate: isolate % 2, outcome: OUTCOMES[outcome], durationMs }
              world.timeline.after((at += afterMs), () => {
                for (let each = 0; each < calls; each++) void world.call(call)
              })
            }
          }
          await world.timeline.run(20_000)
          vi.unstubAllGlobals()
          const { saved, book } = world.keeperOf()
          return { saved, book }
        }
        expect(await outcomeOf(other.calls)).toEqual(await outcomeOf([]))
      },
      25,
    )
  })

  it('10: without the guard lets through no more than five calls and a tenth of the rate for each isolate', async () => {
    const lost = fc.array(
      fc.record({
        thereMs: fc.constantFrom(0, 20, 300, 2_000, 1e9),
        backMs: fc.constant(300),
        loses: fc.constantFrom('question', 'answer', undefined),
      }),
      { minLength: 1, maxLength: 20 },
    )
    await check(
      fc.record({ list: moments, passages: lost, rate: rates, isolates }),
      async ({ rate, ...plan }) => {
        const world = await play({ ...plan, limits: { ...LIMITS, rate } })
        const worst = worstBurst(
          withoutLeases(world.keeperOf().book),
          rate.requestsPerMinute * 0.1 * plan.isolates,
        )
        expect(worst).toBeLessThanOrEqual(5 * plan.isolates + 0.01)
      },
    )
  })

  it('10: is bounded too while the guard comes and goes, and every call is answered within a second (F47)', async () => {
    const passages = fc.array(anyhow, { minLength: 1, maxLength: 20 })
    await check(fc.record({ list: moments, passages, rate: rates, isolates }), async ({ rate, ...plan }) => {
      const world = await play({ ...plan, limits: { ...LIMITS, rate } })
      const due = rate.requestsPerMinute * (1 + 0.1 * plan.isolates)
      const most = rate.burstLimit + 5 * plan.isolates + leasesOf(plan.list, plan.isolates, rate)
      expect(worstBurst(withoutLeases(world.keeperOf().book), due)).toBeLessThanOrEqual(most + 0.01)
      expect(world.entries.length + world.denials.length).toBe(calls(plan.list))
      expect(Math.max(0, ...world.waitsMs)).toBeLessThanOrEqual(3 * guardPolicy.budgetMs)
    })
  })
})

const calls = (list: readonly Moment[]): number => list.reduce((sum, each) => sum + each.calls, 0)

/** What leases can hold: some tokens ahead in each isolate, and one for each call that waited. */
const leasesOf = (list: readonly Moment[], isolates: number, rate: RateLimit): number =>
  isolates * (mostAhead(rate) + Math.max(...list.map((each) => each.calls)))
