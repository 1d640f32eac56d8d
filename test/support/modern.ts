/**
 * The door of a modern upstream (2026-07-28), as SDK v2 servers keep it: the envelope in `_meta`, the headers
 * that repeat the body, and what a result must carry.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { SERVER_INFO } from './legacy.ts'
import { failure, isObject, type Message, type Outcome, parse, type Seen } from './message.ts'

export const MODERN_VERSION = '2026-07-28'
const PREFIX = 'io.modelcontextprotocol/'
const VERSION_KEY = `${PREFIX}protocolVersion`
const CAPABILITIES_KEY = `${PREFIX}clientCapabilities`
export const SUBSCRIPTION_KEY = `${PREFIX}subscriptionId`

/** Requests whose name the header `Mcp-Name` repeats, and the parameter that holds it. */
const NAMED: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
}
const CACHEABLE = /^server\/discover$|\/list$|^resources\/read$/

/** Anything that claims the modern version, in its header or its body. */
export const isModern = ({ headers, message }: Seen): boolean =>
  headers['mcp-protocol-version'] === MODERN_VERSION || message?.meta[VERSION_KEY] !== undefined

/** The refusal of a modern request before its method is looked at. `toolTexts`: for mirrored parameters. */
export function refuseModern(seen: Seen, toolTexts: readonly string[]): Outcome | undefined {
  const { headers, message } = seen
  if (!message) return failure(400, -32700, 'Parse error')
  if (message.id === undefined) return undefined
  return (
    refuseEnvelope(message, headers['mcp-protocol-version']) ??
    refuseHeader(headers, 'Mcp-Method', message.method) ??
    refuseName(headers, message) ??
    refuseMirrors(headers, message, toolTexts)
  )
}

/** A modern-only upstream to a client that speaks no modern version. */
export const refuseLegacy = (message: Message, how: 'method' | 'version'): Outcome =>
  how === 'method'
    ? failure(404, -32601, 'Method not found')
    : unsupported(String(message.params['protocolVersion'] ?? '2025-03-26'))

/** A result with what the version demands, put before whatever is already there. */
export function dressResult(method: string, result: string): string {
  const value = parse(result)
  if (!isObject(value)) return result
  const dress = {
    resultType: 'complete',
    ...(CACHEABLE.test(method) && { ttlMs: 60_000, cacheScope: 'public' }),
    _meta: { [`${PREFIX}serverInfo`]: SERVER_INFO },
  }
  const missing = Object.entries(dress).filter(([key]) => !(key in value))
  const members = missing.map(([key, member]) => `${JSON.stringify(key)}:${JSON.stringify(member)}`)
  const isEmpty = Object.keys(value).length === 0
  return `{${members.join(',')}${isEmpty || members.length === 0 ? '' : ','}${result.trimStart().slice(1)}`
}

function refuseEnvelope({ meta, params }: Message, header: unknown): Outcome | undefined {
  if (params['_meta'] === undefined) return failure(400, -32602, 'Invalid params: missing _meta')
  const version = meta[VERSION_KEY]
  if (typeof version !== 'string') return failure(400, -32602, `Invalid params: missing ${VERSION_KEY}`)
  if (header !== version) return mismatch('MCP-Protocol-Version', header, version)
  if (version !== MODERN_VERSION) return unsupported(version)
  return isObject(meta[CAPABILITIES_KEY])
    ? undefined
    : failure(400, -32602, `Invalid params: missing ${CAPABILITIES_KEY}`)
}

const unsupported = (requested: string): Outcome =>
  failure(400, -32022, 'Unsupported protocol version', { supported: [MODERN_VERSION], requested })

function refuseName(headers: IncomingHttpHeaders, { method = '', params }: Message): Outcome | undefined {
  const member = NAMED[method]
  return member === undefined ? undefined : refuseHeader(headers, 'Mcp-Name', params[member])
}

/** Top-level properties with `x-mcp-header` must be repeated in `Mcp-Param-…` when the call has them. */
function refuseMirrors(
  headers: IncomingHttpHeaders,
  { method, params }: Message,
  toolTexts: readonly string[],
): Outcome | undefined {
  if (method !== 'tools/call' || !isObject(params['arguments'])) return undefined
  const tools = toolTexts.filter((text) => text.includes('x-mcp-header')).map((text) => JSON.parse(text))
  const tool = tools.find(({ name }) => name === params['name'])
  for (const [key, property] of Object.entries<unknown>(tool?.inputSchema?.properties ?? {})) {
    const name = isObject(property) ? property['x-mcp-header'] : undefined
    const value = params['arguments'][key]
    if (typeof name !== 'string' || value === undefined || value === null) continue
    const refusal = refuseHeader(headers, `Mcp-Param-${name}`, value)
    if (refusal) return refusal
  }
  return undefined
}

function refuseHeader(headers: IncomingHttpHeaders, name: string, value: unknown): Outcome | undefined {
  const header = headers[name.toLowerCase()]
  if (header === undefined) return mismatch(name, header, value)
  return decodeHeader(String(header)) === String(value) ? undefined : mismatch(name, header, value)
}

const mismatch = (name: string, header: unknown, value: unknown): Outcome =>
  failure(
    400,
    -32020,
    `Header mismatch: ${name} is ${JSON.stringify(header)}, the body says ${JSON.stringify(value)}`,
  )

/** Values that no header can hold travel as `=?base64?…?=`. */
function decodeHeader(value: string): string {
  const encoded = /^=\?base64\?(.*)\?=$/.exec(value)?.[1]
  return encoded === undefined ? value : Buffer.from(encoded, 'base64').toString('utf8')
}
