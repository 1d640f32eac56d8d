/** Requests to the MCP endpoints as browsers and others send them: preflights, the way of MCP, the origin reflected. */
import { type McpPorts, serveMcp } from './flow.ts'
import type { Upkeep } from './admin/upkeep.ts'
import type { Background } from './platform/background.ts'
import { CORRELATION_HEADER } from './protocol/context.ts'
import { isAllowedOrigin } from './protocol/door.ts'
import { refuse } from './protocol/refusal.ts'
import { TRACE_KEYS } from './protocol/trace.ts'

/** `name`: as `serveMcp` takes it. */
export type Traffic = (
  request: Request,
  name: string | undefined,
  background: Background,
) => Promise<Response>

export type TrafficPorts = {
  readonly mcp: McpPorts
  readonly upkeep: Pick<Upkeep, 'tick'>
}

export const openTraffic =
  ({ mcp, upkeep }: TrafficPorts): Traffic =>
  async (request, name, background) => {
    const { headers, method } = request
    if (method === 'OPTIONS') return preflight(headers, mcp.allowedOrigins)
    const response = await serveMcp(request, name, mcp, background)
    upkeep.tick(background)
    const origin = headers.get('origin')
    return origin === null ? response : withOrigin(response, origin, mcp.allowedOrigins)
  }

const ALLOWED_HEADERS = [
  'authorization',
  'cache-control',
  'content-type',
  'x-api-key',
  'mcp-protocol-version',
  'mcp-session-id',
  'mcp-method',
  'mcp-name',
  'last-event-id',
  CORRELATION_HEADER,
  ...TRACE_KEYS,
]
/** Headers that repeat arguments have names of their tools' making (2026-07-28, "Custom headers"). */
const MIRROR = /^mcp-param-[!#$%&'*+\-.^_`|~0-9a-z]{1,100}$/

/** The exact origin is reflected, never `*` (B07, B08, S34). */
function preflight(asked: Headers, allowed: readonly string[]): Response {
  const origin = asked.get('origin')
  if (origin === null || !isAllowedOrigin(origin, allowed)) return refuse({ why: 'origin_refused' })
  const named = (asked.get('access-control-request-headers') ?? '').toLowerCase().split(',')
  const mirrors = named.map((name) => name.trim()).filter((name) => MIRROR.test(name))
  const headers = {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET, POST, DELETE, OPTIONS',
    'access-control-allow-headers': [...ALLOWED_HEADERS, ...mirrors].join(', '),
    'access-control-max-age': '600',
    vary: 'origin',
  }
  return new Response(null, { status: 204, headers })
}

const EXPOSED_HEADERS = ['mcp-session-id', 'www-authenticate', 'x-cache', CORRELATION_HEADER].join(', ')

/** What a page of an allowed origin may read of it. */
export function withOrigin(response: Response, origin: string, allowed: readonly string[]): Response {
  if (!isAllowedOrigin(origin, allowed)) return response
  response.headers.set('access-control-allow-origin', origin)
  response.headers.set('access-control-expose-headers', EXPOSED_HEADERS)
  response.headers.append('vary', 'origin')
  return response
}
