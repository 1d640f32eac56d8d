import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Latencies } from '../../../src/guard/latency.ts'

const of = (...durations: number[]): Latencies => {
  const latencies = new Latencies()
  for (const durationMs of durations) latencies.add(durationMs)
  return latencies
}

describe('how long calls took', () => {
  it('is not known without calls', () => {
    expect(of().percentileMs(0.5)).toBeUndefined()
  })

  it('is right to within 5 % for any percentile', () => {
    const durations = fc.array(fc.double({ min: 1, max: 600_000, noNaN: true }), {
      minLength: 1,
      maxLength: 200,
    })
    fc.assert(
      fc.property(durations, fc.constantFrom(0.01, 0.5, 0.95, 0.99, 1), (list, share) => {
        const sorted = list.toSorted((a, b) => a - b)
        const exact = sorted[Math.ceil(list.length * share) - 1] ?? Number.NaN
        const found = of(...list).percentileMs(share) ?? Number.NaN
        expect(Math.abs(found - exact) / exact).toBeLessThan(0.055)
      }),
    )
  })

  it('takes what is odd for the shortest or the longest, and never fails', () => {
    expect(of(0, -5).percentileMs(1)).toBeLessThanOrEqual(0.1)
    expect(of(1e12).percentileMs(1)).toBeGreaterThan(600_000)
    expect(of(Number.NaN).percentileMs(1)).toBeUndefined()
    const latencies = of()
    latencies.addPairs([-1, 1, 9_999, 1, 7])
    expect(latencies.percentileMs(1)).toBeUndefined()
  })

  it('is the same after it was told in pairs, and after it was kept', () => {
    const list = [1, 20, 20, 300, 4_000]
    const [before, after] = [of(...list), of()]
    const shares = [0.2, 0.5, 0.9]
    const expected = shares.map((share) => before.percentileMs(share))
    const kept = new Latencies(JSON.parse(JSON.stringify(before.counts)))
    expect(shares.map((share) => kept.percentileMs(share))).toEqual(expected)
    after.addPairs(before.drain())
    expect(shares.map((share) => after.percentileMs(share))).toEqual(expected)
    expect(before.drain()).toEqual([])
  })
})
