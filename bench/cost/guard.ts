/** Services that are guarded in different ways, of which all calls are let through. */
import { callShot } from '../load/request.ts'
import type { Yard } from '../load/yard.ts'
import type { Kind } from './kind.ts'

/** More than is ever asked for: the account is kept, and never overdrawn. */
const rateLimit = { requestsPerMinute: 1_000_000, burstLimit: 100_000 }
const circuitBreaker = {
  failureThreshold: 5,
  recoveryTimeout: 30_000,
  halfOpenMaxCalls: 3,
  slowCallMs: 10_000,
}
const retry = {
  maxAttempts: 3,
  backoffStrategy: 'exponential',
  initialDelay: 1_000,
  maxDelay: 10_000,
  jitter: true,
}

const SETTINGS: Readonly<Record<string, object>> = {
  'nothing set': {},
  'rate limit': { rateLimit },
  'circuit breaker that knows slow calls': { circuitBreaker },
  retries: { retry },
  'all of them': { rateLimit, circuitBreaker, retry },
}

export async function guardsOf(yard: Yard): Promise<readonly Kind[]> {
  const kinds: Kind[] = []
  for (const [name, settings] of Object.entries(SETTINGS)) {
    const { target, upstream } = await yard.add(`guarded-${kinds.length}`, settings)
    upstream.dial.clear()
    kinds.push({ name, shot: callShot(target.url, target.tool, { text: 'hi' }) })
  }
  return kinds
}
