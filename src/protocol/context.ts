/**
 * What travels beside a request, to its upstream and into what is written down of it: the name that it goes by, and the
 * trace that it belongs to.
 */
import type { JsonObject } from './message.ts'
import { NO_TRACE, type Trace, TRACE_KEYS, traceOfHeaders, traceOfMeta } from './trace.ts'

export const CORRELATION_HEADER = 'x-correlation-id'
/** The same in `_meta`. */
export const CORRELATION_KEY = 'switchyard/correlationId'

/** Survives JSON. */
export type RequestContext = {
  readonly correlationId: string
  readonly trace: Trace
  /** The caller brought some of it, so it is told in `_meta` as well. Of what is all ours a header tells. */
  readonly isGiven: boolean
  /** Baggage that came with the HTTP request alone and was not meant for whoever is behind the gateway. */
  readonly transportBaggage?: string
}

/** A name that can be written down anywhere; another is as none. */
export const CORRELATION_ID = /^[\w.:/+=@-]{1,128}$/

type Name = { readonly id: string; readonly isGiven: boolean }

const known = new WeakMap<Request, Name>()

/** The name of a request: its caller's own, else one that is made; the same whenever it is asked for. */
export const correlationIdOf = (request: Request): string => nameOf(request).id

/** From here on the request goes by this name, which its caller gave elsewhere. */
export const nameRequest = (request: Request, id: string): void => {
  known.set(request, { id, isGiven: true })
}

function nameOf(request: Request): Name {
  const name = known.get(request) ?? readName(request.headers)
  known.set(request, name)
  return name
}

function readName(headers: Headers): Name {
  const given = headers.get(CORRELATION_HEADER)
  const isGiven = given !== null && CORRELATION_ID.test(given)
  return { id: isGiven ? given : crypto.randomUUID(), isGiven }
}

/**
 * Of a message and the request that it came in. What the message says counts, since a request may hold several, and a
 * client traces its calls there; the headers count where it says nothing.
 */
export function contextOf(meta: JsonObject | undefined, request: Request): RequestContext {
  const name = nameOf(request)
  const isInMeta = meta !== undefined && META_KEYS.some((key) => meta[key] !== undefined)
  const own = isInMeta ? traceOfMeta(meta) : NO_TRACE
  const outer = traceOfHeaders(request.headers)
  if (own === NO_TRACE && outer === NO_TRACE) {
    return { correlationId: name.id, trace: NO_TRACE, isGiven: isInMeta || name.isGiven }
  }
  const { traceparent, tracestate } = own.traceparent === undefined ? outer : own
  const { baggage } = own
  return {
    correlationId: name.id,
    trace: {
      ...(traceparent !== undefined && { traceparent }),
      ...(tracestate !== undefined && { tracestate }),
      ...(baggage !== undefined && { baggage }),
    },
    isGiven: isInMeta || outer.traceparent !== undefined || name.isGiven,
    ...(outer.baggage !== undefined && baggage === undefined && { transportBaggage: outer.baggage }),
  }
}

/** Members of `_meta` that are ours to write. */
const META_KEYS: readonly string[] = [...TRACE_KEYS, CORRELATION_KEY]

/** The context for a service: what the transport carried goes on to those alone that an operator trusts. */
export function contextFor(context: RequestContext, isTrusted: boolean): RequestContext {
  const { transportBaggage, trace } = context
  if (transportBaggage === undefined || !isTrusted) return context
  return { ...context, isGiven: true, trace: { ...trace, baggage: transportBaggage } }
}

/** Headers, with this context among them. */
export function writeHeaders(headers: Headers, { correlationId, trace }: RequestContext): void {
  headers.set(CORRELATION_HEADER, correlationId)
  for (const [key, value] of Object.entries(trace)) headers.set(key, value)
}

/** `_meta`, as raw texts by name, with this context in the place of whatever it said of that. */
export function writeMeta(meta: Map<string, string>, { correlationId, trace }: RequestContext): void {
  for (const key of META_KEYS) meta.delete(key)
  for (const [key, value] of Object.entries({ ...trace, [CORRELATION_KEY]: correlationId }))
    meta.set(key, JSON.stringify(value))
}
