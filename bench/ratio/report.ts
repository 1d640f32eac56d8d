/** What a run leaves behind: everything that was measured as JSON, and what follows from it as tables. */
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { createRequire } from 'node:module'
import { writeTable } from '../markdown.ts'
import type { Lap } from './client/lap.ts'
import { cpuUs, holds, perSecond, type Told } from './figure.ts'
import type { Pace, Sample } from './row.ts'
import { median } from '../statistics.ts'

export type Report = {
  readonly madeAt: string
  readonly machine: Readonly<Record<string, string | number>>
  readonly versions: Readonly<Record<string, string>>
  readonly pace: Pace
  readonly figures: readonly Told[]
  /** Why rows could not be measured. */
  readonly faults: readonly string[]
  readonly samples: readonly Sample[]
}

/** What the figures depend on beside the code. */
export const describeMachine = (): Report['machine'] => ({
  cores: availableParallelism(),
  model: cpus()[0]?.model ?? 'unknown',
  memoryGib: Math.round(totalmem() / 2 ** 30),
  platform: `${process.platform} ${process.arch}`,
  loadAtStart: Number(loadavg()[0]?.toFixed(2)),
})

export function readVersions(): Report['versions'] {
  const require = createRequire(import.meta.url)
  const versionOf = (name: string): string => require(`${name}/package.json`).version
  return { node: process.versions.node, workerd: versionOf('workerd'), wrangler: versionOf('wrangler') }
}

export function writeReport({ figures, samples, machine, versions, pace, madeAt }: Report): string {
  const facts = [...Object.entries(machine), ...Object.entries(versions)].map(
    ([name, value]) => `${name} ${value}`,
  )
  const laps = `${pace.repeats} interleaved laps of ${pace.forMs / 1_000} s for each; medians; a ratio is taken in each repeat.`
  const tables = samples.length > 0 ? [writeFigures(figures), writeSamples(samples)] : [writeFigures(figures)]
  return [`${madeAt}: ${facts.join(', ')}.\n${laps}`, ...tables].join('\n\n')
}

const writeFigures = (figures: readonly Told[]): string =>
  writeTable([
    ['row', 'what', 'figure', 'goal', 'holds'],
    ...figures.map((figure) => [
      figure.row,
      figure.what,
      `${brief(figure.value)} ${figure.unit}`.trim(),
      figure.goal === undefined
        ? ''
        : `${figure.better === 'more' ? '≥' : '≤'} ${figure.goal} ${figure.unit}`.trim(),
      figure.goal === undefined ? '' : holds(figure) ? 'yes' : 'NO',
    ]),
  ])

const MEASURES: readonly ((lap: Lap) => number)[] = [
  perSecond,
  ({ p50Ms }) => p50Ms,
  ({ p99Ms }) => p99Ms,
  (lap) => cpuUs(lap),
]

const writeSamples = (samples: readonly Sample[]): string =>
  writeTable([
    ['row', 'what', '@', 'contender', 'answers/s', 'p50 ms', 'p99 ms', 'CPU µs per answer'],
    ...samples.map(({ row, what, at, contender, laps }) => {
      const cells = MEASURES.map((measure) => brief(median(laps.map(measure))))
      return [row, what, String(at), contender, ...cells]
    }),
  ])

/** Three digits that say something. */
export const brief = (value: number): string =>
  Number.isFinite(value)
    ? Math.abs(value) >= 100
      ? value.toFixed(0)
      : String(Number(value.toPrecision(3)))
    : '–'
