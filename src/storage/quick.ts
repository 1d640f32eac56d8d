/**
 * The quick store (Upstash Redis). Cache only, never a decision. Budget 150 ms a read, no retry. Absent or
 * slow: a miss; after 5 misses in a row it is left alone for 5 s (F60–F63).
 */
import { Redis } from '@upstash/redis/cloudflare'
import type { Clock } from '../platform/clock.ts'

export const quickPolicy = {
  readBudgetMs: 150,
  bulkBudgetMs: 3_000,
  missesInARow: 5,
  pauseMs: 5_000,
  onLoss: 'miss',
} as const

export class QuickStore {
  readonly #reads: Redis
  readonly #bulk: Redis
  readonly #clock: Clock
  #misses = 0
  #pausedUntil = 0

  constructor(url: string, token: string, clock: Clock) {
    this.#reads = connect(url, token, quickPolicy.readBudgetMs)
    this.#bulk = connect(url, token, quickPolicy.bulkBudgetMs)
    this.#clock = clock
  }

  async get(key: string, size: 'small' | 'bulk' = 'small'): Promise<string | undefined> {
    const redis = size === 'small' ? this.#reads : this.#bulk
    const value = await this.#try(() => redis.get<unknown>(key))
    // Numbers come back as numbers where the server keeps them so; nothing else is ever stored by us.
    return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined
  }

  /** Whether the script ran. */
  async run(script: string, keys: string[], args: string[]): Promise<boolean> {
    return (await this.#try(() => this.#bulk.eval(script, keys, args))) !== undefined
  }

  /** Whether the store answers now; for health reports. */
  async isReachable(): Promise<boolean> {
    return (await this.#try(() => this.#reads.ping())) !== undefined
  }

  async #try<T>(work: () => Promise<T>): Promise<T | undefined> {
    const now = this.#clock()
    if (now < this.#pausedUntil) return undefined
    try {
      const value = await work()
      this.#misses = 0
      return value
    } catch {
      // The client's error text holds the whole command: it is dropped, not logged (S58).
      if (++this.#misses >= quickPolicy.missesInARow) this.#pausedUntil = now + quickPolicy.pauseMs
      return undefined
    }
  }
}

/** Only a signal *function* makes this client throw on abort; a plain signal yields a made-up 200 (F63). */
const connect = (url: string, token: string, budgetMs: number): Redis =>
  new Redis({
    url,
    token,
    retry: { retries: 0 },
    automaticDeserialization: false,
    enableTelemetry: false,
    enableAutoPipelining: false,
    signal: () => AbortSignal.timeout(budgetMs),
  })
