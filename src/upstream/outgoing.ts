/**
 * One tools/call in the words of its upstream: local name, the upstream's era, an id that is unique where the
 * session is shared. Everything else of `params` goes out as the caller wrote it, digit for digit (B100).
 */
import { encodeHeader } from '../protocol/header.ts'
import { cut, membersOf, writeObject } from '../protocol/json.ts'
import type { Message } from '../protocol/message.ts'
import { type Mirror, mirrorHeaders } from '../protocol/mirror.ts'
import { type Era, META } from '../protocol/version.ts'
import { type Connection, type Dialect, requestHeaders } from './connection.ts'
import { GATEWAY_ENVELOPE } from './handshake.ts'
import type { Outgoing } from './send.ts'

export type Call = {
  readonly connection: Connection
  readonly localName: string
  readonly mirrors: readonly Mirror[]
  readonly message: Message
  /** The era of the caller. */
  readonly era: Era
}

const OWN_META: ReadonlySet<string> = new Set(Object.values(META))

export function outgoingCall(call: Call, dialect: Dialect, idText: string): Outgoing {
  const { connection, localName, message } = call
  const headers = requestHeaders(connection, dialect)
  if (dialect.era === 'modern') {
    headers.set('mcp-method', message.method)
    headers.set('mcp-name', encodeHeader(localName))
    for (const [name, value] of mirrorHeaders(call.mirrors, message.params?.['arguments']))
      headers.set(name, value)
  }
  const method = JSON.stringify(message.method)
  const params = writeObject(upstreamParams(call, dialect.era))
  return {
    url: connection.url,
    headers,
    body: `{"jsonrpc":"2.0","id":${idText},"method":${method},"params":${params}}`,
  }
}

function upstreamParams({ message, localName, era }: Call, upstreamEra: Era): Map<string, string> {
  const params = new Map(message.rawParams)
  params.set('name', JSON.stringify(localName))
  if (era === upstreamEra) return params
  const meta = upstreamMeta(message.meta === undefined ? '{}' : (params.get('_meta') ?? '{}'), upstreamEra)
  if (meta.size > 0) params.set('_meta', writeObject(meta))
  else params.delete('_meta')
  return params
}

/** `_meta` in the other era: the modern envelope put on or taken off, the rest untouched. */
function upstreamMeta(raw: string, upstreamEra: Era): Map<string, string> {
  const meta = new Map<string, string>()
  for (const [key, span] of membersOf(raw)) if (!OWN_META.has(key)) meta.set(key, cut(raw, span))
  if (upstreamEra === 'modern') {
    for (const [key, value] of Object.entries(GATEWAY_ENVELOPE)) meta.set(key, JSON.stringify(value))
  }
  return meta
}
