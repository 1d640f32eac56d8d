/**
 * How long calls took, as counts in steps, thirty to each power of ten: a percentile is right to within 4 %, and the
 * bounds that people think in (1, 2.5, 5, 10) are ends of steps, to within half a percent. Pure but for its own counts.
 */
const STEPS_A_DECADE = 30
/** A tenth of a millisecond is the first step, a quarter of an hour the last. */
const FIRST_MS = 0.1
const STEPS = 7 * STEPS_A_DECADE + 1

/** Where a histogram has its buckets; all of them ends of steps. */
const BOUNDS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000]

/** How many took no longer than each bound; those that took longer than the last are in `count` alone. */
export type Histogram = {
  readonly buckets: readonly { readonly upToMs: number; readonly count: number }[]
  readonly count: number
}

export class Latencies {
  readonly #counts: number[]

  constructor(pairs: readonly number[] = []) {
    this.#counts = Array.from({ length: STEPS }, () => 0)
    this.addPairs(pairs)
  }

  /** Step and count, step and count, of those that are not zero: for `JSON` and storage. */
  get pairs(): readonly number[] {
    return this.#counts.flatMap((count, step) => (count > 0 ? [step, count] : []))
  }

  add(durationMs: number): void {
    this.addAt(stepOf(durationMs), 1)
  }

  /** As `pairs` gives them. */
  addPairs(pairs: readonly number[]): void {
    for (let at = 0; at + 1 < pairs.length; at += 2) this.addAt(pairs[at] ?? 0, pairs[at + 1] ?? 0)
  }

  addAt(step: number, count: number): void {
    if (step in this.#counts) this.#counts[step] = (this.#counts[step] ?? 0) + count
  }

  /** The pairs, which are forgotten. */
  drain(): readonly number[] {
    const { pairs } = this
    this.#counts.fill(0)
    return pairs
  }

  /** The duration that `share` (from 0 to 1) of all calls did not exceed; `undefined`: there were none. */
  percentileMs(share: number): number | undefined {
    const total = this.#counts.reduce((sum, count) => sum + count, 0)
    if (total === 0) return undefined
    let left = Math.max(1, Math.ceil(total * share))
    const step = this.#counts.findIndex((count) => (left -= count) <= 0)
    return Math.round(FIRST_MS * 10 ** ((step - 0.5) / STEPS_A_DECADE) * 100) / 100
  }

  get histogram(): Histogram {
    const upTo = (step: number): number =>
      this.#counts.slice(0, step + 1).reduce((sum, count) => sum + count, 0)
    const buckets = BOUNDS_MS.map((upToMs) => ({ upToMs, count: upTo(stepsTo(upToMs, Math.round)) }))
    return { buckets, count: upTo(STEPS) }
  }
}

const stepsTo = (durationMs: number, round: (steps: number) => number): number =>
  round(Math.log10(durationMs / FIRST_MS) * STEPS_A_DECADE)

const stepOf = (durationMs: number): number =>
  Math.min(STEPS - 1, Math.max(0, stepsTo(Math.max(durationMs, FIRST_MS), Math.ceil)))
