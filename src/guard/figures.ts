/** What the guard of a service counts. */
import type { CallCount, Report, Why } from './admission.ts'

/** Since the gate was first used; none of it ever goes back. */
export type Figures = {
  readonly calls: Readonly<Record<CallCount, number>>
  /** Of calls: each time that one was sent. */
  readonly ok: number
  readonly failed: number
  /** Calls that say nothing about the service: cancelled, unauthorized, throttled, too large. */
  readonly neutral: number
  readonly retried: number
  readonly fallback: number
  /** Records that were lost for want of room. */
  readonly dropped: number
  readonly refused: Readonly<Record<Why, number>>
  /** Tokens of leases that were given back. */
  readonly unused: number
  /** How long calls took, all together. */
  readonly durationsMs: number
  /** Times that the circuit opened. */
  readonly openings: number
  /** Times that the gate was asked for leave, and times that it was only told something. */
  readonly admits: number
  readonly reports: number
}

const NOTHING: Figures = {
  calls: { success: 0, error: 0, timeout: 0, cancelled: 0, refused: 0, cached: 0 },
  ok: 0,
  failed: 0,
  neutral: 0,
  retried: 0,
  fallback: 0,
  dropped: 0,
  refused: { rate: 0, open: 0, throttled: 0, audit: 0 },
  unused: 0,
  durationsMs: 0,
  openings: 0,
  admits: 0,
  reports: 0,
}

/** What an earlier release did not count begins at nothing. */
export const restored = (saved?: Partial<Figures>): Figures => ({
  ...NOTHING,
  ...saved,
  calls: { ...NOTHING.calls, ...saved?.calls },
  refused: { ...NOTHING.refused, ...saved?.refused },
})

/** With a report. `isAsked`: it came with a question for leave. */
export function grown(figures: Figures, report: Report, openings: number, isAsked: boolean): Figures {
  const add = (member: 'ok' | 'failed' | 'neutral'): number =>
    report.tallies.reduce((sum, tally) => sum + tally[member], figures[member])
  const { calls } = report
  const { rate, open, throttled, audit } = report.refused
  return {
    calls: {
      success: figures.calls.success + (calls.success ?? 0),
      error: figures.calls.error + (calls.error ?? 0),
      timeout: figures.calls.timeout + (calls.timeout ?? 0),
      cancelled: figures.calls.cancelled + (calls.cancelled ?? 0),
      refused: figures.calls.refused + (calls.refused ?? 0),
      cached: figures.calls.cached + (calls.cached ?? 0),
    },
    ok: add('ok'),
    failed: add('failed'),
    neutral: add('neutral'),
    retried: figures.retried + report.retried,
    fallback: figures.fallback + report.fallback,
    dropped: figures.dropped + report.dropped,
    refused: {
      rate: figures.refused.rate + rate,
      open: figures.refused.open + open,
      throttled: figures.refused.throttled + throttled,
      audit: figures.refused.audit + audit,
    },
    unused: figures.unused + report.unused,
    durationsMs: figures.durationsMs + report.durationsMs,
    openings: figures.openings + openings,
    admits: figures.admits + (isAsked ? 1 : 0),
    reports: figures.reports + (isAsked ? 0 : 1),
  }
}
