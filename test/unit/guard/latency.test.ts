import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Histogram, Latencies } from '../../../src/guard/latency.ts'

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
    const kept = new Latencies(JSON.parse(JSON.stringify(before.pairs)))
    expect(shares.map((share) => kept.percentileMs(share))).toEqual(expected)
    after.addPairs(before.drain())
    expect(shares.map((share) => after.percentileMs(share))).toEqual(expected)
    expect(before.drain()).toEqual([])
  })
})

describe('the histogram of them', () => {
  const at = ({ buckets }: Histogram, boundMs: number): number | undefined =>
    buckets.find(({ upToMs }) => upToMs === boundMs)?.count

  it('counts how many took no longer than each bound, the bound itself included', () => {
    const bounds = of().histogram.buckets.map(({ upToMs }) => upToMs)
    expect(bounds.length).toBeGreaterThan(10)
    for (const [place, bound] of bounds.entries()) {
      const { histogram } = of(bound, bound * 1.01, bound * 0.99)
      expect([bound, at(histogram, bound)]).toEqual([bound, 2])
      expect(at(histogram, bounds[place - 1] ?? 0) ?? 0).toBe(0)
      expect(histogram.count).toBe(3)
    }
  })

  it('never falls from one bucket to the next, and holds every call but the longest', () => {
    const durations = fc.array(fc.oneof(fc.nat(200_000), fc.double({ min: 0, max: 1e9, noNaN: true })))
    fc.assert(
      fc.property(durations, (list) => {
        const { buckets, count } = of(...list).histogram
        const counts = buckets.map((bucket) => bucket.count)
        expect(counts).toEqual(counts.toSorted((a, b) => a - b))
        expect(count).toBe(list.length)
        const beyond = list.filter((durationMs) => durationMs > 101_000).length
        expect(count - (counts.at(-1) ?? 0)).toBeGreaterThanOrEqual(beyond)
      }),
    )
  })
})
