import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Breaker,
  type BreakerPolicy,
  CLOSED,
  hear,
  lasting,
  leaveOf,
  sendProbe,
  type Tally,
} from '../../../src/guard/breaker.ts'
import { LIMITS, NOW, tally } from './request.ts'

const told = (breaker: Breaker, counts: Partial<Tally>, now = NOW, policy: BreakerPolicy = LIMITS): Breaker =>
  hear(breaker, tally({ generation: breaker.generation, ...counts }), policy, now, 0.5)

/** Opened at NOW, `trips` more times since it was last closed. */
function openAfter(trips: number, random = 0.5, counts: Partial<Tally> = {}) {
  let breaker = told(CLOSED, { failed: 5, ...counts })
  let now = NOW
  for (let trip = 0; trip < trips; trip++) {
    now = untilOf(breaker)
    const probing = sendProbe(breaker, LIMITS, now)
    breaker = hear(probing, tally({ generation: probing.generation, failed: 1 }), LIMITS, now, random)
  }
  return { breaker, openMs: untilOf(breaker) - now }
}

const untilOf = (breaker: Breaker): number => (breaker.is === 'open' ? breaker.until : Number.NaN)

describe('the breaker', () => {
  it('opens after so many failures in a row, not one earlier', () => {
    const four = told(CLOSED, { failed: 4 })
    expect(four.is).toBe('closed')
    expect(told(four, { failed: 1 }).is).toBe('open')
    expect(told(told(four, { ok: 1 }), { failed: 4 }).is).toBe('closed')
  })

  it('F24 opens when half of ten calls fail, though never many in a row', () => {
    let breaker: Breaker = CLOSED
    for (let pair = 1; pair <= 5; pair++) {
      expect(breaker.is).toBe('closed')
      breaker = told(told(breaker, { ok: 1 }), { failed: 1 }, NOW + pair)
    }
    expect(breaker).toMatchObject({ is: 'open', generation: 2 })
    expect(leaveOf(breaker, NOW + 10)).toBeGreaterThan(0)
  })

  it('F24 stays closed below half, and below ten calls', () => {
    expect(told(CLOSED, { ok: 7, failed: 4 }).is).toBe('closed')
    expect(told(CLOSED, { ok: 5, failed: 4 }).is).toBe('closed')
    const patient = { ...LIMITS, failureThreshold: 20 }
    expect(told(CLOSED, { ok: 9, failed: 10 }, NOW, patient).is).toBe('closed')
    expect(told(CLOSED, { ok: 10, failed: 10 }, NOW, patient).is).toBe('open')
  })

  it('F25 stays open 5 s, doubled each time up to 60 s, within its jitter', () => {
    for (const random of [0, 0.5, 1]) {
      for (const [trips, baseMs] of [10_000, 20_000, 40_000, 60_000, 60_000].entries()) {
        expect(openAfter(trips + 1, random).openMs).toBeCloseTo(baseMs * (0.8 + 0.2 * random), 1)
      }
    }
    expect(openAfter(0).openMs).toBeCloseTo(4_500, 1)
    expect(openAfter(2_000).openMs).toBeLessThanOrEqual(60_000)
  })

  it('F25 stays open as long as was set, also where that is more than 60 s', () => {
    const breaker = told(CLOSED, { failed: 5 }, NOW, { ...LIMITS, recoveryMs: 600_000 })
    expect(untilOf(breaker) - NOW).toBeCloseTo(540_000, 1)
  })

  it('F25 lets exactly one probe through, whose success closes it', () => {
    const { breaker } = openAfter(0)
    const later = untilOf(breaker)
    expect(leaveOf(breaker, later - 1)).toBeGreaterThan(0)
    expect(leaveOf(breaker, later)).toBe('probe')
    const probing = sendProbe(breaker, LIMITS, later)
    expect(leaveOf(probing, later)).toBeLessThanOrEqual(500)
    const after = told(probing, { ok: 1 }, later + 10)
    expect(after).toMatchObject({ is: 'closed', failuresInARow: 0, window: [] })
    expect(leaveOf(after, later + 10)).toBe('free')
  })

  it('F25 closes after as many good probes as were set, one after the other', () => {
    const policy = { ...LIMITS, halfOpenMaxCalls: 3 }
    let breaker = openAfter(0).breaker
    const later = untilOf(breaker)
    for (let probe = 1; probe <= 3; probe++) {
      expect(leaveOf(breaker, later)).toBe('probe')
      breaker = sendProbe(breaker, policy, later)
      expect(leaveOf(breaker, later)).toBeTypeOf('number')
      breaker = told(breaker, { ok: 1 }, later, policy)
    }
    expect(breaker.is).toBe('closed')
  })

  it('a probe that says nothing about the service leaves its place to another', () => {
    const { breaker } = openAfter(0)
    const later = untilOf(breaker)
    const after = told(sendProbe(breaker, LIMITS, later), { neutral: 1 }, later)
    expect(after.is).toBe('half_open')
    expect(leaveOf(after, later)).toBe('probe')
  })

  it('F26 a probe that is never heard of again gives way to another', () => {
    const { breaker } = openAfter(0)
    const later = untilOf(breaker)
    const lost = sendProbe(breaker, LIMITS, later)
    expect(leaveOf(lost, later + LIMITS.probeMs - 1)).toBeGreaterThan(0)
    expect(leaveOf(lost, later + LIMITS.probeMs)).toBe('probe')
    const second = sendProbe(lost, LIMITS, later + LIMITS.probeMs)
    expect(hear(second, tally({ generation: lost.generation, ok: 1 }), LIMITS, later, 0)).toBe(second)
  })

  it('F27 a late failure of an older generation is ignored while probing; the good probe closes', () => {
    const { breaker } = openAfter(0)
    const probing = sendProbe(breaker, LIMITS, untilOf(breaker))
    for (let generation = 0; generation < probing.generation; generation++) {
      expect(hear(probing, tally({ generation, failed: 9 }), LIMITS, NOW, 0)).toBe(probing)
    }
    expect(told(probing, { ok: 1 }).is).toBe('closed')
  })

  it('F28 a late success of an older generation is ignored while open', () => {
    const { breaker } = openAfter(0)
    expect(hear(breaker, tally({ generation: 1, ok: 100 }), LIMITS, NOW, 0)).toBe(breaker)
  })

  it('F29 nine failures, an hour of silence and one failure leave it closed', () => {
    const policy = { ...LIMITS, failureThreshold: 10 }
    const nine = told(CLOSED, { failed: 9 }, NOW, policy)
    expect(told(nine, { failed: 1 }, NOW + 3_600_000, policy).is).toBe('closed')
    expect(told(nine, { failed: 1 }, NOW + 9_000, policy).is).toBe('open')
  })

  it('F29 failures in a row count also when each takes minutes to time out', () => {
    let breaker: Breaker = CLOSED
    for (let minute = 0; minute < 25; minute += 5)
      breaker = told(breaker, { failed: 1 }, NOW + minute * 60_000)
    expect(breaker.is).toBe('open')
  })

  it('F30 slow calls open it like failures, but never end a row of good ones', () => {
    expect(told(CLOSED, { ok: 20, slow: 9 }).is).toBe('closed')
    expect(told(CLOSED, { ok: 20, slow: 10 }).is).toBe('open')
    expect(told(CLOSED, { ok: 9, slow: 9 })).toMatchObject({ is: 'closed', failuresInARow: 0 })
  })

  it('F08 stays open as long as the service asked for, up to 60 s', () => {
    expect(openAfter(0, 0.5, { retryAfterMs: 7_000 }).openMs).toBe(7_000)
    expect(openAfter(0, 0.5, { retryAfterMs: 1_000 }).openMs).toBeCloseTo(4_500, 1)
    expect(openAfter(0, 0.5, { retryAfterMs: 3_600_000 }).openMs).toBe(60_000)
  })

  it('what it keeps over an eviction gives the same leave, at any time', () => {
    const { breaker } = openAfter(1)
    for (const each of [CLOSED, told(CLOSED, { failed: 4 }), breaker, sendProbe(breaker, LIMITS, NOW)]) {
      for (const later of [0, 400, 9_000, 20_000])
        expect(leaveOf(lasting(each), NOW + later)).toEqual(leaveOf(each, NOW + later))
      expect(lasting(each).generation).toBe(each.generation)
    }
  })
})

const events = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.nat(1_000), fc.nat(90_000)),
    age: fc.constantFrom(0, 0, 0, 1, 2),
    counts: fc.record({ ok: fc.nat(3), failed: fc.nat(3), neutral: fc.nat(1) }),
    retryAfterMs: fc.constantFrom(0, 0, 7_000, 1e12),
  }),
  { maxLength: 60 },
)

describe('the breaker, whatever happens', () => {
  it('invariants 4 and 5: its generation never goes back, and an older one changes nothing', () => {
    fc.assert(
      fc.property(events, (list) => {
        let breaker: Breaker = CLOSED
        let now = NOW
        for (const { afterMs, age, counts, retryAfterMs } of list) {
          now += afterMs
          const { generation } = breaker
          if (leaveOf(breaker, now) === 'probe') breaker = sendProbe(breaker, LIMITS, now)
          const before = breaker
          const heard = tally({ generation: before.generation - age, ...counts, retryAfterMs })
          breaker = hear(before, heard, LIMITS, now, 0.5)
          if (age > 0) expect(breaker).toBe(before)
          if (breaker.is !== before.is) expect(breaker.generation).toBe(before.generation + 1)
          expect(breaker.generation).toBeGreaterThanOrEqual(generation)
        }
      }),
    )
  })

  it('invariant 7: some call may go again, at the latest a minute after the last news', () => {
    fc.assert(
      fc.property(events, (list) => {
        let breaker: Breaker = CLOSED
        let now = NOW
        for (const { afterMs, counts, retryAfterMs } of list) {
          now += afterMs
          if (leaveOf(breaker, now) === 'probe') breaker = sendProbe(breaker, LIMITS, now)
          breaker = hear(
            breaker,
            tally({ generation: breaker.generation, ...counts, retryAfterMs }),
            LIMITS,
            now,
            1,
          )
          expect(leaveOf(breaker, now + 60_000)).not.toBeTypeOf('number')
        }
      }),
    )
  })
})
