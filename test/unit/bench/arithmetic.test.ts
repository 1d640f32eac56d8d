/** What `npm run bench` makes of laps: medians of ratios that were taken in the same repeat, and whether they fell. */
import { describe, expect, it } from 'vitest'
import { baselineOf, findFalls } from '../../../bench/ratio/baseline.ts'
import type { Lap } from '../../../bench/ratio/client/lap.ts'
import { holds, lessIsBetter, medianOf, moreIsBetter, type Told } from '../../../bench/ratio/figure.ts'
import { activeMs } from '../../../bench/ratio/rows/bundle.ts'
import { median, percentileOf, rotate } from '../../../bench/statistics.ts'

const lap = (answers: number, more: Partial<Lap> = {}): Lap => ({
  answers,
  tookMs: 1_000,
  p50Ms: 1,
  p99Ms: 2,
  mostMs: 3,
  cpuMs: { own: 100 },
  ...more,
})

const told = (value: number, more: Partial<Told> = {}): Told => ({
  row: 'call',
  what: 'calls ÷ bare',
  value,
  unit: '×',
  better: 'more',
  ...more,
})

describe('numbers', () => {
  it('have the middle one as their median, or the mean of the two in the middle', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([4, 1, 2, 100])).toBe(3)
    expect(median([])).toBeNaN()
  })

  it('have percentiles that are among them', () => {
    const at = percentileOf([4, 3, 2, 1])
    expect([at(0), at(50), at(75), at(99), at(100)]).toEqual([1, 2, 3, 4, 4])
  })

  it('take turns at being first', () => {
    expect([0, 1, 2, 3].map((by) => rotate(['a', 'b', 'c'], by)[0])).toEqual(['a', 'b', 'c', 'a'])
    expect(rotate(['a', 'b', 'c'], 1)).toEqual(['b', 'c', 'a'])
  })
})

describe('a ratio', () => {
  it('is taken in each repeat before the median is, so that a slow minute cancels out', () => {
    // Twice as slow in the first repeat, four times as fast in the last: each time half of the base.
    const own = [lap(25), lap(50), lap(200)]
    const base = [lap(50), lap(100), lap(400)]
    expect(moreIsBetter('x', own, base).value).toBe(0.5)
    // The ratio of the medians would hide that the own one was better in most repeats.
    expect(moreIsBetter('x', [lap(100), lap(9), lap(9)], [lap(10), lap(8), lap(300)]).value).toBe(9 / 8)
  })

  it('of processor time counts it per answer, not per lap', () => {
    const own = [lap(50, { cpuMs: { own: 100, stores: 900 } })]
    expect(lessIsBetter('x', own, [lap(100)]).value).toBe(2)
  })

  it('leaves out a repeat without a counterpart', () => {
    expect(
      medianOf([lap(1), lap(2), lap(99)], [lap(1), lap(1)], (one, other) => one.answers / other.answers),
    ).toBe(1.5)
  })

  it('of a contender whose processor time nobody knows is no number, and holds nothing', () => {
    const figure = lessIsBetter('x', [lap(1)], [lap(1, { cpuMs: {} })], 3)
    expect(figure.value).toBeNaN()
    expect(holds(figure)).toBe(false)
  })

  it('holds at its goal and not beyond, on the side that is better', () => {
    expect([0.84, 0.85, 0.9].map((value) => holds(told(value, { goal: 0.85 })))).toEqual([false, true, true])
    const less = { goal: 1.1, better: 'less' } as const
    expect([1, 1.1, 1.2].map((value) => holds(told(value, less)))).toEqual([true, true, false])
  })
})

describe('a baseline', () => {
  const less = { what: 'CPU ÷ bare', better: 'less' } as const
  const baseline = baselineOf([told(0.9), told(1.2, less), told(17, { what: 'heap', unit: 'MiB' })])

  it('keeps ratios and nothing that depends on the machine', () => {
    expect(baseline).toEqual({ call: { 'calls ÷ bare': 0.9, 'CPU ÷ bare': 1.2 } })
  })

  it('is not fallen below by what is worse by less than a third', () => {
    expect(findFalls([told(0.61), told(1.79, less)], baseline)).toEqual([])
  })

  it('is fallen below by what is worse by more than a third, on the side that is worse', () => {
    expect(findFalls([told(0.59), told(0.1, less)], baseline)).toEqual([
      { row: 'call', what: 'calls ÷ bare', was: 0.9, is: 0.59 },
    ])
    expect(findFalls([told(9), told(1.81, less)], baseline)).toEqual([
      { row: 'call', what: 'CPU ÷ bare', was: 1.2, is: 1.81 },
    ])
  })

  it('is fallen below by what is no number, and by what a row that was run does not tell', () => {
    const falls = findFalls([told(Number.NaN)], baseline)
    expect(falls.map(({ what }) => what)).toEqual(['calls ÷ bare', 'CPU ÷ bare'])
  })

  it('says nothing of rows that were not run, nor of what it does not know', () => {
    expect(findFalls([told(0.1, { row: 'list' })], baseline)).toEqual([])
    expect(findFalls([told(0.9), told(1.2, less), told(0, { what: 'new' })], baseline)).toEqual([])
  })
})

describe('the profile of a start', () => {
  it('counts what was not idle', () => {
    const nodes = ['(root)', '(idle)', '(garbage collector)', 'compose'].map((functionName, id) => {
      return { id, callFrame: { functionName } }
    })
    expect(activeMs({ nodes, samples: [1, 3, 2, 1], timeDeltas: [9_000, 2_000, 500, 7_000] })).toBe(2.5)
  })
})
