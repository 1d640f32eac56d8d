/**
 * The guard of one service as a state machine: one bucket, one breaker, the health of its instances, for all isolates
 * together. Time and chance are arguments; whoever owns it keeps what `saved` says (the ServiceGuard), or lets it be
 * forgotten (an isolate that cannot reach it).
 */
import type { Admission, AdmitRequest, InstanceView, Limits, Report, Why } from './admission.ts'
import { LEASE_MS } from './admission.ts'
import { type Breaker, CLOSED, hear, lasting, leaveOf, sendProbe } from './breaker.ts'
import { type Bucket, fitted, FULL, giveBackTo, nextTokenMs, takeFrom, tokensIn } from './bucket.ts'
import { type Figures, grown, restored } from './figures.ts'
import { HEALTHY, hearOf, hearProbe, type InstanceHealth, isDown } from './instance.ts'
import { type Histogram, Latencies } from './latency.ts'

/** What outlives the memory of the gate. */
export type SavedGate = {
  readonly breaker: Breaker
  readonly bucket: Bucket
  readonly pausedUntil: number
  readonly figures: Figures
  /** As `Latencies` gives them. */
  readonly latencies: readonly number[]
}

/** An isolate that has not asked for so long shares nothing any more. */
const ACTIVE_MS = 5_000
const MAX_PAUSE_MS = 60_000
/** So many calls that wait in one isolate get their tokens at once, where these are there. */
const LEAST_SHARE = 4

type Isolate = { readonly seenAt: number; readonly inFlight: Readonly<Record<string, number>> }

export class Gate {
  #breaker: Breaker
  #bucket: Bucket
  #pausedUntil: number
  #figures: Figures
  readonly #durations: Latencies
  readonly #isolates = new Map<string, Isolate>()
  readonly #instances = new Map<string, InstanceHealth>()
  #latest = 0

  constructor(saved?: Partial<SavedGate>) {
    this.#breaker = saved?.breaker ?? CLOSED
    this.#bucket = saved?.bucket ?? FULL
    this.#pausedUntil = saved?.pausedUntil ?? 0
    this.#figures = restored(saved?.figures)
    this.#durations = new Latencies(saved?.latencies)
  }

  get breaker(): Breaker {
    return this.#breaker
  }

  get saved(): SavedGate {
    return {
      breaker: lasting(this.#breaker),
      bucket: this.#bucket,
      pausedUntil: this.#pausedUntil,
      figures: this.#figures,
      latencies: this.#durations.pairs,
    }
  }

  /** Hears the report first, so that a caller's own failures count before its next call. */
  admit({ isolate, want, waiting, limits, report }: AdmitRequest, clock: number, random: number): Admission {
    const now = this.#advance(clock)
    const openings = this.#hear(isolate, report, limits, now, random)
    this.#figures = grown(this.#figures, report, openings, want > 0)
    if (want === 0) return { is: 'noted' }
    if (now < this.#pausedUntil) return no('throttled', this.#pausedUntil - now)
    const leave = leaveOf(this.#breaker, now)
    if (typeof leave === 'number') return no('open', leave)
    if (leave === 'probe' && waiting === 0) return { is: 'noted' }
    const tokens = this.#take(leave === 'probe' ? 1 : want, waiting, limits, now)
    if (tokens === 0) return waiting > 0 ? no('rate', this.#fairWaitMs(limits, now)) : { is: 'noted' }
    const isProbe = leave === 'probe'
    if (isProbe) this.#breaker = sendProbe(this.#breaker, limits, now)
    const { generation } = this.#breaker
    return {
      is: 'go',
      tokens,
      ttlMs: LEASE_MS,
      generation,
      isProbe,
      instances: this.#viewFor(isolate, limits, now),
    }
  }

  /** An operator has seen the service work: its circuit is tried at once, and it is not left alone any longer. */
  forgive(clock: number): void {
    const now = this.#advance(clock)
    this.#pausedUntil = Math.min(this.#pausedUntil, now)
    if (this.#breaker.is === 'open') this.#breaker = { ...this.#breaker, until: now }
  }

  /** An instance was asked whether it is there. */
  hearProbe(url: string, isAnswering: boolean): void {
    this.#instances.set(url, hearProbe(this.#instances.get(url) ?? HEALTHY, isAnswering))
  }

  /** What operators are shown. */
  view(limits: Limits, clock: number): GateView {
    const now = this.#advance(clock)
    const { rate } = limits
    const leave = leaveOf(this.#breaker, now)
    return {
      breaker: {
        state: this.#breaker.is,
        generation: this.#breaker.generation,
        trips: this.#breaker.is === 'closed' ? 0 : this.#breaker.trips + 1,
        retryAfterMs: typeof leave === 'number' ? Math.ceil(leave) : 0,
      },
      bucket: rate ? { ...rate, tokens: tokensIn(this.#bucket, rate, now) } : null,
      pausedMs: Math.max(0, this.#pausedUntil - now),
      counts: this.#figures,
      latency: {
        p50Ms: this.#durations.percentileMs(0.5) ?? null,
        p95Ms: this.#durations.percentileMs(0.95) ?? null,
        p99Ms: this.#durations.percentileMs(0.99) ?? null,
      },
      durations: this.#durations.histogram,
      inFlight: this.#active(now).reduce((sum, [, { inFlight }]) => sum + total(inFlight), 0),
      isolates: this.#active(now).length,
      instances: this.#viewFor('', limits, now),
    }
  }

  /** A clock that steps back stands still instead: no token comes twice (F50). */
  #advance(clock: number): number {
    this.#latest = Math.max(this.#latest, clock)
    return this.#latest
  }

  /** Gives how often the circuit opened at that. */
  #hear(isolate: string, report: Report, limits: Limits, now: number, random: number): number {
    let openings = 0
    this.#isolates.set(isolate, { seenAt: now, inFlight: report.inFlight })
    if (limits.rate) {
      this.#bucket = fitted(giveBackTo(this.#bucket, limits.rate, report.unused), limits.rate, now)
    }
    this.#pausedUntil = Math.max(this.#pausedUntil, now + Math.min(report.pauseMs, MAX_PAUSE_MS))
    for (const tally of report.tallies) {
      const before = this.#breaker
      this.#breaker = hear(before, tally, limits, now, random)
      if (this.#breaker.is === 'open' && before.is !== 'open') openings++
      const health = this.#instances.get(tally.url) ?? HEALTHY
      if (limits.instances.includes(tally.url)) this.#instances.set(tally.url, hearOf(health, tally, now))
    }
    this.#durations.addPairs(report.durations)
    return openings
  }

  #take(want: number, waiting: number, { rate }: Limits, now: number): number | undefined {
    if (!rate) return undefined
    const there = tokensIn(this.#bucket, rate, now)
    // One isolate never takes so much that the others get nothing (S57); but crumbs would cost each call many questions.
    const least = Math.max(1, Math.min(waiting, LEAST_SHARE))
    const share = Math.max(least, Math.floor(there / (2 * this.#active(now).length)))
    // Nor ahead of its calls what others may be waiting for.
    const spare = Math.max(0, Math.floor(there - rate.burstLimit / 2))
    const tokens = Math.min(want, share, there, Math.max(waiting, spare))
    if (tokens > 0) this.#bucket = takeFrom(this.#bucket, rate, tokens, now)
    return tokens
  }

  /** So long that all who are told to wait do not come back for the same token. */
  #fairWaitMs({ rate }: Limits, now: number): number {
    if (!rate) return 0
    const others = this.#active(now).length - 1
    return nextTokenMs(this.#bucket, rate, now) + (others * 60_000) / rate.requestsPerMinute
  }

  #active(now: number): [id: string, Isolate][] {
    for (const [id, { seenAt }] of this.#isolates) if (seenAt <= now - ACTIVE_MS) this.#isolates.delete(id)
    return [...this.#isolates]
  }

  #viewFor(asker: string, { instances }: Limits, now: number): InstanceView[] {
    const others = this.#active(now).flatMap(([id, { inFlight }]) => (id === asker ? [] : [inFlight]))
    return instances.map((url) => {
      const health = this.#instances.get(url) ?? HEALTHY
      const inFlight = others.reduce((sum, each) => sum + (each[url] ?? 0), 0)
      return { url, isDown: isDown(health, now), inFlight, score: health.score }
    })
  }
}

export type GateView = {
  readonly breaker: {
    readonly state: Breaker['is']
    readonly generation: number
    /** Times in a row that it opened. */
    readonly trips: number
    /** Until a call may go. */
    readonly retryAfterMs: number
  }
  readonly bucket: { requestsPerMinute: number; burstLimit: number; tokens: number } | null
  /** For so long the service asked to be left alone. */
  readonly pausedMs: number
  readonly counts: Figures
  readonly latency: { p50Ms: number | null; p95Ms: number | null; p99Ms: number | null }
  readonly durations: Histogram
  /** Calls under way, as the isolates told last. */
  readonly inFlight: number
  readonly isolates: number
  readonly instances: readonly InstanceView[]
}

const no = (why: Why, retryAfterMs: number): Admission => ({
  is: 'no',
  why,
  retryAfterMs: Math.ceil(retryAfterMs),
})

const total = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0)
