/**
 * One request in the words of its upstream: local names, the upstream's era, an id that is unique where the
 * session is shared. Everything else of `params` goes out as the caller wrote it, digit for digit (B100).
 */
import { writeMeta } from '../protocol/context.ts'
import { encodeHeader } from '../protocol/header.ts'
import { cut, membersOf, writeObject } from '../protocol/json.ts'
import { LIMITS } from '../protocol/limits.ts'
import type { RawMembers } from '../protocol/message.ts'
import { type Mirror, mirrorHeaders } from '../protocol/mirror.ts'
import { type Era, GATEWAY_INFO, META, MODERN_VERSION } from '../protocol/version.ts'
import { type Connection, type Dialect, requestHeaders } from './connection.ts'
import type { Outgoing } from './send.ts'

export type UpstreamRequestText = {
  readonly connection: Connection
  readonly method: string
  /** Raw texts of the members of `params`, under the upstream's own names. */
  readonly params: ReadonlyMap<string, string>
  /** What the `Mcp-Name` header says, where the method has one. */
  readonly name: string | undefined
  readonly mirrors: readonly Mirror[]
  /** Members of the message that no version knows, raw. */
  readonly rest?: RawMembers
  /** `params.arguments`, from which headers are mirrored. */
  readonly given: unknown
  /** The era of the caller. */
  readonly era: Era
  /** What the caller can do, as raw JSON. */
  readonly capabilities: string
  /** The least severe log message that the caller wants. */
  readonly logLevel: string | undefined
}

/** The modern envelope. */
const OWN_META: readonly string[] = Object.values(META)

export function outgoingRequest(request: UpstreamRequestText, dialect: Dialect, idText: string): Outgoing {
  const { connection, method } = request
  const headers = requestHeaders(connection, dialect)
  if (dialect.era === 'modern') {
    headers.set('mcp-method', method)
    for (const [header, value] of repeated(request)) headers.set(header, value)
  }
  const body = writeObject([
    ['jsonrpc', '"2.0"'],
    ['id', idText],
    ['method', JSON.stringify(method)],
    ['params', writeObject(upstreamParams(request, dialect.era))],
    ...(request.rest ?? []),
  ])
  return { url: connection.url, headers, body, link: connection.link }
}

type Repeatable = Pick<UpstreamRequestText, 'name' | 'mirrors' | 'given'>

/** The headers that repeat parts of `params` (2026-07-28, "Standard headers", "Custom headers"). */
function repeated({ name, mirrors, given }: Repeatable): [header: string, value: string][] {
  const headers = mirrorHeaders(mirrors, given)
  return name === undefined ? headers : [['mcp-name', encodeHeader(name)], ...headers]
}

/**
 * Whether a modern upstream can be told this. Servers take only so much in headers, and what one of them makes of
 * more would look like a fault of its own.
 */
export const fitsHeaders = (request: Repeatable): boolean =>
  repeated(request).reduce((chars, [, value]) => chars + value.length, 0) <= LIMITS.repeatedChars

function upstreamParams(request: UpstreamRequestText, upstreamEra: Era): ReadonlyMap<string, string> {
  const { context } = request.connection
  const crosses = request.era !== upstreamEra
  if (!crosses && context?.isGiven !== true) return request.params
  const params = new Map(request.params)
  const raw = params.get('_meta')
  const meta = rawMeta(raw?.startsWith('{') ? raw : '{}')
  if (crosses) for (const key of OWN_META) meta.delete(key)
  if (crosses && upstreamEra === 'modern')
    for (const [key, value] of envelopeOf(request)) meta.set(key, value)
  if (context?.isGiven) writeMeta(meta, context)
  if (meta.size > 0) params.set('_meta', writeObject(meta))
  else params.delete('_meta')
  return params
}

const rawMeta = (raw: string): Map<string, string> =>
  new Map([...membersOf(raw)].map(([key, span]) => [key, cut(raw, span)]))

const OWN_VERSION = JSON.stringify(MODERN_VERSION)
const OWN_INFO = JSON.stringify(GATEWAY_INFO)

/** The envelope of a modern request (2026-07-28, "Per-request metadata"). */
export const envelopeOf = ({
  capabilities,
  logLevel,
}: Pick<UpstreamRequestText, 'capabilities' | 'logLevel'>): [string, string][] => [
  [META.version, OWN_VERSION],
  [META.capabilities, capabilities],
  [META.clientInfo, OWN_INFO],
  ...(logLevel === undefined ? [] : [[META.logLevel, JSON.stringify(logLevel)] as [string, string]]),
]
