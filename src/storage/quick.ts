/**
 * The quick store (Upstash Redis). Cache only, never a decision. No retries. Absent, slow or out of quota: a miss.
 */
import type { Clock } from '../platform/clock.ts'
import { StoreRefusal, UpstashClient } from './upstash.ts'

export const quickPolicy = {
  /** A caller may be waiting for these two, who waits 2 s in all (F52, F60). */
  readBudgetMs: 150,
  imageBudgetMs: 1_000,
  /** Nobody waits for these. */
  writeBudgetMs: 3_000,
  /** After so many misses in a row it is left alone for so long (F60). */
  missesInARow: 5,
  pauseMs: 5_000,
  /** And for so long when its quota is spent (F62). */
  quotaPauseMs: 60_000,
  retries: 0,
  onLoss: 'miss',
} as const

export class QuickStore {
  readonly #reads: UpstashClient
  readonly #images: UpstashClient
  readonly #writes: UpstashClient
  readonly #clock: Clock
  #misses = 0
  #pausedUntil = 0

  constructor(url: string, token: string, clock: Clock) {
    this.#reads = new UpstashClient(url, token, quickPolicy.readBudgetMs)
    this.#images = new UpstashClient(url, token, quickPolicy.imageBudgetMs)
    this.#writes = new UpstashClient(url, token, quickPolicy.writeBudgetMs)
    this.#clock = clock
  }

  async get(key: string, size: 'small' | 'image' = 'small'): Promise<string | undefined> {
    const redis = size === 'small' ? this.#reads : this.#images
    const value = await this.#try(() => redis.send('GET', key))
    // Numbers come back as numbers where the server keeps them so; nothing else is ever stored by us.
    return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined
  }

  /** For so long and no longer. */
  async set(key: string, value: string, seconds: number): Promise<void> {
    await this.#try(() => this.#writes.send('SET', key, value, 'EX', seconds))
  }

  async delete(key: string): Promise<void> {
    await this.#try(() => this.#reads.send('DEL', key))
  }

  /** Whether the script ran. */
  async run(script: string, keys: string[], args: string[]): Promise<boolean> {
    return (
      (await this.#try(() => this.#writes.send('EVAL', script, keys.length, ...keys, ...args))) !== undefined
    )
  }

  /** Whether the store answers now; for health reports. */
  async isReachable(): Promise<boolean> {
    return (await this.#try(() => this.#reads.send('PING'))) !== undefined
  }

  async #try<T>(work: () => Promise<T>): Promise<T | undefined> {
    const now = this.#clock()
    if (now < this.#pausedUntil) return undefined
    try {
      const value = await work()
      this.#misses = 0
      return value
    } catch (error) {
      this.#miss(now, error instanceof StoreRefusal && error.isQuotaSpent)
      return undefined
    }
  }

  /** What was thrown is dropped, not logged: it may hold the command (S58). */
  #miss(now: number, isQuotaSpent: boolean): void {
    this.#misses++
    if (isQuotaSpent) this.#pauseUntil(now + quickPolicy.quotaPauseMs)
    else if (this.#misses >= quickPolicy.missesInARow) this.#pauseUntil(now + quickPolicy.pauseMs)
  }

  /** Never shorter than another miss has made it. */
  #pauseUntil(at: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, at)
  }
}
