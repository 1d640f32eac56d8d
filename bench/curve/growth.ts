/** What a request costs as services are added, from the laps of the row `growth`. Pure. */
import { lessIsBetter } from '../ratio/figure.ts'
import type { Sample } from '../ratio/row.ts'
import type { Line, Plot } from './plot.ts'

/** Steps at which ticks stand, as far as they are needed. */
const TICKS = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500]

/** By what is asked and who answers, in the order in which they were measured. */
export function linesOf(samples: readonly Sample[]): Line[] {
  const labels = [...new Set(samples.map(labelOf))]
  return labels.map((label) => {
    const own = samples
      .filter((sample) => labelOf(sample) === label)
      .toSorted((one, other) => one.at - other.at)
    const base = own[0]?.laps ?? []
    return { label, points: own.map(({ at, laps }) => ({ x: at, y: lessIsBetter('', laps, base).value })) }
  })
}

export function plotGrowth(samples: readonly Sample[]): Plot {
  const lines = linesOf(samples)
  const points = lines.flatMap((line) => line.points)
  const most = Math.max(...points.map(({ y }) => y))
  const least = Math.min(...points.map(({ y }) => y))
  const from = TICKS.findLastIndex((tick) => tick <= least)
  const to = TICKS.findIndex((tick) => tick >= Math.max(most, 2))
  return {
    title: 'What a request costs as services are added',
    x: {
      title: 'services behind the gateway, 1,000 tools in all',
      ticks: [...new Set(points.map(({ x }) => x))],
    },
    y: {
      title: 'CPU per request, ÷ that of one service',
      ticks: TICKS.slice(Math.max(0, from), to < 0 ? undefined : to + 1),
      unit: '×',
    },
    lines,
  }
}

const labelOf = ({ what, contender }: Sample): string =>
  `${what}, ${contender === 'naive' ? 'SDK gateway' : 'Switchyard'}`
