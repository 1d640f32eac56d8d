/**
 * Results that are given again: those in the memory of this isolate first, then those that all isolates share. And which
 * calls are under way that will bring one, so that others may wait for it instead of making the same call.
 */
import type { Background } from '../platform/background.ts'
import type { ByteBudget } from '../platform/budget.ts'
import type { Clock } from '../platform/clock.ts'
import { wait } from '../platform/deadline.ts'
import { Shelf } from '../platform/shelf.ts'
import { LIMITS } from '../protocol/limits.ts'
import type { Kept, SharedResults } from '../registry/caching.ts'

export const RESULT_LIMITS = {
  /** Of one result; every character is at least one. */
  maxBytes: 1_048_576,
  /** Of all that one isolate keeps in memory. */
  memoryBytes: 8_388_608,
  /** What is kept with each. */
  overheadBytes: 512,
  /** Calls under way that are known at once. */
  flights: 10_000,
  /** Between two looks at a call that is waited for: a share of the time it took so far, within these. */
  minLookMs: 5,
  maxLookMs: 100,
} as const

/** A call that may bring a result. */
export type Flight = {
  /** `landed`: it is over, and whatever can be kept is. `lost`: its caller went away. */
  is: 'flying' | 'landed' | 'lost'
  /** Its caller is being told of it already, and it may take as long as it has something to say. */
  isStream: boolean
  /** One that was killed half-way is never told to be over. Epoch ms. */
  readonly lostAt: number
}

export type ResultPorts = {
  readonly shared: SharedResults
  readonly budget: ByteBudget
  readonly clock: Clock
}

export class Results {
  readonly #ports: ResultPorts
  readonly #memory: Shelf<Kept>
  readonly #flights = new Map<string, Flight>()

  constructor(ports: ResultPorts) {
    this.#ports = ports
    this.#memory = new Shelf(RESULT_LIMITS.memoryBytes, ports.budget.open())
  }

  /** What this isolate remembers, whatever its age. */
  look(key: string): Kept | undefined {
    return this.#memory.get(key)
  }

  /** What all isolates share; remembered here from now on. */
  async find(key: string): Promise<Kept | undefined> {
    const kept = await this.#ports.shared.find(key)
    if (kept) this.#remember(key, kept)
    return kept
  }

  keep(key: string, kept: Kept, background: Background): void {
    this.#remember(key, kept)
    background(this.#ports.shared.keep(key, kept))
  }

  /** The call under way for this key. */
  flight(key: string): Flight | undefined {
    const flight = this.#flights.get(key)
    return flight && flight.lostAt > this.#ports.clock() ? flight : undefined
  }

  /** Others may wait for this call from now on. */
  begin(key: string, timeoutMs: number): Flight {
    if (this.#flights.size >= RESULT_LIMITS.flights) this.#flights.clear()
    const lostAt = this.#ports.clock() + Math.max(timeoutMs, LIMITS.streamTotalMs)
    const flight: Flight = { is: 'flying', isStream: false, lostAt }
    this.#flights.set(key, flight)
    return flight
  }

  /** The call for this key is over, if there was one; the first word on it counts. */
  end(key: string, how: 'landed' | 'lost'): void {
    const flight = this.#flights.get(key)
    if (!flight) return
    flight.is = how
    this.#flights.delete(key)
  }

  /** Looks, since a promise of another request may never be heard of in this one. False: it still flies. */
  async hasEnded(flight: Flight, until: number, signal: AbortSignal): Promise<boolean> {
    const { minLookMs, maxLookMs } = RESULT_LIMITS
    const startedAt = this.#ports.clock()
    while (flight.is === 'flying') {
      const now = this.#ports.clock()
      if (now >= until || signal.aborted) return false
      await wait(Math.min(Math.max((now - startedAt) / 4, minLookMs), maxLookMs, until - now))
    }
    return true
  }

  #remember(key: string, kept: Kept): void {
    const bytes = 2 * kept.result.length + RESULT_LIMITS.overheadBytes
    this.#memory.put(key, kept, bytes)
  }
}
