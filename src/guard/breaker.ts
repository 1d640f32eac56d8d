/**
 * The circuit breaker of a service. Every change of state is a new generation, and what became of a call counts only
 * in the generation in which it began: a late answer cannot speak for a newer time (F27, F28). Pure: time and chance
 * are arguments.
 */
import { addTo, type Counts, EMPTY, quietMs, sumOf, type Window } from './window.ts'

export type Breaker =
  | {
      readonly is: 'closed'
      readonly generation: number
      readonly window: Window
      readonly failuresInARow: number
    }
  | { readonly is: 'open'; readonly generation: number; readonly until: number; readonly trips: number }
  | {
      readonly is: 'half_open'
      readonly generation: number
      readonly trips: number
      /** Probes that came back well. */
      readonly passed: number
      /** Until then one probe is under way; past: none. */
      readonly probeUntil: number
    }

export type BreakerPolicy = {
  /** Failures in a row that open it. */
  readonly failureThreshold: number
  /** It stays open no longer than this the first time. */
  readonly recoveryMs: number
  /** Probes, one after the other, that must come back well until it closes. */
  readonly halfOpenMaxCalls: number
  /** After this a probe that was not heard of again counts as lost (F26). */
  readonly probeMs: number
}

/** What became of some calls of one generation. */
export type Tally = Counts & {
  readonly generation: number
  /** Calls that say nothing about the service. */
  readonly neutral: number
  /** The longest time that the service itself asked for. */
  readonly retryAfterMs: number
}

/** `free`: any number may go. `probe`: this one call. A number: none, for so many ms. */
export type Leave = 'free' | 'probe' | number

const MIN_CALLS = 10
const MAX_RATE = 0.5
const MAX_OPEN_MS = 60_000
/** Failures that are further apart are no row (F29). Longer than any call, or one that times out would never count. */
const ROW_MS = 600_000
/** While a probe is under way, others look again after this. */
const LOOK_AGAIN_MS = 500

export const CLOSED: Breaker = closed(1)

/** Whether a call may go now. Changes nothing. */
export function leaveOf(breaker: Breaker, now: number): Leave {
  switch (breaker.is) {
    case 'closed':
      return 'free'
    case 'open':
      return now < breaker.until ? breaker.until - now : 'probe'
    case 'half_open':
      return now < breaker.probeUntil ? Math.min(breaker.probeUntil - now, LOOK_AGAIN_MS) : 'probe'
  }
}

/** The breaker once its probe is under way; for a breaker whose leave is `probe`. */
export function sendProbe(breaker: Breaker, { probeMs }: BreakerPolicy, now: number): Breaker {
  if (breaker.is === 'closed') return breaker
  const passed = breaker.is === 'half_open' ? breaker.passed : 0
  const { trips } = breaker
  return { is: 'half_open', generation: breaker.generation + 1, trips, passed, probeUntil: now + probeMs }
}

/** The breaker after it heard what became of some calls. `random`: from 0 to 1. */
export function hear(
  breaker: Breaker,
  tally: Tally,
  policy: BreakerPolicy,
  now: number,
  random: number,
): Breaker {
  if (tally.generation !== breaker.generation) return breaker
  switch (breaker.is) {
    case 'open':
      return breaker
    case 'closed': {
      const window = addTo(breaker.window, tally, now)
      // A failure is told at once, so it comes after what went well.
      const isRowOver = tally.ok > 0 || quietMs(breaker.window, now) > ROW_MS
      const before = isRowOver ? 0 : breaker.failuresInARow
      const failuresInARow = before + tally.failed
      return isTooMuch(failuresInARow, sumOf(window, now), policy)
        ? opened(breaker.generation, 0, tally, policy, now, random)
        : { ...breaker, window, failuresInARow }
    }
    case 'half_open': {
      const { generation, trips } = breaker
      if (tally.failed > 0) return opened(generation, trips + 1, tally, policy, now, random)
      const passed = breaker.passed + tally.ok
      return passed >= policy.halfOpenMaxCalls
        ? closed(generation + 1)
        : { ...breaker, passed, probeUntil: 0 }
    }
  }
}

function isTooMuch(failuresInARow: number, recent: Counts, { failureThreshold }: BreakerPolicy): boolean {
  if (failuresInARow >= failureThreshold) return true
  const calls = recent.ok + recent.failed
  const bad = recent.failed + recent.slow
  return calls >= Math.max(MIN_CALLS, failureThreshold) && bad >= calls * MAX_RATE
}

function opened(
  generation: number,
  trips: number,
  { retryAfterMs }: Tally,
  { recoveryMs }: BreakerPolicy,
  now: number,
  random: number,
): Breaker {
  const capMs = Math.max(MAX_OPEN_MS, recoveryMs)
  // Spread, so that all that wait do not come back at once; never longer than what was set.
  const openMs = Math.min(capMs, recoveryMs * 2 ** trips) * (0.8 + 0.2 * random)
  const until = now + Math.max(openMs, Math.min(retryAfterMs, capMs))
  return { is: 'open', generation: generation + 1, until, trips }
}

function closed(generation: number): Breaker {
  return { is: 'closed', generation, window: EMPTY, failuresInARow: 0 }
}

/** What must survive the memory that it is in. */
export const lasting = (breaker: Breaker): Breaker =>
  breaker.is === 'closed' ? closed(breaker.generation) : breaker
