/**
 * How long calls took, as counts in steps that grow by a tenth, so that a percentile is right to within 5 %. Pure but
 * for its own counts.
 */
const GROWTH = Math.log(1.1)
/** A tenth of a millisecond is the first step, ten minutes nearly the last. */
const FIRST_MS = 0.1
const STEPS = 166

export class Latencies {
  readonly #counts: number[]

  constructor(counts: readonly number[] = []) {
    this.#counts = Array.from({ length: STEPS }, (_, at) => counts[at] ?? 0)
  }

  /** For `JSON` and storage. */
  get counts(): readonly number[] {
    return this.#counts
  }

  add(durationMs: number): void {
    this.addAt(stepOf(durationMs), 1)
  }

  /** Pairs of step and count, as `pairs` gives them. */
  addPairs(pairs: readonly number[]): void {
    for (let at = 0; at + 1 < pairs.length; at += 2) this.addAt(pairs[at] ?? 0, pairs[at + 1] ?? 0)
  }

  addAt(step: number, count: number): void {
    if (step in this.#counts) this.#counts[step] = (this.#counts[step] ?? 0) + count
  }

  /** The counts that are not zero, and forgets them. */
  drain(): number[] {
    const pairs = this.#counts.flatMap((count, step) => (count > 0 ? [step, count] : []))
    this.#counts.fill(0)
    return pairs
  }

  /** The duration that `share` (from 0 to 1) of all calls did not exceed; `undefined`: there were none. */
  percentileMs(share: number): number | undefined {
    const total = this.#counts.reduce((sum, count) => sum + count, 0)
    if (total === 0) return undefined
    let left = Math.max(1, Math.ceil(total * share))
    const step = this.#counts.findIndex((count) => (left -= count) <= 0)
    return Math.round(FIRST_MS * Math.exp((step - 0.5) * GROWTH) * 100) / 100
  }
}

const stepOf = (durationMs: number): number =>
  Math.min(STEPS - 1, Math.max(0, Math.ceil(Math.log(Math.max(durationMs, FIRST_MS) / FIRST_MS) / GROWTH)))
