/** The Hono app: which route runs which steps. What is thrown is a bug and ends here, told by a reference only. */
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { type AdminPorts, adminRoutes } from './admin/routes.ts'
import { type HealthPorts, reportHealth } from './admin/health.ts'
import type { Upkeep } from './admin/upkeep.ts'
import { METADATA_PATHS, type ProtectedResource } from './identity/resource.ts'
import { goneEndpoint, type McpPorts, serveMcp, unknownEndpoint } from './flow.ts'
import type { Background } from './platform/background.ts'
import { isAllowedHost, isAllowedOrigin } from './protocol/door.ts'
import { refuse } from './protocol/refusal.ts'
import type { Log } from './telemetry/log.ts'

export type AppPorts = {
  readonly mcp: McpPorts
  readonly admin: Omit<AdminPorts, 'serveMcp'>
  readonly health: HealthPorts
  readonly resource: ProtectedResource
  readonly upkeep: Pick<Upkeep, 'tick'>
  /** By which callers may name the gateway; none: by any. */
  readonly allowedHosts: readonly string[]
  readonly log: Log
}

export function createApp({ mcp, admin, health, resource, upkeep, allowedHosts, log }: AppPorts): Hono {
  const app = new Hono()
  const backgroundOf =
    (c: Context): Background =>
    (work) =>
      c.executionCtx.waitUntil(work)

  const serve = async (c: Context): Promise<Response> => {
    const origin = c.req.header('origin')
    if (c.req.method === 'OPTIONS') return preflight(c.req.raw.headers, mcp.allowedOrigins)
    const background = backgroundOf(c)
    const response = await serveMcp(c.req.raw, c.req.param('name'), mcp, background)
    upkeep.tick(background)
    return origin === undefined ? response : withOrigin(response, origin, mcp.allowedOrigins)
  }
  app.get('/health', async (c) => {
    const background = backgroundOf(c)
    const response = await reportHealth(health, background)
    upkeep.tick(background)
    return response
  })
  // From here on: what asks for health knows the gateway by its address alone.
  if (allowedHosts.length > 0) app.use(requireHost(allowedHosts))
  app.on(['GET', 'POST'], [...OLDER_PATHS], () => goneEndpoint())
  app.on(['GET', 'OPTIONS'], [...METADATA_PATHS], (c) => resource.describe(c.req.raw) ?? unknownEndpoint())
  app.all('/mcp', serve)
  app.all('/mcp/:name', serve)
  const serveAll: AdminPorts['serveMcp'] = (request, background) =>
    serveMcp(request, undefined, mcp, background)
  app.route('/', adminRoutes({ ...admin, serveMcp: serveAll }))

  app.notFound(() => unknownEndpoint())
  const tellBug = (thrown: unknown): Response => {
    const ref = crypto.randomUUID()
    const fields =
      thrown instanceof Error
        ? { error: thrown.message, stack: thrown.stack }
        : { error: typeof thrown === 'string' ? thrown : `an ${typeof thrown}, no error` }
    log('error', 'bug', { ref, ...fields })
    return refuse({ why: 'bug', ref })
  }
  app.onError(tellBug)
  const { fetch } = app
  // `onError` hears of instances of Error alone (F70).
  app.fetch = async (...call) => {
    try {
      return resource.announce(call[0], await fetch(...call))
    } catch (thrown) {
      return tellBug(thrown)
    }
  }
  return app
}

/** A page that made its own name lead here is told apart by that name (S32). */
const requireHost =
  (allowed: readonly string[]): MiddlewareHandler =>
  async (c, next) =>
    isAllowedHost(c.req.header('host') ?? '', allowed) ? await next() : refuse({ why: 'host_refused' })

/** Where clients of the older transport look for its two endpoints; no service can have these names. */
const OLDER_PATHS = ['/sse', '/message', '/messages', '/mcp/sse', '/mcp/message'] as const

const ALLOWED_HEADERS = [
  'authorization',
  'content-type',
  'x-api-key',
  'mcp-protocol-version',
  'mcp-session-id',
  'mcp-method',
  'mcp-name',
  'last-event-id',
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

function withOrigin(response: Response, origin: string, allowed: readonly string[]): Response {
  if (!isAllowedOrigin(origin, allowed)) return response
  response.headers.set('access-control-allow-origin', origin)
  response.headers.set('access-control-expose-headers', 'mcp-session-id, www-authenticate')
  response.headers.append('vary', 'origin')
  return response
}
