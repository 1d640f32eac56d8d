/**
 * What one isolate knows of the guard of one service, and what it has still to tell it. With a live lease a call goes
 * without asking; a "no" holds until its time. Time is an argument.
 */
import { type Admission, type InstanceView, LEASE_MS, type Why } from './admission.ts'
import type { Gate } from './gate.ts'
import { Ledger } from './ledger.ts'
import type { RateLimit } from './bucket.ts'
import { RateMeter } from './rate.ts'
import { RetryBudget } from './retry.ts'

/** Leave for one call, not bound to an instance yet. */
export type Pass = {
  readonly generation: number
  readonly isProbe: boolean
  /** Given without the guard. */
  readonly isFallback: boolean
  readonly instances: readonly InstanceView[]
}

export type Denial = { readonly why: Why; readonly retryAfterMs: number }

type Lease = {
  tokens: number
  readonly granted: number
  readonly until: number
  readonly generation: number
  readonly instances: readonly InstanceView[]
}

type Go = Extract<Admission, { is: 'go' }>

/** Tokens that an isolate asks for ahead of its calls. What it does not use, it gives back. */
const MIN_AHEAD = 4
const MAX_AHEAD = 256
/** Of a full bucket, the most that one isolate holds ahead. */
const AHEAD_SHARE = 0.25
/** An operator may have mended what was wrong, so a "no" is believed no longer without asking. */
const MAX_DENIAL_MS = 5_000
/** A lease is renewed when so little of it is left, or twice what the guard took to answer last, up to half of a lease. */
const MIN_RENEW_MS = 100
const MAX_RENEW_MS = LEASE_MS / 2
const RENEW_SHARE = 0.25

export class Desk {
  readonly ledger = new Ledger()
  readonly meter = new RateMeter()
  readonly budget = new RetryBudget()
  /** The gate that stands in while the guard cannot be reached. */
  standIn: Gate | undefined
  /** Until then the guard counts as out of reach. */
  awayUntil = 0
  /** A question for leave that is under way: whoever else needs leave waits until it is over. */
  asking: { readonly until: number } | undefined
  /** Calls that wait for leave. */
  waiting = 0
  /** What the guard took to answer last. */
  answerMs = 0
  /** When the guard was last told something. */
  toldAt = 0
  /** When what happened will be told. */
  flushDueAt = 0
  /** A report of failures under way: who asks next waits for it. */
  telling: Promise<unknown> | undefined
  /** How many calls were sent to an instance. */
  turn = 0
  /** Counts how often what the guard had said before ceased to count. */
  era = 0
  #version = ''
  #lease: Lease | undefined
  #denied: (Denial & { readonly until: number; readonly askAgainAt: number }) | undefined

  /** Whatever was said of other limits is forgotten. */
  heed(version: string, now: number): void {
    if (version === this.#version) return
    this.#version = version
    this.dropLease(now)
    this.#denied = undefined
    this.standIn = undefined
  }

  /** Leave from the lease, a "no" that still holds, or nothing: the guard must be asked. */
  take(now: number): Pass | Denial | undefined {
    const lease = this.#liveLease(now)
    if (lease && lease.tokens > 0) {
      lease.tokens--
      const { generation, instances } = lease
      return { generation, isProbe: false, isFallback: false, instances }
    }
    return this.#denied && now < this.#denied.askAgainAt ? this.denial(now) : undefined
  }

  /** The last "no", for as long as it was meant. */
  denial(now: number): Denial | undefined {
    if (!this.#denied || this.#denied.until <= now) return undefined
    return { why: this.#denied.why, retryAfterMs: Math.ceil(this.#denied.until - now) }
  }

  isAsking(now: number): boolean {
    return this.asking !== undefined && now < this.asking.until
  }

  /** A lease lives and is nearly used up, and there may be more. */
  isLow(now: number): boolean {
    const lease = this.#liveLease(now)
    if (!lease || this.#isDenied(now)) return false
    const renewMs = Math.min(MAX_RENEW_MS, Math.max(MIN_RENEW_MS, 2 * this.answerMs))
    return lease.until - now < renewMs || lease.tokens < lease.granted * RENEW_SHARE
  }

  /** Calls come so fast that another will come while a lease lives, and one does. */
  isBusy(now: number): boolean {
    return this.#liveLease(now) !== undefined && this.meter.perSecond(now) > LEASE_MS / 1_000
  }

  /** Tokens to ask for: those of half a lease at the pace of this isolate's own calls. */
  wanted(now: number, rate: RateLimit | undefined): number {
    const pace = (this.meter.perSecond(now) * LEASE_MS) / 1_000
    const ahead = Math.min(mostAhead(rate), Math.max(MIN_AHEAD, Math.floor(pace / 2)))
    return Math.max(1, ahead - Math.min(MAX_AHEAD, this.#liveLease(now)?.tokens ?? 0))
  }

  /** What the guard said when it was asked in `era`, with so many calls waiting for it. */
  accept(admission: Admission, now: number, era: number, waiting: number): void {
    switch (admission.is) {
      case 'noted':
        break
      case 'no':
        // What was granted before is still good where only more cannot be had.
        if (admission.why !== 'rate') this.dropLease(now)
        this.#denied = {
          why: admission.why,
          retryAfterMs: admission.retryAfterMs,
          until: now + admission.retryAfterMs,
          askAgainAt: now + Math.min(admission.retryAfterMs, MAX_DENIAL_MS),
        }
        break
      case 'go': {
        // A probe is no lease: it is for the one call that asked.
        if (admission.isProbe) break
        const isCurrent = era === this.era
        if (isCurrent) this.#denied = undefined
        this.#extendLease(admission, isCurrent ? Number.POSITIVE_INFINITY : waiting, now)
      }
    }
  }

  /** What comes too late is not used, and goes back. */
  decline(admission: Admission): void {
    if (admission.is === 'go' && !admission.isProbe) this.#giveBack(admission.tokens ?? 0)
  }

  /** The guard may think differently now, also of what was asked already. What is left goes back with the next report. */
  dropLease(now: number): void {
    this.era++
    if (this.#liveLease(now)) this.#endLease()
  }

  #extendLease(
    { tokens = Number.POSITIVE_INFINITY, generation, instances, ttlMs }: Go,
    most: number,
    now: number,
  ): void {
    const taken = Math.min(tokens, most)
    this.#giveBack(tokens - taken)
    if (taken === 0) return
    if (this.#liveLease(now)?.generation !== generation) this.#endLease()
    const granted = taken + (this.#lease?.tokens ?? 0)
    this.#lease = { tokens: granted, granted, until: now + ttlMs, generation, instances }
  }

  #isDenied(now: number): boolean {
    return this.denial(now) !== undefined
  }

  #liveLease(now: number): Lease | undefined {
    if (this.#lease && this.#lease.until <= now) this.#endLease()
    return this.#lease
  }

  #endLease(): void {
    this.#giveBack(this.#lease?.tokens ?? 0)
    this.#lease = undefined
  }

  #giveBack(tokens: number): void {
    if (Number.isFinite(tokens) && tokens > 0) this.ledger.note('unused', tokens)
  }
}

/**
 * What comes back into the bucket while a lease lives, or a part of the bucket where that is less: what lies with an
 * isolate whose calls are over is missing to all others (S57).
 */
export function mostAhead(rate: RateLimit | undefined): number {
  if (!rate) return MAX_AHEAD
  const comingBack = (rate.requestsPerMinute * LEASE_MS) / 60_000
  return Math.max(1, Math.floor(Math.min(MAX_AHEAD, comingBack, rate.burstLimit * AHEAD_SHARE)))
}
