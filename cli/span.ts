/** Moments and durations as people say them: `24h`, `7d`, `90s`, or an exact time. Pure. */
import { misuse } from './failure.ts'

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}
const SPAN = /^(\d{1,9})(ms|s|m|h|d|w)$/

/** Throws where `text` is no duration; `option` names who asked. */
export function readSpanMs(text: string, option: string): number {
  const spanMs = spanOf(text)
  if (spanMs === undefined) throw misuse(`${option} must be a duration such as 30s, 15m, 24h or 7d.`)
  return spanMs
}

/** That long ago. */
export const readPast = (text: string, option: string, now: number): string => readTime(text, option, now, -1)

/** In that long. */
export const readFuture = (text: string, option: string, now: number): string =>
  readTime(text, option, now, 1)

function readTime(text: string, option: string, now: number, direction: 1 | -1): string {
  const spanMs = spanOf(text)
  const time = spanMs === undefined ? Date.parse(text) : now + direction * spanMs
  if (Number.isNaN(new Date(time).getTime()))
    throw misuse(`${option} must be a duration such as 24h or 7d, or a time such as 2026-01-31T12:00:00Z.`)
  return new Date(time).toISOString()
}

function spanOf(text: string): number | undefined {
  const [, amount, unit = ''] = SPAN.exec(text) ?? []
  const unitMs = UNIT_MS[unit]
  return unitMs === undefined ? undefined : Number(amount) * unitMs
}
