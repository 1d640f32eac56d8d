import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Candidate, choose, type Strategy } from '../../../src/guard/balance.ts'

type Some = readonly [Candidate, ...Candidate[]]

const candidate = (url: string, about: Partial<Candidate> = {}): Candidate => ({
  url,
  weight: 1,
  inFlight: 0,
  score: 1,
  ...about,
})
const weighing = (...weights: [number, ...number[]]): Some => {
  const [first, ...others] = weights.map((weight, at) => candidate(`${at}`, { weight }))
  return [first ?? candidate('0'), ...others]
}
const abc: Some = [candidate('a'), candidate('b'), candidate('c')]

const inTurn = (strategy: Strategy, candidates: Some, turns: number, from = 0): string[] =>
  Array.from({ length: turns }, (_, at) => choose(strategy, candidates, from + at, 0).url)

const timesIn = (urls: readonly string[], url: string): number => urls.filter((each) => each === url).length

const weights = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 6 })

describe('balancing', () => {
  it('round_robin takes them strictly in turn', () => {
    expect(inTurn('round_robin', abc, 7).join('')).toBe('abcabca')
  })

  it('random takes the one that chance names, and all of them', () => {
    const by = (random: number): string => choose('random', abc, 0, random).url
    expect([0, 0.33, 0.34, 0.66, 0.67, 0.999_999].map(by).join('')).toBe('aabbcc')
  })

  it('least_connections takes the one with the fewest calls, of equals in turn', () => {
    const busy: Some = [
      candidate('a', { inFlight: 2 }),
      candidate('b', { inFlight: 1 }),
      candidate('c', { inFlight: 1 }),
    ]
    expect(inTurn('least_connections', busy, 4).join('')).toBe('bcbc')
  })

  it('health_based takes the healthiest, of equals in turn', () => {
    const ill: Some = [candidate('a', { score: 0.5 }), candidate('b'), candidate('c')]
    expect(inTurn('health_based', ill, 4).join('')).toBe('bcbc')
  })

  it('weighted gives each exactly its weight in every round', () => {
    fc.assert(
      fc.property(weights, fc.nat(10_000), ([first = 1, ...others], from) => {
        const candidates = weighing(first, ...others)
        const total = candidates.reduce((sum, { weight }) => sum + weight, 0)
        const round = inTurn('weighted', candidates, total, from)
        for (const { url, weight } of candidates) expect(timesIn(round, url)).toBe(weight)
      }),
      { numRuns: 50 },
    )
  })

  it.each([
    [[1, 1], 1],
    [[3, 3], 1],
    [[2, 2], 1],
    [[1, 1, 1, 1, 1, 1], 1],
    [[3, 2, 1], 2],
    [[50, 30, 20], 2],
    [[100, 1], 101],
  ] as const)('weighted %j never takes the same more than %i times in a row', (list, longest) => {
    const [first, ...others] = list
    const urls = inTurn('weighted', weighing(first, ...others), 3 * list.reduce((sum, each) => sum + each, 0))
    const runs = urls.join(' ').match(/\b(\d+)\b(?: \1\b)*/g) ?? []
    expect(Math.max(...runs.map((run) => run.split(' ').length))).toBeLessThanOrEqual(longest)
  })
})
