/** When and how often a call may be tried again. Pure: time and chance are arguments. */
export type RetryPolicy = {
  readonly maxAttempts: number
  readonly backoffStrategy: 'linear' | 'exponential'
  readonly initialDelay: number
  readonly maxDelay: number
  readonly jitter: boolean
}

/** How long to wait after attempt number `attempt` (from 1). `random`: from 0 to 1. */
export function backoffMs(policy: RetryPolicy, attempt: number, random: number): number {
  const { backoffStrategy, initialDelay, maxDelay, jitter } = policy
  const factor = backoffStrategy === 'linear' ? attempt : 2 ** (attempt - 1)
  const delayMs = Math.min(maxDelay, initialDelay * factor)
  return jitter ? delayMs * (0.5 + 0.5 * random) : delayMs
}

const SHARE = 0.2
const SECONDS = 10
/** So few are always allowed, or a quiet service would never be asked again. */
const FLOOR = 3

/** No more than a fifth of the calls of the last ten seconds are repeats, so that no storm is made (S55). */
export class RetryBudget {
  #calls = new Map<number, number>()
  #retries = new Map<number, number>()

  noteCall(now: number): void {
    increment(this.#calls, now)
  }

  /** Whether one more repeat is allowed; counts it. */
  spend(now: number): boolean {
    const allowed = Math.max(FLOOR, sum(this.#calls, now) * SHARE)
    if (sum(this.#retries, now) + 1 > allowed) return false
    increment(this.#retries, now)
    return true
  }
}

const secondOf = (now: number): number => Math.floor(now / 1_000)

function increment(counts: Map<number, number>, now: number): void {
  const second = secondOf(now)
  counts.set(second, (counts.get(second) ?? 0) + 1)
  if (counts.size > SECONDS)
    for (const each of counts.keys()) if (each <= second - SECONDS) counts.delete(each)
}

function sum(counts: Map<number, number>, now: number): number {
  let total = 0
  for (const [second, count] of counts) if (second > secondOf(now) - SECONDS) total += count
  return total
}
