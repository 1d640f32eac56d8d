/**
 * Leave to try a password: by user name in this isolate, whether there is such a user or not, and for all names
 * together, since each try costs much. As GCRA: a burst, then one at a time.
 */
import type { Clock } from '../platform/clock.ts'

export const GUESSES = {
  ofOneName: { burst: 10, everyMs: 6_000 },
  ofAll: { burst: 30, everyMs: 500 },
} as const

type Rate = { readonly burst: number; readonly everyMs: number }

const MAX_NAMES = 10_000

export class Guesses {
  readonly #clock: Clock
  /** When a name that was tried is as good as one that was not; the longest untried first. */
  readonly #restedAt = new Map<string, number>()
  #allRestedAt = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** 0: it may be tried now, and that counts. Otherwise how long to wait. */
  take(name: string): number {
    const now = this.#clock()
    const { ofOneName, ofAll } = GUESSES
    const restedAt = Math.max(now, this.#restedAt.get(name) ?? 0)
    const allRestedAt = Math.max(now, this.#allRestedAt)
    const waitMs = Math.max(waitOf(restedAt - now, ofOneName), waitOf(allRestedAt - now, ofAll))
    if (waitMs > 0) return waitMs
    this.#allRestedAt = allRestedAt + ofAll.everyMs
    this.#restedAt.delete(name)
    this.#restedAt.set(name, restedAt + ofOneName.everyMs)
    this.#forgetOldest()
    return 0
  }

  /** The password was right: its user has not been guessing. */
  forgive(name: string): void {
    this.#restedAt.delete(name)
  }

  #forgetOldest(): void {
    const [oldest] = this.#restedAt.keys()
    if (oldest !== undefined && this.#restedAt.size > MAX_NAMES) this.#restedAt.delete(oldest)
  }
}

const waitOf = (restMs: number, { burst, everyMs }: Rate): number =>
  Math.max(0, restMs - (burst - 1) * everyMs)
