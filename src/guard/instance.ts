/**
 * How the instances of a service are doing, from what became of their calls and from asking them: one that keeps
 * failing is left out for a while, a little longer each time. Pure.
 */
export type InstanceHealth = {
  readonly failuresInARow: number
  /** Left out until then. */
  readonly ejectedUntil: number
  readonly timesEjected: number
  /** Recent share of calls that went well, the last ones counting most. */
  readonly score: number
  /** What it said when it was last asked; `undefined`: it never was. */
  readonly isAnswering: boolean | undefined
}

/** What became of some calls of one instance. */
export type InstanceTally = {
  readonly ok: number
  readonly failed: number
  /** Calls that did not even reach it. */
  readonly unreached: number
}

export const HEALTHY: InstanceHealth = {
  failuresInARow: 0,
  ejectedUntil: 0,
  timesEjected: 0,
  score: 1,
  isAnswering: undefined,
}

const FAILURES_IN_A_ROW = 3
const EJECTED_MS = 30_000
const MAX_EJECTED_MS = 300_000
/** How much one call changes the score. */
const CHANGE = 0.1

export const isDown = (health: InstanceHealth, now: number): boolean =>
  health.isAnswering === false || now < health.ejectedUntil

/** One that cannot be reached is left out at once, one that fails after a few failures in a row. */
export function hearOf(
  health: InstanceHealth,
  { ok, failed, unreached }: InstanceTally,
  now: number,
): InstanceHealth {
  const failuresInARow = (ok > 0 ? 0 : health.failuresInARow) + failed
  const score = blend(blend(health.score, 1, ok), 0, failed)
  const timesEjected = ok > 0 ? 0 : health.timesEjected
  const next = { ...health, failuresInARow, score, timesEjected }
  const isBad = unreached > 0 || failuresInARow >= FAILURES_IN_A_ROW
  if (!isBad || now < health.ejectedUntil) return next
  const ejectedMs = Math.min(MAX_EJECTED_MS, EJECTED_MS * (timesEjected + 1))
  return { ...next, ejectedUntil: now + ejectedMs, timesEjected: timesEjected + 1 }
}

/**
 * It was asked whether it is there. One that is, is let in again; one that is not, stays out until it is. It counts
 * like a call, or one with a low score that gets no calls would keep it.
 */
export const hearProbe = (health: InstanceHealth, isAnswering: boolean): InstanceHealth =>
  isAnswering
    ? { ...health, isAnswering, ejectedUntil: 0, failuresInARow: 0, score: blend(health.score, 1, 1) }
    : { ...health, isAnswering, score: blend(health.score, 0, 1) }

const blend = (score: number, towards: number, times: number): number =>
  towards + (score - towards) * (1 - CHANGE) ** times
