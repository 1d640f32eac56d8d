/**
 * What became of the calls of the last ten seconds, by second. Each second is stamped, so that old ones are skipped
 * however long nothing was added (F29). Pure.
 */
export type Counts = { readonly ok: number; readonly failed: number; readonly slow: number }

type Second = Counts & { readonly second: number }

export type Window = readonly Second[]

export const EMPTY: Window = []
const SECONDS = 10
const NONE: Counts = { ok: 0, failed: 0, slow: 0 }

export function addTo(window: Window, counts: Counts, now: number): Window {
  const second = Math.floor(now / 1_000)
  const others = living(window, second).filter((each) => each.second !== second)
  const same = window.find((each) => each.second === second) ?? NONE
  return [...others, { second, ...plus(same, counts) }]
}

export const sumOf = (window: Window, now: number): Counts =>
  living(window, Math.floor(now / 1_000)).reduce(plus, NONE)

/** How long nothing was added. */
export const quietMs = (window: Window, now: number): number => now - (window.at(-1)?.second ?? 0) * 1_000

const living = (window: Window, second: number): Window =>
  window.filter((each) => each.second > second - SECONDS && each.second <= second)

const plus = (a: Counts, b: Counts): Counts => ({
  ok: a.ok + b.ok,
  failed: a.failed + b.failed,
  slow: a.slow + b.slow,
})
