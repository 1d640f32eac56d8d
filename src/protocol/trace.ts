/**
 * The trace that a request belongs to (W3C Trace Context) and what travels with it (W3C Baggage), in headers and in
 * `_meta` (2026-07-28, "OpenTelemetry trace context"). The gateway stores no spans. A span of its own, which nobody could
 * look up, would cut every trace in two; so what the caller sent goes on as it is, and no trace is begun here.
 */
import type { JsonObject } from './message.ts'

export type Trace = {
  readonly traceparent?: string
  readonly tracestate?: string
  readonly baggage?: string
}

/** Their names, as headers and in `_meta`. */
export const TRACE_KEYS = ['traceparent', 'tracestate', 'baggage'] as const

export const NO_TRACE: Trace = {}

/** Version, trace, span, flags; later versions may say more. Neither id is all zeros, and there is no version ff. */
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[!-~]{1,64})?$/
/** What everybody must be able to pass on. */
const MAX_STATE_CHARS = 512
const MAX_STATES = 32
const STATE = /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[ -+\--<>-~]{0,255}[!-+\--<>-~]$/
const MAX_BAGGAGE_CHARS = 8_192
const MAX_BAGGAGE = 64
const BAGGAGE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+[ \t]*=[ \t]*(?:[!#-+\--[\]-~][\t !#-+\--[\]-~]*)?$/

/** What is not well-formed is as if it were not there; without a trace its state means nothing. */
export function traceFrom(read: (key: (typeof TRACE_KEYS)[number]) => unknown): Trace {
  const [traceparent, baggage] = [read('traceparent'), read('baggage')]
  if (traceparent === undefined && baggage === undefined) return NO_TRACE
  const isTraced = typeof traceparent === 'string' && isTraceparent(traceparent)
  const tracestate = isTraced ? read('tracestate') : undefined
  return {
    ...(isTraced && { traceparent }),
    ...(isList(tracestate, MAX_STATE_CHARS, MAX_STATES, STATE) && { tracestate }),
    ...(isList(baggage, MAX_BAGGAGE_CHARS, MAX_BAGGAGE, BAGGAGE) && { baggage }),
  }
}

/** In headers. */
export const traceOfHeaders = (headers: Headers): Trace => traceFrom((key) => headers.get(key) ?? undefined)

/** In `_meta`. */
export const traceOfMeta = (meta: JsonObject): Trace => traceFrom((key) => meta[key])

/** Names the trace in a log; `undefined`: there is none. */
export const traceIdOf = ({ traceparent }: Trace): string | undefined => traceparent?.slice(3, 35)

/** The first version is no longer than what is known of it. */
const isTraceparent = (text: string): boolean =>
  TRACEPARENT.test(text) && !(text.startsWith('00') && text.length > 55)

/** Members between commas, some of which may be empty. */
function isList(value: unknown, maxChars: number, maxMembers: number, member: RegExp): value is string {
  if (typeof value !== 'string' || value.length > maxChars || !SAFE.test(value)) return false
  const members = value.split(',').map((each) => each.trim())
  const said = members.filter((each) => each !== '')
  return said.length > 0 && said.length <= maxMembers && said.every((each) => member.test(each))
}

/** What a header can hold. */
const SAFE = /^[\t -~]*$/
