/** What an isolate may say to a guard, with what a test cares about filled in. */
import type { AdmitRequest, InstanceCounts, Limits, Report } from '../../../src/guard/admission.ts'
import { NO_NEWS } from '../../../src/guard/ledger.ts'

/** Within a second, as most moments are. */
export const NOW = 1_790_000_000_123

export const LIMITS: Limits = {
  failureThreshold: 5,
  recoveryMs: 5_000,
  halfOpenMaxCalls: 1,
  probeMs: 11_000,
  rate: undefined,
  slowMs: undefined,
  instances: [],
}

/** What became of some calls. */
export const tally = (counts: Partial<InstanceCounts> = {}): InstanceCounts => ({
  url: '',
  generation: 1,
  ok: 0,
  failed: 0,
  slow: 0,
  neutral: 0,
  unreached: 0,
  retryAfterMs: 0,
  ...counts,
})

export const reportOf = (news: Partial<Report>): Report => ({ ...NO_NEWS, ...news })

export const asking = (request: Partial<AdmitRequest> = {}): AdmitRequest => ({
  isolate: 'a',
  want: 1,
  waiting: 1,
  limits: LIMITS,
  report: NO_NEWS,
  ...request,
})

/** Only to report. */
export const telling = (news: Partial<Report>, request: Partial<AdmitRequest> = {}): AdmitRequest =>
  asking({ want: 0, waiting: 0, report: reportOf(news), ...request })
