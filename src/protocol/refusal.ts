/**
 * Every way in which the gateway says no, and the one place that turns it into HTTP and JSON-RPC
 * (reliability.md, section 3). Refusals at the door use the HTTP status. What an upstream did or did not do
 * travels in-band on 200, since clients drop the body of other statuses.
 */
import { echo } from './echo.ts'
import type { Era } from './version.ts'

export type Refusal =
  | { why: 'method_not_allowed'; allow: string }
  | { why: 'origin_refused' }
  | { why: 'host_refused' }
  | { why: 'loop' }
  /** `scopes`: those to ask for, separated by spaces. */
  | { why: 'insufficient_scope'; scopes: string }
  | { why: 'not_acceptable' }
  | { why: 'media' }
  | { why: 'too_large' }
  | { why: 'body_timeout' }
  | { why: 'parse_error' }
  | { why: 'invalid_request'; detail?: string }
  | { why: 'invalid_params'; detail: string; status: 200 | 400 }
  | { why: 'header_mismatch'; detail: string }
  | { why: 'unsupported_version'; requested: string; supported: readonly string[] }
  | { why: 'unknown_method'; method: string; status: 200 | 404 }
  | { why: 'unknown_tool'; name: string }
  | { why: 'unknown_prompt'; name: string }
  | { why: 'unknown_resource'; uri: string; era: Era }
  | { why: 'invalid_cursor' }
  | { why: 'invalid_state' }
  | { why: 'unknown_task' }
  | { why: 'unknown_session' }
  | { why: 'unknown_event' }
  | { why: 'session_needed'; method: string }
  | { why: 'missing_capability'; capability: string; status: 200 | 400 }
  /** `service`: absent where the limit is the gateway's own. */
  | { why: 'rate_limited'; service?: string; retryAfterMs: number }
  | { why: 'unavailable'; retryAfterMs: number }
  /** Each call must be recorded, and there is no room for more records (F59). */
  | { why: 'audit_unavailable'; service: string; retryAfterMs: number }
  /** An answer was dropped for want of memory; whatever was asked for has been done. */
  | { why: 'overloaded'; retryAfterMs: number }
  /** A call was lost inside the gateway, and whether its upstream ran it cannot be known. */
  | { why: 'interrupted' }
  | { why: 'bug'; ref: string }
  | UpstreamRefusal

/** Each names its service; `message` alone must tell an agent what happened and what to do. */
export type UpstreamRefusal =
  | { why: 'service_disabled'; service: string }
  /** The tool is withheld: changed since an operator approved it, new, or not what it seems (S35, S39). */
  | { why: 'definition_changed'; service: string; tool: string }
  | { why: 'upstream_unreachable'; service: string; reason: string }
  | { why: 'upstream_bad_answer'; service: string; reason: string }
  | { why: 'upstream_timeout'; service: string; afterMs: number }
  | { why: 'upstream_throttled'; service: string; retryAfterMs: number }
  /** Its circuit is open. */
  | { why: 'upstream_open'; service: string; retryAfterMs: number }
  | { why: 'upstream_auth'; service: string }
  | { why: 'result_too_large'; service: string; limitBytes: number }

export type WireError = {
  readonly status: number
  readonly code: number
  readonly message: string
  readonly data?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

const seconds = (ms: number): string => String(Math.max(1, Math.ceil(ms / 1000)))

/** The refusal on the wire. A missing arm does not compile. */
export function describeRefusal(refusal: Refusal): WireError {
  switch (refusal.why) {
    case 'method_not_allowed':
      return { status: 405, code: -31405, message: 'Method not allowed', headers: { allow: refusal.allow } }
    case 'origin_refused':
      return { status: 403, code: -31403, message: 'Origin not allowed' }
    case 'host_refused':
      return { status: 403, code: -31403, message: 'Host not allowed' }
    case 'loop':
      return { status: 508, code: -31508, message: 'Loop detected' }
    case 'insufficient_scope': {
      const { scopes } = refusal
      const headers = { 'www-authenticate': scopeChallenge(scopes) }
      const message = `The credential lacks a scope, authorize again with: ${scopes}: Insufficient scope`
      return { status: 403, code: -31403, message, data: { scope: scopes }, headers }
    }
    case 'not_acceptable':
      return { status: 406, code: -31406, message: 'Not acceptable' }
    case 'media':
      return { status: 415, code: -31415, message: 'Unsupported media type' }
    case 'too_large':
      return { status: 413, code: -31413, message: 'Request body too large' }
    case 'body_timeout':
      return { status: 408, code: -31408, message: 'Request timed out' }
    case 'parse_error':
      return { status: 400, code: -32700, message: 'Parse error' }
    case 'invalid_request':
      return { status: 400, code: -32600, message: withDetail('Invalid request', refusal.detail) }
    case 'invalid_params':
      return { status: refusal.status, code: -32602, message: `Invalid params: ${refusal.detail}` }
    case 'header_mismatch':
      return { status: 400, code: -32020, message: `Header mismatch: ${refusal.detail}` }
    case 'unsupported_version': {
      const data = { supported: refusal.supported, requested: echo(refusal.requested) }
      return { status: 400, code: -32022, message: 'Unsupported protocol version', data }
    }
    case 'unknown_method':
      return { status: refusal.status, code: -32601, message: `Method not found: ${echo(refusal.method)}` }
    case 'unknown_tool':
      return { status: 200, code: -32602, message: `Unknown tool: ${echo(refusal.name)}` }
    case 'unknown_prompt':
      return { status: 200, code: -32602, message: `Unknown prompt: ${echo(refusal.name)}` }
    case 'unknown_resource': {
      // The code of its own ended with the legacy era (2026-07-28, "Error codes").
      const code = refusal.era === 'legacy' ? -32002 : -32602
      return { status: 200, code, message: 'Resource not found', data: { uri: echo(refusal.uri) } }
    }
    case 'invalid_cursor':
      return { status: 200, code: -32602, message: 'Invalid cursor' }
    case 'invalid_state':
      return { status: 200, code: -32602, message: 'Invalid request state' }
    case 'unknown_task':
      return { status: 200, code: -32602, message: 'Invalid params: unknown taskId' }
    case 'unknown_session':
      return { status: 404, code: -31404, message: 'Session not found, initialize again' }
    case 'unknown_event':
      return { status: 404, code: -31404, message: 'Event not found, the stream cannot be resumed' }
    case 'session_needed': {
      const message = `Invalid params: ${echo(refusal.method)} needs a session, initialize first`
      return { status: 200, code: -32602, message }
    }
    case 'missing_capability': {
      const data = { requiredCapabilities: { [refusal.capability]: {} } }
      return { status: refusal.status, code: -32021, message: 'Client capability required', data }
    }
    case 'rate_limited': {
      const headers = { 'retry-after': seconds(refusal.retryAfterMs) }
      const data = { retryAfterMs: refusal.retryAfterMs }
      const { service, retryAfterMs } = refusal
      const why = `Service '${service}' takes no more calls for now, retry in ${seconds(retryAfterMs)} s: `
      const message = `${service === undefined ? '' : why}Rate limit exceeded`
      return { status: 429, code: -31429, message, data, headers }
    }
    case 'unavailable': {
      const headers = { 'retry-after': seconds(refusal.retryAfterMs) }
      return { status: 503, code: -31503, message: 'Gateway temporarily unavailable', headers }
    }
    case 'audit_unavailable': {
      const { service, retryAfterMs } = refusal
      const headers = { 'retry-after': seconds(retryAfterMs) }
      const message = `Calls of service '${service}' cannot be recorded now and none goes without, retry in ${seconds(retryAfterMs)} s: Gateway temporarily unavailable`
      return { status: 503, code: -31503, message, data: { retryAfterMs }, headers }
    }
    case 'overloaded': {
      const message = `The gateway is out of memory for answers and dropped this one, the call may have had effects, try again in ${seconds(refusal.retryAfterMs)} s: Gateway temporarily unavailable`
      return { status: 200, code: -31503, message, data: { retryAfterMs: refusal.retryAfterMs } }
    }
    case 'interrupted': {
      const message =
        'The call was interrupted inside the gateway, it was not repeated and may have had effects: Gateway temporarily unavailable'
      return { status: 200, code: -31503, message }
    }
    case 'bug':
      return { status: 500, code: -32603, message: 'Internal error', data: { ref: refusal.ref } }
    default:
      return describeUpstreamRefusal(refusal)
  }
}

/** To a caller whose credential is good and limited (RFC 6750, section 3.1; B34). */
export const scopeChallenge = (scopes: string): string =>
  `Bearer realm="switchyard", error="insufficient_scope", scope="${scopes}"`

function describeUpstreamRefusal(refusal: UpstreamRefusal): WireError {
  const named = `Service '${refusal.service}'`
  const upstream = refusal.service
  switch (refusal.why) {
    case 'service_disabled':
      return inBand(-31523, `${named} was disabled by an operator: Upstream unavailable`, { upstream })
    case 'definition_changed': {
      const tool = echo(refusal.tool)
      const message = `${named} has changed '${tool}' since it was last approved, or never had it approved, an operator must look at it: Tool definition changed, approval required`
      return inBand(-31540, message, { tool })
    }
    case 'upstream_unreachable':
      return inBand(
        -31501,
        `${named} cannot be reached (${refusal.reason}), retry later: Upstream unreachable`,
        {
          upstream,
        },
      )
    case 'upstream_bad_answer': {
      const message = `${named} gave no usable answer (${refusal.reason}): Upstream returned an invalid response`
      return inBand(-31502, message, { upstream })
    }
    case 'upstream_timeout': {
      const message = `${named} did not answer within ${refusal.afterMs} ms, it may still be working: Upstream timed out`
      return inBand(-31504, message, { upstream, afterMs: refusal.afterMs })
    }
    case 'upstream_open': {
      const message = `${named} is unavailable: circuit open, retry in ${seconds(refusal.retryAfterMs)} s: Upstream unavailable`
      return inBand(-31523, message, { upstream, retryAfterMs: refusal.retryAfterMs })
    }
    case 'upstream_throttled': {
      const message = `${named} limits its callers, retry in ${seconds(refusal.retryAfterMs)} s: Upstream rate limited`
      return inBand(-31530, message, { upstream, retryAfterMs: refusal.retryAfterMs })
    }
    case 'upstream_auth': {
      const message = `${named} refused the gateway's credential, an operator must renew it: Upstream authorization required`
      return inBand(-31511, message, { upstream })
    }
    case 'result_too_large': {
      const message = `${named} answered with more than ${refusal.limitBytes} bytes, ask for less: Upstream result too large`
      return inBand(-31513, message, { upstream, limitBytes: refusal.limitBytes })
    }
  }
}

const inBand = (code: number, message: string, data: unknown): WireError => ({
  status: 200,
  code,
  message,
  data,
})

const withDetail = (text: string, detail: string | undefined): string =>
  detail === undefined ? text : `${text}: ${detail}`

/** The JSON-RPC error text. `id` is left out where it could not be told (schema: `id?: string | number`). */
export function errorText(error: Pick<WireError, 'code' | 'message' | 'data'>, idText?: string): string {
  const { code, message, data } = error
  const id = idText === undefined ? '' : `"id":${idText},`
  return `{"jsonrpc":"2.0",${id}"error":${JSON.stringify({ code, message, data })}}`
}

/** Why responses say no, for as long as nobody has written it down. */
const reasons = new WeakMap<Response, string>()

/** A response that says no, and why: whoever passes it on to its caller writes that down (S62). */
export function sayNo(response: Response, why: string): Response {
  reasons.set(response, why)
  return response
}

/** Why this response says no, told once; `undefined`: it says yes, or is written down already. */
export function takeReason(response: Response): string | undefined {
  const why = reasons.get(response)
  if (why !== undefined) reasons.delete(response)
  return why
}

/** The refusal as a response. Never cached by anyone. */
export const refuse = (refusal: Refusal, idText?: string): Response =>
  sayNo(respondWithRefusal(refusal, idText), refusal.why)

/** The same where it is written down already. */
export function respondWithRefusal(refusal: Refusal, idText?: string): Response {
  const wire = describeRefusal(refusal)
  const response = new Response(errorText(wire, idText), {
    status: wire.status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...wire.headers },
  })
  said.set(response, refusal)
  return response
}

const said = new WeakMap<Response, Refusal>()

/** The refusal that a response of `refuse` tells, for those who tell it in other words. */
export const saidIn = (response: Response): Refusal | undefined => said.get(response)
