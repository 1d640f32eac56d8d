/** What is offered to a gateway, and what came of it. Plain data, so that it passes between threads. */

/** One HTTP request, as it is sent again and again. */
export type Shot = {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** One kind of request, at an even rate that does not wait for answers. */
export type Load = {
  /** By this its samples are found. */
  readonly kind: string
  readonly shot: Shot
  readonly ratePerSecond: number
  readonly fromMs: number
  readonly forMs: number
}

export type Sample = {
  readonly kind: string
  /** When it was to be sent, since the start of the run. */
  readonly dueMs: number
  /** From when it was to be sent, not from when it was: a generator that is held up counts against the gateway. */
  readonly tookMs: number
  /** 0: there was no whole answer. */
  readonly status: number
  /** `none`: no answer of JSON-RPC. */
  readonly outcome: 'result' | 'error' | 'none'
  /** Of an error of JSON-RPC. */
  readonly code: number | undefined
  /** Messages that the answer was made of: more than one on a stream. */
  readonly messages: number
}

/** Every load of a plan goes its own way. */
export type Plan = {
  readonly loads: readonly Load[]
  /** After the last request was due, so much later what is still open is given up. */
  readonly patienceMs: number
}

/**
 * When each request of a load is due, in milliseconds since the start. `phase`, from 0 to 1: which part of the time
 * between two passes before the first, so that loads of the same rate do not meet.
 */
export function dueTimes({ ratePerSecond, fromMs, forMs }: Load, phase: number): number[] {
  const gapMs = 1_000 / ratePerSecond
  const count = Math.max(1, Math.round(forMs / gapMs))
  return Array.from({ length: count }, (_, at) => fromMs + (at + phase) * gapMs)
}

export const byKind = (samples: readonly Sample[], ...kinds: readonly string[]): Sample[] =>
  samples.filter(({ kind }) => kinds.includes(kind))

/** Those without a result. */
export const failed = (samples: readonly Sample[]): Sample[] =>
  samples.filter(({ outcome }) => outcome !== 'result')

/** The latency that so many percent of the samples stay within; `NaN` of none. */
export function percentile(samples: readonly Sample[], percent: number): number {
  const sorted = samples.map(({ tookMs }) => tookMs).sort((one, other) => one - other)
  return sorted[Math.ceil((sorted.length * percent) / 100) - 1] ?? Number.NaN
}
