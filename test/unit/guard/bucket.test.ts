import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Bucket,
  fitted,
  FULL,
  giveBackTo,
  nextTokenMs,
  type RateLimit,
  takeFrom,
  tokensIn,
} from '../../../src/guard/bucket.ts'
import { NOW } from './request.ts'

const limit: RateLimit = { requestsPerMinute: 600, burstLimit: 10 }
const INTERVAL_MS = 100

const limits = fc.record({
  requestsPerMinute: fc.integer({ min: 1, max: 60_000 }),
  burstLimit: fc.integer({ min: 1, max: 500 }),
})
const steps = fc.array(fc.record({ afterMs: fc.nat(5_000), wants: fc.integer({ min: 1, max: 60 }) }), {
  maxLength: 100,
})

/** Takes what is there, step by step, and tells when how many were taken. */
function walk(rate: RateLimit, list: readonly { afterMs: number; wants: number }[]) {
  let bucket = FULL
  let now = NOW
  return list.map(({ afterMs, wants }) => {
    now += afterMs
    const count = Math.min(wants, tokensIn(bucket, rate, now))
    bucket = count > 0 ? takeFrom(bucket, rate, count, now) : bucket
    return { now, count, bucket }
  })
}

describe('the bucket', () => {
  it('holds its burst at first, and never more', () => {
    expect(tokensIn(FULL, limit, NOW)).toBe(10)
    expect(tokensIn(takeFrom(FULL, limit, 3, NOW), limit, NOW)).toBe(7)
    expect(tokensIn(takeFrom(FULL, limit, 3, NOW), limit, NOW + 3_600_000)).toBe(10)
  })

  it('gets its tokens back one by one', () => {
    const empty = takeFrom(FULL, limit, 10, NOW)
    expect(tokensIn(empty, limit, NOW + INTERVAL_MS - 1)).toBe(0)
    expect(tokensIn(empty, limit, NOW + INTERVAL_MS)).toBe(1)
    expect(tokensIn(empty, limit, NOW + 3 * INTERVAL_MS)).toBe(3)
  })

  it('gives no more than burst and refill in any span of time', () => {
    fc.assert(
      fc.property(limits, steps, (rate, list) => {
        const takes = walk(rate, list)
        takes.forEach((first, from) => {
          let taken = 0
          for (const { now, count } of takes.slice(from)) {
            taken += count
            const due = rate.burstLimit + ((now - first.now) * rate.requestsPerMinute) / 60_000
            expect(taken).toBeLessThanOrEqual(due + 0.01)
          }
        })
      }),
    )
  })

  it('loses no token to the rounding of large times', () => {
    fc.assert(
      fc.property(limits, (rate) => {
        const intervalMs = 60_000 / rate.requestsPerMinute
        const empty = takeFrom(FULL, rate, rate.burstLimit, NOW)
        const later = Math.min(rate.burstLimit, 7)
        expect(tokensIn(empty, rate, NOW + later * intervalMs)).toBe(later)
      }),
    )
  })

  it('says how long until there is a token: not before, and no longer', () => {
    fc.assert(
      fc.property(limits, steps, (rate, list) => {
        const { now, bucket } = walk(rate, list).at(-1) ?? { now: NOW, bucket: FULL }
        const waitMs = nextTokenMs(bucket, rate, now)
        expect(tokensIn(bucket, rate, now + waitMs)).toBeGreaterThanOrEqual(1)
        const sooner = waitMs - 1 - 120 / rate.requestsPerMinute
        if (sooner > 0) expect(tokensIn(bucket, rate, now + sooner)).toBe(0)
      }),
    )
  })

  it('takes back what was not used, up to its burst', () => {
    const some = takeFrom(FULL, limit, 6, NOW)
    expect(tokensIn(giveBackTo(some, limit, 4), limit, NOW)).toBe(8)
    expect(tokensIn(giveBackTo(some, limit, 99), limit, NOW)).toBe(10)
  })

  it('owes no more than its limits can when these have changed', () => {
    const slow: RateLimit = { requestsPerMinute: 1, burstLimit: 100 }
    const owing: Bucket = takeFrom(FULL, slow, 100, NOW)
    const fit = fitted(owing, limit, NOW)
    expect(tokensIn(fit, limit, NOW)).toBe(0)
    expect(nextTokenMs(fit, limit, NOW)).toBeCloseTo(INTERVAL_MS)
  })
})
