/** What a row tells, and how it comes from laps. Pure. */
import type { Lap } from './client/lap.ts'
import { OWN } from './contender/contender.ts'
import { median } from '../statistics.ts'

/** One thing that was measured. */
export type Figure = {
  /** Unique: by this it is found in a baseline. */
  readonly what: string
  readonly value: number
  /** `×`: a ratio within this run, which can be compared with those of other runs. */
  readonly unit: '×' | 'ms' | 'µs' | 'MiB' | 'KiB' | ''
  readonly better: 'more' | 'less'
  /** At least this much where more is better, at most where less is; absent: told, and no more. */
  readonly goal?: number | undefined
}

/** A figure and the row that told it. */
export type Told = Figure & { readonly row: string }

export type Laps = readonly Lap[]
type Measure = (lap: Lap) => number

export const perSecond = ({ answers, tookMs }: Lap): number => (answers * 1_000) / tookMs

/** The processor time per answer of one process of the contender. */
export const cpuUs = ({ answers, cpuMs }: Lap, process: string = OWN): number =>
  ((cpuMs[process] ?? Number.NaN) * 1_000) / answers

/** The median over what `compare` makes of the laps of each repeat; what has no counterpart is left out. */
export const medianOf = (own: Laps, base: Laps, compare: (own: Lap, base: Lap) => number): number =>
  median(own.slice(0, base.length).map((lap, repeat) => compare(lap, base[repeat] ?? lap)))

const ratioOf = (own: Laps, base: Laps, measure: Measure): number =>
  medianOf(own, base, (one, other) => measure(one) / measure(other))

/** Of throughput. */
export const moreIsBetter = (what: string, own: Laps, base: Laps, goal?: number): Figure => ({
  what: `answers/s, ${what}`,
  value: ratioOf(own, base, perSecond),
  unit: '×',
  better: 'more',
  goal,
})

/** Of processor time per answer, by default. */
export const lessIsBetter = (
  what: string,
  own: Laps,
  base: Laps,
  goal?: number,
  measure: Measure = cpuUs,
): Figure => ({
  what: `${measure === cpuUs ? 'CPU' : 'time'}, ${what}`,
  value: ratioOf(own, base, measure),
  unit: '×',
  better: 'less',
  goal,
})

/** Whether a figure is as it should be; one without a goal always is. */
export const holds = ({ value, better, goal }: Figure): boolean =>
  goal === undefined || (better === 'more' ? value >= goal : value <= goal)
