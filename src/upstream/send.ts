/**
 * One HTTP request to an upstream: the only `fetch` of this folder. Redirects are never followed (F12, S06,
 * S07). Refusals by status become faults here; what is returned is an answer whose body is still unread.
 */
import { systemClock } from '../platform/clock.ts'
import type { Deadline } from '../platform/deadline.ts'
import { err, ok, type Result } from '../platform/result.ts'
import type { Fault } from './fault.ts'

const DEFAULT_RETRY_AFTER_MS = 1_000
const MAX_RETRY_AFTER_MS = 60_000

const UNREACHED: ReadonlySet<number> = new Set([521, 522, 523, 530])

export type Outgoing = {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly url: string
  readonly headers: Headers
  readonly body?: string
  /** What it goes through, where its transport is the older one. */
  readonly link?: Link | undefined
}

/** What all messages go through, and come from, by the older transport (2024-11-05, "HTTP with SSE"). */
export type Link = {
  /** Where messages to the server go. */
  readonly replyUrl: string
  /** Sends one message; the response is the stream from here on. Who leaves it early leaves the rest to the next. */
  post(outgoing: Outgoing, deadline: Deadline): Promise<Result<Response, Fault>>
  /** The stream from here on; who leaves it closes the link. */
  rest(deadline: Deadline): Response
  close(): void
}

export async function send(outgoing: Outgoing, deadline: Deadline): Promise<Result<Response, Fault>> {
  const { method = 'POST', url, headers, body, link } = outgoing
  if (link) return await link.post(outgoing, deadline)
  try {
    const init = { method, headers, redirect: 'manual' as const, signal: deadline.signal }
    return ok(await fetch(url, body === undefined ? init : { ...init, body }))
  } catch (error) {
    return err(faultOfThrown(error, deadline, url))
  }
}

/** What a thrown `fetch` means. */
function faultOfThrown(error: unknown, deadline: Deadline, url: string): Fault {
  const given = faultOfDeadline(deadline)
  if (given) return given
  // The runtime marks a connection that was refused or lost; a failed look-up or handshake is only an error to it.
  const wasLost = error instanceof Error && 'retryable' in error && error.retryable === true
  if (wasLost) return { is: 'connection', detail: 'the connection was refused or lost' }
  if (!url.startsWith('https:'))
    return { is: 'connection', detail: 'the host name does not resolve, or no HTTP is spoken there' }
  return { is: 'tls', detail: 'the certificate was not accepted, or the host name does not resolve' }
}

/** The fault of a wait that was ended: by its time, or by the caller. */
export function faultOfDeadline(deadline: Deadline): Fault | undefined {
  if (deadline.expired) return { is: 'timeout', afterMs: deadline.timeoutMs }
  return deadline.signal.aborted ? { is: 'cancelled' } : undefined
}

/**
 * The fault that a status stands for, if it stands for one by itself. 400 and 404 do not: their body may be a
 * JSON-RPC error (2026-07-28, "Errors"), or they tell of a lost session.
 */
export function faultOfStatus(response: Response): Fault | undefined {
  const { status } = response
  if (response.ok || status === 400 || status === 404) return undefined
  // What the edge answers in place of an origin that it could not reach (520 to 530).
  if (status === 525 || status === 526) {
    return { is: 'tls', detail: 'the certificate was not accepted', isUnsent: true }
  }
  if (UNREACHED.has(status)) {
    return { is: 'connection', detail: 'the server was not reached', isUnsent: true }
  }
  if (status === 401 || status === 403) return { is: 'auth', isUnknown: status === 401 }
  if (status === 429)
    return { is: 'throttled', retryAfterMs: retryAfterOf(response) ?? DEFAULT_RETRY_AFTER_MS }
  if (status === 508) return { is: 'loop' }
  if (status >= 300 && status < 400)
    return { is: 'status', detail: `HTTP ${status}, redirects are not followed` }
  const retryAfterMs = retryAfterOf(response) ?? 0
  return { is: 'status', detail: `HTTP ${status}`, retryAfterMs, isTemporary: status >= 500 }
}

/** Seconds, or a date (RFC 9110, section 10.2.3). */
function retryAfterOf({ headers }: Response): number | undefined {
  const value = headers.get('retry-after')
  if (value === null) return undefined
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - systemClock()) / 1_000
  return Number.isFinite(seconds) ? Math.min(Math.max(0, seconds * 1_000), MAX_RETRY_AFTER_MS) : undefined
}

/** Lets go of a body that nobody will read; it would hold a connection otherwise. */
export function discard(response: Response): void {
  response.body?.cancel().catch(() => undefined)
}
