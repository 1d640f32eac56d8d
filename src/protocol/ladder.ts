/**
 * What must hold between a message and its headers, in order: rows B61–B94 of reliability.md as data. The
 * first rung that finds a fault answers. Decisions come from the body; a header that disagrees is refused,
 * never believed.
 */
import { climb, type Rung } from './door.ts'
import { decodeHeader, describeMismatch } from './header.ts'
import { isObject, type Message } from './message.ts'
import { hasArguments, isKnownMethod, mirroredParamOf, nameParamOf, severityOf } from './method.ts'
import type { Refusal } from './refusal.ts'
import { type Era, isLegacyVersion, isModernVersion, META, SUPPORTED_VERSIONS } from './version.ts'

export type Inbound = { readonly message: Message; readonly headers: Headers; readonly era: Era }

/** Modern is who says so: a modern version in the header, or any version in the body's envelope. */
export function eraOf(message: Message, headers: Headers): Era {
  if (message.meta !== undefined && META.version in message.meta) return 'modern'
  return isModernVersion(headers.get('mcp-protocol-version') ?? '') ? 'modern' : 'legacy'
}

export const LADDER: readonly Rung<Inbound>[] = [
  { rung: 'handshake', cells: 'B86', check: refuseModernHandshake },
  { rung: 'envelope', cells: 'B65-B68', check: requireEnvelope },
  { rung: 'version header', cells: 'B69, B71', check: compareVersion },
  { rung: 'method header', cells: 'B62, B73, B74', check: compareMethod },
  { rung: 'version', cells: 'B70, B89', check: requireVersion },
  { rung: 'headers present', cells: 'B72, B76', check: requireHeaders },
  { rung: 'name header', cells: 'B77-B80', check: compareName },
  { rung: 'method', cells: 'B90-B92', check: requireMethod },
  { rung: 'params', cells: 'B93, B94, B98, B107, B110, B111', check: requireParams },
]

export const checkInbound = (inbound: Inbound): Refusal | undefined => climb(LADDER, inbound)

function refuseModernHandshake({ message, headers, era }: Inbound): Refusal | undefined {
  const isBare = message.meta === undefined || !(META.version in message.meta)
  if (era === 'legacy' || message.method !== 'initialize' || !isBare) return undefined
  return mismatch(`initialize is not part of ${headers.get('mcp-protocol-version')}`)
}

function requireEnvelope({ message, era }: Inbound): Refusal | undefined {
  // Modern notifications carry no envelope (2026-07-28, "Notifications").
  if (era === 'legacy' || message.idText === undefined) return undefined
  if (message.meta === undefined) return invalid('missing _meta', 400)
  const version = message.meta[META.version]
  if (version === undefined) return invalid(`missing _meta ${META.version}`, 400)
  if (typeof version !== 'string') return invalid(`_meta ${META.version} must be a string`, 400)
  const capabilities = message.meta[META.capabilities]
  if (capabilities === undefined) return invalid(`missing _meta ${META.capabilities}`, 400)
  return isObject(capabilities) ? undefined : invalid(`_meta ${META.capabilities} must be an object`, 400)
}

function compareVersion({ message, headers, era }: Inbound): Refusal | undefined {
  const body = message.meta?.[META.version]
  if (era === 'legacy' || typeof body !== 'string') return undefined
  return compareHeader(headers, 'MCP-Protocol-Version', body) ?? missing(headers, 'MCP-Protocol-Version')
}

function compareMethod({ message, headers, era }: Inbound): Refusal | undefined {
  return era === 'legacy' ? undefined : compareHeader(headers, 'Mcp-Method', message.method)
}

function requireVersion({ message, headers, era }: Inbound): Refusal | undefined {
  const header = headers.get('mcp-protocol-version')
  if (era === 'modern') {
    const version = message.meta?.[META.version] ?? header
    const named = typeof version === 'string' ? version : JSON.stringify(version)
    return isModernVersion(named) ? undefined : unsupported(named)
  }
  // A client that initializes has nothing agreed yet, whatever its header says.
  if (header === null || message.method === 'initialize') return undefined
  return isLegacyVersion(header) ? undefined : unsupported(header)
}

function requireHeaders({ message, headers, era }: Inbound): Refusal | undefined {
  if (era === 'legacy') return undefined
  const needsName =
    message.params !== undefined && typeof message.params[mirroredParamOf(message.method) ?? ''] === 'string'
  return missing(headers, 'Mcp-Method') ?? (needsName ? missing(headers, 'Mcp-Name') : undefined)
}

function compareName({ message, headers, era }: Inbound): Refusal | undefined {
  const name = message.params?.[mirroredParamOf(message.method) ?? '']
  return era === 'legacy' || typeof name !== 'string' ? undefined : compareHeader(headers, 'Mcp-Name', name)
}

function requireMethod({ message, era }: Inbound): Refusal | undefined {
  if (message.idText === undefined || isKnownMethod(message.method, era)) return undefined
  return { why: 'unknown_method', method: message.method, status: era === 'modern' ? 404 : 200 }
}

function requireParams({ message }: Inbound): Refusal | undefined {
  if (message.idText === undefined) return undefined
  return requireMeta(message) ?? requireName(message) ?? requireShapes(message)
}

function requireMeta({ meta }: Message): Refusal | undefined {
  const token = meta?.['progressToken']
  if (token !== undefined && typeof token !== 'string' && !Number.isSafeInteger(token)) {
    return invalid('progressToken must be a string or integer', 200)
  }
  const level = meta?.[META.logLevel]
  return level === undefined || severityOf(level) >= 0 ? undefined : invalid('unknown log level', 200)
}

function requireName({ method, params }: Message): Refusal | undefined {
  const needed = nameParamOf(method)
  if (needed === undefined) return undefined
  const name = params?.[needed]
  if (name === undefined) return invalid(`${needed} is required`, 200)
  if (typeof name !== 'string') return invalid(`${needed} must be a string`, 200)
  return needed === 'level' && severityOf(name) < 0 ? invalid('unknown log level', 200) : undefined
}

function requireShapes({ method, params }: Message): Refusal | undefined {
  if (method === 'subscriptions/listen') {
    const filter = params?.['notifications']
    if (filter === undefined) return invalid('notifications is required', 200)
    return isObject(filter) ? undefined : invalid('notifications must be an object', 200)
  }
  if (method === 'completion/complete' && !isObject(params?.['ref'])) {
    return invalid(params?.['ref'] === undefined ? 'ref is required' : 'ref must be an object', 200)
  }
  const given = hasArguments(method) ? params?.['arguments'] : undefined
  return given === undefined || isObject(given) ? undefined : invalid('arguments must be an object', 200)
}

function compareHeader(headers: Headers, name: string, body: string): Refusal | undefined {
  const value = headers.get(name)
  if (value === null) return undefined
  const decoded = decodeHeader(value.trim())
  if (!decoded.ok) return mismatch(`${name} header is ${decoded.error}`)
  if (decoded.value === body) return undefined
  return mismatch(describeMismatch(name, decoded.value, body))
}

const missing = (headers: Headers, name: string): Refusal | undefined =>
  headers.has(name) ? undefined : mismatch(`${name} header is missing`)

const mismatch = (detail: string): Refusal => ({ why: 'header_mismatch', detail })

const invalid = (detail: string, status: 200 | 400): Refusal => ({ why: 'invalid_params', detail, status })

const unsupported = (requested: string): Refusal => ({
  why: 'unsupported_version',
  requested,
  supported: SUPPORTED_VERSIONS,
})
