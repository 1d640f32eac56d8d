/** What a row of the benchmark is, and what it tells. */
import type { Contender } from './contender/contender.ts'
import type { Lap, Work } from './client/lap.ts'
import type { Figure } from './figure.ts'
import type { Ground } from './ground.ts'

/** What one contender is asked. */
export type Entry = {
  readonly what: string
  readonly contender: Contender
  readonly work: Work
  readonly lanes: number
  /** Of what varies within a row: connections, services or bytes. */
  readonly at: number
}

/** All laps of one entry, by repeat. */
export type Sample = {
  readonly row: string
  readonly what: string
  readonly contender: string
  readonly at: number
  readonly lanes: number
  readonly laps: readonly Lap[]
}

export type Pace = {
  /** The short form: fewer points, shorter laps. */
  readonly isQuick: boolean
  readonly warmMs: number
  readonly forMs: number
  readonly repeats: number
}

export type Stage = {
  readonly ground: Ground
  readonly pace: Pace
  /** Laps of all entries in turn, as often as the pace says. Gives those of each. */
  race(entries: readonly Entry[]): Promise<(entry: Entry) => readonly Lap[]>
}

export type Row = {
  readonly id: string
  /** What is done, in one sentence. */
  readonly what: string
  /** Whether the short form has it. */
  readonly isInQuick: boolean
  run(stage: Stage): Promise<readonly Figure[]>
}
