/** One turn of one contender: what is asked of it, and what came of it. Plain data, so that it passes between threads. */
import type { Contender } from '../contender/contender.ts'
import type { Wording } from '../offer.ts'

export type Work =
  | {
      readonly is: 'call'
      /** Called in turn. */
      readonly tools: readonly string[]
      /** Beside a text that is different every time. */
      readonly wording: Omit<Wording, 'text'>
      readonly isModern: boolean
    }
  | {
      readonly is: 'list'
      /** All that must be listed. */
      readonly tools: readonly string[]
    }

export type LapPlan = {
  readonly contender: Contender
  readonly work: Work
  /** Connections, each with one request at a time. */
  readonly lanes: number
  readonly warmMs: number
  readonly forMs: number
}

export type Lap = {
  /** Right ones; a wrong one ends the run. */
  readonly answers: number
  readonly tookMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly mostMs: number
  /** Of each process of the contender, in the time that the lap took. */
  readonly cpuMs: Readonly<Record<string, number>>
}
