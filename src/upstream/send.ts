/**
 * One HTTP request to an upstream: the only `fetch` of this folder. Redirects are never followed (F12, S06,
 * S07). Refusals by status become faults here; what is returned is an answer whose body is still unread.
 */
import type { Deadline } from '../platform/deadline.ts'
import { err, ok, type Result } from '../platform/result.ts'
import type { Fault } from './fault.ts'

const DEFAULT_RETRY_AFTER_MS = 1_000
const MAX_RETRY_AFTER_MS = 60_000

export type Outgoing = {
  readonly method?: 'POST' | 'DELETE'
  readonly url: string
  readonly headers: Headers
  readonly body?: string
}

export async function send(outgoing: Outgoing, deadline: Deadline): Promise<Result<Response, Fault>> {
  const { method = 'POST', url, headers, body } = outgoing
  try {
    const init = { method, headers, redirect: 'manual' as const, signal: deadline.signal }
    return ok(await fetch(url, body === undefined ? init : { ...init, body }))
  } catch (error) {
    return err(faultOfThrown(error, deadline))
  }
}

/** What a thrown `fetch` or a broken body means. */
export function faultOfThrown(error: unknown, deadline: Deadline): Fault {
  if (deadline.expired) return { is: 'timeout', afterMs: deadline.timeoutMs }
  if (deadline.signal.aborted) return { is: 'cancelled' }
  // The platform gives a message and no code; it only words the reason here and decides nothing.
  const message = error instanceof Error ? error.message : ''
  if (/tls|ssl|certificate/i.test(message)) return { is: 'tls', detail: 'the certificate was not accepted' }
  if (/dns|resolve|getaddrinfo/i.test(message))
    return { is: 'connection', detail: 'the host name does not resolve' }
  if (/refused/i.test(message)) return { is: 'connection', detail: 'connection refused' }
  return { is: 'connection', detail: 'the connection was refused or lost' }
}

/**
 * The fault that a status stands for, if it stands for one by itself. 400 and 404 do not: their body may be a
 * JSON-RPC error (2026-07-28, "Errors"), or they tell of a lost session.
 */
export function faultOfStatus(response: Response): Fault | undefined {
  const { status } = response
  if (response.ok || status === 400 || status === 404) return undefined
  if (status === 401 || status === 403) return { is: 'auth' }
  if (status === 429)
    return { is: 'throttled', retryAfterMs: readRetryAfter(response.headers.get('retry-after')) }
  if (status >= 300 && status < 400)
    return { is: 'status', detail: `HTTP ${status}, redirects are not followed` }
  return { is: 'status', detail: `HTTP ${status}` }
}

function readRetryAfter(value: string | null): number {
  const seconds = Number(value)
  const ms =
    value !== null && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : DEFAULT_RETRY_AFTER_MS
  return Math.min(ms, MAX_RETRY_AFTER_MS)
}

/** Lets go of a body that nobody will read; it would hold a connection otherwise. */
export function discard(response: Response): void {
  response.body?.cancel().catch(() => undefined)
}
