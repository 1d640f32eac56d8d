/** What a run of `npm run bench` leaves behind can be read: its tables, and the curve that is drawn from its laps. */
import { describe, expect, it } from 'vitest'
import { linesOf, plotGrowth } from '../../../bench/curve/growth.ts'
import { draw, scaleOf, spread } from '../../../bench/curve/plot.ts'
import { writeTable } from '../../../bench/markdown.ts'
import { brief, type Report, writeReport } from '../../../bench/ratio/report.ts'
import type { Sample } from '../../../bench/ratio/row.ts'

const sample = (at: number, contender: string, ...cpuMs: readonly number[]): Sample => ({
  row: 'growth',
  what: 'tools/list',
  contender,
  at,
  lanes: 1,
  laps: cpuMs.map((own) => ({ answers: 100, tookMs: 500, p50Ms: 4, p99Ms: 6, mostMs: 9, cpuMs: { own } })),
})

const REPORT: Report = {
  madeAt: '2026-11-21T00:00:00.000Z',
  machine: { cores: 2, model: 'any' },
  versions: { node: '24.0.0' },
  pace: { isQuick: false, warmMs: 1, forMs: 600, repeats: 3 },
  figures: [
    { row: 'call', what: 'calls ÷ bare', value: 0.84999, unit: '×', better: 'more', goal: 0.85 },
    { row: 'call', what: 'added', value: 0.1, unit: 'ms', better: 'less', goal: 0.15 },
    { row: 'io', what: 'requests', value: 12.3456, unit: '', better: 'less' },
  ],
  faults: [],
  samples: [sample(10, 'gateway', 30, 10, 20)],
}

describe('the report', () => {
  it('tells each figure beside its goal, and whether it holds by what was measured, not by what is shown', () => {
    const text = writeReport(REPORT)
    expect(text).toContain('| call | calls ÷ bare | 0.85 × | ≥ 0.85 ×  | NO    |')
    expect(text).toContain('| call | added        | 0.1 ms | ≤ 0.15 ms | yes   |')
    expect(text).toContain('| io   | requests     | 12.3   |           |       |')
  })

  it('tells the median lap of each contender, and on what machine it was', () => {
    const text = writeReport(REPORT)
    expect(text).toMatch(/\| growth \| tools\/list \| 10 \| gateway +\| 200 +\| 4 +\| 6 +\| 200 +\|/)
    expect(text).toMatch(
      /^2026-11-21T00:00:00\.000Z: cores 2, model any, node 24\.0\.0\.\n3 interleaved laps of 0\.6 s/,
    )
  })

  it('shows three digits that say something', () => {
    expect([0.012345, 1.2345, 99.99, 123.4, 54_321, Number.NaN].map(brief)).toEqual([
      '0.0123',
      '1.23',
      '100',
      '123',
      '54321',
      '–',
    ])
  })

  it('has columns as wide as their widest cell', () => {
    expect(
      writeTable([
        ['a', 'bb'],
        ['ccc', 'd'],
      ]),
    ).toBe('| a   | bb |\n|-----|----|\n| ccc | d  |')
  })
})

describe('the curve', () => {
  const samples = [
    sample(100, 'gateway', 11, 10),
    sample(1, 'gateway', 10, 10),
    sample(1, 'naive', 20, 20),
    sample(100, 'naive', 400, 800),
  ]

  it('has a line for each contender, from few services to many, ÷ what one of them costs', () => {
    expect(linesOf(samples)).toEqual([
      {
        label: 'tools/list, Switchyard',
        points: [
          { x: 1, y: 1 },
          { x: 100, y: 1.05 },
        ],
      },
      {
        label: 'tools/list, SDK gateway',
        points: [
          { x: 1, y: 1 },
          { x: 100, y: 30 },
        ],
      },
    ])
  })

  it('has ticks around all that is drawn', () => {
    const { x, y } = plotGrowth(samples)
    expect(x.ticks).toEqual([1, 100])
    expect(y.ticks).toEqual([1, 2, 5, 10, 20, 50])
  })

  it('has a title, titles of both axes and a label for each line, for light ground and dark', () => {
    const image = draw(plotGrowth(samples))
    for (const text of [
      'What a request costs',
      'services behind',
      'CPU per request',
      'SDK gateway',
      'Switchyard',
    ])
      expect(image).toContain(text)
    expect(image).toContain('prefers-color-scheme: dark')
    expect(image).not.toMatch(/NaN|undefined|Infinity/)
  })

  it('is logarithmic from the first tick to the last', () => {
    const at = scaleOf([1, 10, 100], 0, 200)
    expect([1, 10, 100].map(at)).toEqual([0, 100, 200])
  })

  it('keeps labels apart, in their order', () => {
    expect(spread([100, 95, 300])).toEqual([113, 95, 300])
  })
})
