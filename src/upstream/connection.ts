/** How to reach one upstream: address, credential, fixed headers, and what was learned of its protocol. */
import type { ByteBudget } from '../platform/budget.ts'
import { rememberFor } from '../platform/remember.ts'
import { Secret } from '../platform/secret.ts'
import { type RequestContext, writeHeaders } from '../protocol/context.ts'
import { HOPS_HEADER } from '../protocol/hops.ts'
import type { Transport } from '../protocol/transport.ts'
import type { Era } from '../protocol/version.ts'
import type { Grant } from './grant.ts'
import type { Link } from './send.ts'

export type UpstreamAuth =
  | { readonly type: 'none' }
  | { readonly type: 'bearer'; readonly token: Secret }
  | { readonly type: 'api-key'; readonly apiKey: Secret; readonly header: string }
  | Grant

export type Destination = {
  /** Of the service, or of one of its instances. */
  readonly url: string
  /** Other instances may know nothing of what is said to this one. */
  readonly isOneOfSeveral?: boolean
  /** Absent: not known yet. */
  readonly transport?: Transport | undefined
  /** What everything goes through, where the transport is the older one. */
  readonly link?: Link
  readonly headers: Readonly<Record<string, string>>
  readonly auth: UpstreamAuth
  /** Gateways that the request on whose behalf this is came through; absent: it begins here. */
  readonly hops?: number
  /** What travels with that request; absent: it begins here. */
  readonly context?: RequestContext | undefined
}

export type Connection = Destination & {
  /** Where what is held of its answers counts. */
  readonly budget: ByteBudget
}

/** What discovery learned and every later request needs. */
export type Dialect = {
  readonly era: Era
  readonly protocolVersion: string
  readonly sessionId?: string | undefined
  /** The instance that is spoken to, where the service has several. */
  readonly url?: string | undefined
  /** Where answers to the upstream's own requests go; absent: to its address. */
  readonly replyUrl?: string | undefined
}

/** What is said in this dialect from here on is said to this instance. */
export const spokenAt = (dialect: Dialect, { url, isOneOfSeveral }: Connection): Dialect =>
  isOneOfSeveral ? { ...dialect, url } : dialect

/**
 * The headers of a request to an upstream. Nothing that a caller sent is among them but the count of gateways that it
 * came through, its name and its trace (S10, S15, S19).
 */
export function requestHeaders(connection: Connection, dialect: Dialect | undefined): Headers {
  const headers = new Headers(sameHeaders(connection.headers))
  headers.set(HOPS_HEADER, String((connection.hops ?? 0) + 1))
  if (connection.context) writeHeaders(headers, connection.context)
  if (dialect) headers.set('mcp-protocol-version', dialect.protocolVersion)
  if (dialect?.sessionId !== undefined) headers.set('mcp-session-id', dialect.sessionId)
  switch (connection.auth.type) {
    case 'bearer':
      headers.set('authorization', `Bearer ${connection.auth.token.reveal()}`)
      break
    case 'oauth2':
      headers.set('authorization', `Bearer ${connection.auth.accessToken.reveal()}`)
      break
    case 'api-key':
      headers.set(connection.auth.header, connection.auth.apiKey.reveal())
      break
    case 'none':
      break
  }
  return headers
}

/** What every request with these fixed headers has: a copy of headers is had for less than headers that are set anew. */
const sameHeaders = rememberFor((fixed: Destination['headers']): Headers => {
  const headers = new Headers(fixed)
  headers.set('content-type', 'application/json')
  headers.set('accept', 'application/json, text/event-stream')
  headers.set('user-agent', 'switchyard')
  return headers
})
