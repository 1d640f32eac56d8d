import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffMs, RetryBudget, type RetryPolicy } from '../../../src/guard/retry.ts'
import { NOW } from './request.ts'

const policy: RetryPolicy = {
  maxAttempts: 5,
  backoffStrategy: 'exponential',
  initialDelay: 100,
  maxDelay: 1_000,
  jitter: false,
}
const pauses = (changed: Partial<RetryPolicy>, random = 1): number[] =>
  [1, 2, 3, 4, 5].map((attempt) => backoffMs({ ...policy, ...changed }, attempt, random))

describe('the pause before another attempt', () => {
  it('grows as its strategy says, up to the longest', () => {
    expect(pauses({})).toEqual([100, 200, 400, 800, 1_000])
    expect(pauses({ backoffStrategy: 'linear', maxDelay: 350 })).toEqual([100, 200, 300, 350, 350])
  })

  it('is spread between its half and its whole where it has a jitter', () => {
    expect(pauses({ jitter: true }, 0)).toEqual([50, 100, 200, 400, 500])
    expect(pauses({ jitter: true }, 1)).toEqual(pauses({}))
  })
})

describe('the budget of repeats', () => {
  it('S55 a service that answers 503 to everything gets no more than 1.2 times what was offered', () => {
    const budget = new RetryBudget()
    let sent = 0
    for (let call = 0; call < 10_000; call++) {
      const now = NOW + call * 10
      budget.noteCall(now)
      sent++
      while (sent < 100_000 && budget.spend(now)) sent++
    }
    expect(sent).toBeLessThanOrEqual(12_000 + 3)
    expect(sent).toBeGreaterThan(11_900)
  })

  it('S55 over any schedule repeats are a fifth of the calls, and three in ten seconds', () => {
    const moments = fc.array(
      fc.record({
        afterMs: fc.oneof(fc.nat(50), fc.nat(30_000)),
        calls: fc.nat(40),
        tries: fc.nat(40),
      }),
      { maxLength: 200 },
    )
    fc.assert(
      fc.property(moments, (list) => {
        const budget = new RetryBudget()
        let now = NOW
        let [calls, repeats] = [0, 0]
        for (const { afterMs, calls: more, tries } of list) {
          now += afterMs
          for (let call = 0; call < more; call++) budget.noteCall(now)
          for (let attempt = 0; attempt < tries; attempt++) if (budget.spend(now)) repeats++
          calls += more
        }
        expect(repeats).toBeLessThanOrEqual(0.2 * calls + 3 * Math.ceil((now - NOW + 1) / 9_000))
      }),
    )
  })

  it('lets a quiet service be asked again three times in ten seconds', () => {
    const budget = new RetryBudget()
    const spendAll = (now: number): number => {
      let count = 0
      while (count < 100 && budget.spend(now)) count++
      return count
    }
    expect(spendAll(NOW)).toBe(3)
    expect(spendAll(NOW + 8_000)).toBe(0)
    expect(spendAll(NOW + 10_000)).toBe(3)
  })
})
