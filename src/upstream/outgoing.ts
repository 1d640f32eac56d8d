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
  const params = writeObject(upstreamParams(request, dialect.era))
  const rest = (request.rest ?? []).map(([key, raw]) => `,${JSON.stringify(key)}:${raw}`).join('')
  const body = `{"jsonrpc":"2.0","id":${idText},"method":${JSON.stringify(method)},"params":${params}${rest}}`
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
  const raw = request.params.get('_meta')
  // Most callers say nothing there.
  if (raw === undefined && upstreamEra === 'modern' && context?.isGiven !== true)
    return new Map(request.params).set('_meta', writeEnvelope(request))
  const params = new Map(request.params)
  const meta = rawMeta(raw?.startsWith('{') ? raw : '{}')
  if (crosses) for (const key of OWN_META) meta.delete(key)
  if (crosses && upstreamEra === 'modern')
    for (const [key, value] of rawMeta(writeEnvelope(request))) meta.set(key, value)
  if (context?.isGiven) writeMeta(meta, context)
  if (meta.size > 0) params.set('_meta', writeObject(meta))
  else params.delete('_meta')
  return params
}

const rawMeta = (raw: string): Map<string, string> =>
  new Map([...membersOf(raw)].map(([key, span]) => [key, cut(raw, span)]))

const [BEFORE_CAPABILITIES, AFTER_CAPABILITIES] = [
  `{"${META.version}":${JSON.stringify(MODERN_VERSION)},"${META.capabilities}":`,
  `,"${META.clientInfo}":${JSON.stringify(GATEWAY_INFO)}`,
]

/** The envelope of a modern request (2026-07-28, "Per-request metadata"), as `_meta` that holds nothing else. */
function writeEnvelope({
  capabilities,
  logLevel,
}: Pick<UpstreamRequestText, 'capabilities' | 'logLevel'>): string {
  const level = logLevel === undefined ? '' : `,"${META.logLevel}":${JSON.stringify(logLevel)}`
  return `${BEFORE_CAPABILITIES}${capabilities}${AFTER_CAPABILITIES}${level}}`
}
