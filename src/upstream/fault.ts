/** What can go wrong with an upstream, told apart so that operators and agents each get their sentence. */
import { MEMORY_BACK_MS } from '../protocol/memory.ts'
import type { Refusal } from '../protocol/refusal.ts'

export type Fault =
  | { readonly is: 'not_mcp'; readonly detail: string }
  /** `isUnsent`: it is certain that nothing was sent. */
  | { readonly is: 'connection' | 'tls'; readonly detail: string; readonly isUnsent?: boolean }
  | {
      readonly is: 'status'
      readonly detail: string
      /** It may answer differently later. */
      readonly isTemporary?: boolean
      /** For so long it wants to be left alone. */
      readonly retryAfterMs?: number
    }
  | { readonly is: 'timeout'; readonly afterMs: number }
  /** `isUnknown`: the credential was not accepted; otherwise it may not do this. */
  | { readonly is: 'auth'; readonly isUnknown?: boolean }
  | { readonly is: 'throttled'; readonly retryAfterMs: number }
  /** It is a gateway, and what it was sent has come through too many of them. */
  | { readonly is: 'loop' }
  | { readonly is: 'too_large'; readonly limitBytes: number }
  /** The gateway could not hold the answer; the upstream is not to blame. */
  | { readonly is: 'overloaded' }
  /** The caller went away; nobody is left to be told. */
  | { readonly is: 'cancelled' }
  /** The caller's session had ended before the call was sent. */
  | { readonly is: 'ended' }

/** The credential was not accepted; another one may be. */
export const isUnaccepted = (fault: Fault): boolean => fault.is === 'auth' && fault.isUnknown === true

export function refusalOf(fault: Fault, service: string): Refusal {
  switch (fault.is) {
    case 'connection':
    case 'tls':
      return { why: 'upstream_unreachable', service, reason: fault.detail }
    case 'status':
    case 'not_mcp':
      return { why: 'upstream_bad_answer', service, reason: fault.detail }
    case 'loop':
      return { why: 'upstream_bad_answer', service, reason: LOOP }
    case 'timeout':
      return { why: 'upstream_timeout', service, afterMs: fault.afterMs }
    case 'auth':
      return { why: 'upstream_auth', service }
    case 'throttled':
      return { why: 'upstream_throttled', service, retryAfterMs: fault.retryAfterMs }
    case 'too_large':
      return { why: 'result_too_large', service, limitBytes: fault.limitBytes }
    case 'overloaded':
      return { why: 'overloaded', retryAfterMs: MEMORY_BACK_MS }
    case 'cancelled':
      return { why: 'upstream_bad_answer', service, reason: 'the caller went away' }
    case 'ended':
      return { why: 'unknown_session' }
  }
}

const LOOP = 'HTTP 508, the way to it leads through too many gateways or back to this one'

/** One sentence for an operator: what happened and what to look at. */
export function describeFault(fault: Fault): string {
  switch (fault.is) {
    case 'connection':
      return `Connection failed: ${fault.detail}. Check that the server runs and that the address is right.`
    case 'tls':
      return `TLS failed: ${fault.detail}. Check the server's certificate.`
    case 'status':
      return `Unexpected HTTP status: ${fault.detail}. Check the path of the URL and the server's log.`
    case 'not_mcp':
      return `Not an MCP server: ${fault.detail}. The URL must be that of an MCP endpoint.`
    case 'loop':
      return `Loop: ${LOOP}.`
    case 'timeout':
      return `Timeout: no answer within ${fault.afterMs} ms.`
    case 'auth':
      return 'The server refused the credential. Set `auth` to one that it accepts.'
    case 'throttled':
      return `The server limits its callers; it asks to wait ${fault.retryAfterMs} ms.`
    case 'too_large':
      return `The server answered with more than ${fault.limitBytes} bytes.`
    case 'overloaded':
      return 'The gateway is out of memory for answers. Try again shortly.'
    case 'cancelled':
      return 'The request was cancelled.'
    case 'ended':
      return 'The session of its caller had ended.'
  }
}
