/** Where the registry, the guard and the upstream meet: who is guarded how, and what became of a call. */
import type { Denial } from '../guard/desk.ts'
import type { Subject } from '../guard/guard.ts'
import type { Outcome } from '../guard/ledger.ts'
import type { RetryPolicy } from '../guard/retry.ts'
import type { Settings } from '../platform/settings.ts'
import type { Refusal } from '../protocol/refusal.ts'
import { type ServiceConfig, type ServiceRecord, writeKey } from '../registry/image.ts'
import { instancesOf } from '../registry/instance.ts'
import type { Verdict } from '../upstream/conversation.ts'

/** A service as the guard knows it, and what only its calls need to know. */
export type Guarded = Subject & {
  readonly timeoutMs: number
  readonly retry: RetryPolicy | undefined
}

/** Of a service that names none. */
const BREAKER: NonNullable<ServiceConfig['circuitBreaker']> = {
  failureThreshold: 5,
  recoveryTimeout: 5_000,
  halfOpenMaxCalls: 1,
}
/** A probe is lost when nothing was heard of it so long after it should have been over (F26). */
const PROBE_SLACK_MS = 1_000

/** `undefined`: none of its addresses may be called. */
export function guardedBy(
  service: ServiceRecord,
  mayCall: (url: string) => boolean,
  { defaultTimeoutMs, audit }: Pick<Settings, 'defaultTimeoutMs' | 'audit'>,
): Guarded | undefined {
  const [first, ...others] = instancesOf(service).filter(({ url }) => mayCall(url))
  if (!first) return undefined
  const { circuitBreaker = BREAKER, rateLimit, timeoutMs = defaultTimeoutMs } = service.config
  const { loadBalancer = 'round_robin', retry } = service.config
  const limits = {
    failureThreshold: circuitBreaker.failureThreshold,
    recoveryMs: circuitBreaker.recoveryTimeout,
    halfOpenMaxCalls: circuitBreaker.halfOpenMaxCalls,
    probeMs: timeoutMs + PROBE_SLACK_MS,
    rate: rateLimit,
    slowMs: circuitBreaker.slowCallMs,
    instances: others.length > 0 ? [first, ...others].map(({ url }) => url) : [],
    ...(audit === 'required' && { needsRecords: true }),
  }
  return {
    id: writeKey(service),
    limits,
    version: JSON.stringify(limits),
    strategy: loadBalancer,
    instances: [first, ...others],
    timeoutMs,
    retry,
  }
}

/**
 * What a call says about its service: only what the service did itself counts against it. Errors that it answers with
 * are answers, and how often a request was passed on before is its sender's doing (S10).
 */
export function outcomeOf({ fault }: Verdict, isSlow: boolean): Outcome {
  switch (fault?.is) {
    case undefined:
      return { is: 'ok', isSlow }
    case 'connection':
    case 'tls':
      return { is: 'failed', wasUnreached: true, retryAfterMs: 0 }
    case 'status':
      return { is: 'failed', wasUnreached: false, retryAfterMs: fault.retryAfterMs ?? 0 }
    case 'not_mcp':
    case 'timeout':
      return { is: 'failed', wasUnreached: false, retryAfterMs: 0 }
    case 'throttled':
      return { is: 'neutral', pauseMs: fault.retryAfterMs }
    case 'auth':
    case 'loop':
    case 'too_large':
    case 'overloaded':
    case 'cancelled':
    case 'ended':
      return { is: 'neutral', pauseMs: 0 }
  }
}

/** What a caller is told whose call may not go. */
export function refusalOfDenial({ why, retryAfterMs }: Denial, service: string): Refusal {
  switch (why) {
    case 'rate':
      return { why: 'rate_limited', service, retryAfterMs }
    case 'open':
      return { why: 'upstream_open', service, retryAfterMs }
    case 'throttled':
      return { why: 'upstream_throttled', service, retryAfterMs }
    case 'audit':
      return { why: 'audit_unavailable', service, retryAfterMs }
  }
}
