/**
 * What an isolate and the guard of a service say to each other: who asks, for how many calls, and what became of the
 * ones before. Small and flat, since it crosses from one isolate to another; times are spans, since their clocks differ.
 */
import type { BreakerPolicy, Tally } from './breaker.ts'
import type { RateLimit } from './bucket.ts'

export type Limits = BreakerPolicy & {
  /** `undefined`: any number of calls. */
  readonly rate: RateLimit | undefined
  /** Calls that take longer count as slow; `undefined`: none does. */
  readonly slowMs: number | undefined
  /** The addresses of a service that has several; empty otherwise. */
  readonly instances: readonly string[]
  /** No call goes whose record may find no room (F59). */
  readonly needsRecords?: boolean
}

/** Why a call may not go: too many of them; the circuit is open; the service itself asked to wait; no room for records. */
export type Why = 'rate' | 'open' | 'throttled' | 'audit'

/** What became of a call as a whole, however often it was tried. `error` also is one of the service's own. */
export type CallStatus = 'success' | 'error' | 'timeout' | 'cancelled' | 'refused'
/** `cached`: answered with a result that was kept. */
export type CallCount = CallStatus | 'cached'

export type InstanceView = {
  readonly url: string
  readonly isDown: boolean
  /** Calls of other isolates that it works on. */
  readonly inFlight: number
  readonly score: number
}

export type Admission =
  | {
      readonly is: 'go'
      /** Calls that may go while the lease holds; `undefined`: any number. */
      readonly tokens: number | undefined
      readonly ttlMs: number
      readonly generation: number
      /** The one call on which it depends whether the circuit closes. */
      readonly isProbe: boolean
      readonly instances: readonly InstanceView[]
    }
  | { readonly is: 'no'; readonly why: Why; readonly retryAfterMs: number }
  /** Nothing was asked for. */
  | { readonly is: 'noted' }

export type InstanceCounts = Tally & {
  /** Empty: the only one. */
  readonly url: string
  /** Of the failed: calls that did not reach it. */
  readonly unreached: number
}

/** What happened in an isolate since its last report. */
export type Report = {
  readonly tallies: readonly InstanceCounts[]
  /** Tokens of leases that ended before they were used. */
  readonly unused: number
  /** For so long the service wants to be left alone. */
  readonly pauseMs: number
  /** How long calls took: pairs of step and count (`Latencies`), and all of them together. */
  readonly durations: readonly number[]
  readonly durationsMs: number
  /** Calls that are over. */
  readonly calls: Readonly<Partial<Record<CallCount, number>>>
  readonly refused: Readonly<Record<Why, number>>
  /** Calls let through without the guard, which could not be reached. */
  readonly fallback: number
  readonly retried: number
  /** Records that were lost for want of room. */
  readonly dropped: number
  readonly inFlight: Readonly<Record<string, number>>
  /** Records as JSON texts, to be kept until they are stored. */
  readonly records: readonly string[]
}

export type AdmitRequest = {
  readonly isolate: string
  /** 0: only to report. */
  readonly want: number
  /** Calls that wait for it; only they can be a probe, and only they may have the last tokens. */
  readonly waiting: number
  readonly limits: Limits
  readonly report: Report
}

/** A lease ends after this. */
export const LEASE_MS = 1_000
