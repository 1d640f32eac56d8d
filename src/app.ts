/** The Hono app: which route runs which steps. What is thrown is a bug and ends here, told by a reference only. */
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { getPath } from 'hono/utils/url'
import { type AdminPorts, adminRoutes } from './admin/routes.ts'
import { operations } from './admin/api/operations.ts'
import { type HealthPorts, reportHealth } from './admin/health.ts'
import { mount } from './admin/operation.ts'
import { reportGateway } from './admin/monitor.ts'
import { describeApi } from './admin/openapi.ts'
import { type Files, pageRoutes } from './admin/pages.ts'
import type { Upkeep } from './admin/upkeep.ts'
import { METADATA_PATHS, type ProtectedResource } from './identity/resource.ts'
import { type McpPorts, serveMcp } from './flow.ts'
import { goneEndpoint, unknownEndpoint } from './mcp/endpoint.ts'
import type { Background } from './platform/background.ts'
import { rememberFor } from './platform/remember.ts'
import { CORRELATION_HEADER, correlationIdOf } from './protocol/context.ts'
import { isAllowedHost, isAllowedOrigin } from './protocol/door.ts'
import { refuse } from './protocol/refusal.ts'
import { TRACE_KEYS } from './protocol/trace.ts'
import type { Log } from './telemetry/log.ts'

export type AppPorts = {
  readonly mcp: McpPorts
  readonly admin: Omit<AdminPorts, 'serveMcp'>
  readonly health: HealthPorts
  readonly resource: ProtectedResource
  readonly upkeep: Pick<Upkeep, 'tick'>
  /** What the pages of the API are made of, where there is that. */
  readonly files: Files | undefined
  /** By which callers may name the gateway; none: by any. */
  readonly allowedHosts: readonly string[]
  readonly log: Log
}

export function createApp(ports: AppPorts): Hono {
  const { mcp, admin, health, resource, upkeep, files, allowedHosts, log } = ports
  const app = new Hono()
  /** A page that made its own name lead here is told apart by that name (S32). */
  const isHostAllowed = (host: string | null): boolean =>
    allowedHosts.length === 0 || isAllowedHost(host ?? '', allowedHosts)
  const backgroundOf =
    (c: Context): Background =>
    (work) =>
      c.executionCtx.waitUntil(work)

  const serve = async (
    request: Request,
    name: string | undefined,
    background: Background,
  ): Promise<Response> => {
    const { headers, method } = request
    if (method === 'OPTIONS') return preflight(headers, mcp.allowedOrigins)
    const response = await serveMcp(request, name, mcp, background)
    upkeep.tick(background)
    const origin = headers.get('origin')
    return origin === null ? response : withOrigin(response, origin, mcp.allowedOrigins)
  }
  const tellHealth = async (c: Context): Promise<Response> => {
    const background = backgroundOf(c)
    const response = await reportHealth(health, background)
    upkeep.tick(background)
    return response
  }
  mount(app, operations.health, tellHealth)
  mount(app, operations.gatewayHealth, tellHealth)
  // From here on: what asks for health knows the gateway by its address alone.
  if (allowedHosts.length > 0) app.use(requireHost(isHostAllowed))
  app.on(['GET', 'POST'], [...OLDER_PATHS], () => goneEndpoint())
  app.on(['GET', 'OPTIONS'], [...METADATA_PATHS], (c) => resource.describe(c.req.raw) ?? unknownEndpoint())
  app.get('/openapi.json', () => new Response(describeOnce(operations), { headers: OPENAPI_HEADERS }))
  mount(app, operations.checkServices, async (c) => {
    const background = backgroundOf(c)
    const response = await reportGateway(c.req.raw, admin, admin.admit, background)
    upkeep.tick(background)
    const origin = c.req.header('origin')
    return origin === undefined ? response : withOrigin(response, origin, mcp.allowedOrigins)
  })
  app.route('/', pageRoutes(files))
  const ask: AdminPorts['serveMcp'] = (request, name, background, remarks) =>
    serveMcp(request, name, mcp, background, remarks)
  app.route('/', adminRoutes({ ...admin, serveMcp: ask }))
  // After the paths of this API below it, whose names no service can have.
  app.all('/mcp', (c) => serve(c.req.raw, undefined, backgroundOf(c)))
  app.all('/mcp/:name', (c) => serve(c.req.raw, c.req.param('name'), backgroundOf(c)))

  app.notFound(() => unknownEndpoint())
  const tellBug = (thrown: unknown, request: Request): Response => {
    const ref = crypto.randomUUID()
    const fields =
      thrown instanceof Error
        ? { error: thrown.message, stack: thrown.stack }
        : { error: typeof thrown === 'string' ? thrown : `an ${typeof thrown}, no error` }
    log('error', 'bug', { ref, correlationId: correlationIdOf(request), ...fields })
    return refuse({ why: 'bug', ref })
  }
  app.onError((thrown, c) => tellBug(thrown, c.req.raw))
  const { fetch: route } = app
  /** Nearly every request is a POST to one path, and is spared the search among a hundred. */
  const isTraffic = (request: Request): boolean =>
    request.method === 'POST' && getPath(request) === '/mcp' && isHostAllowed(request.headers.get('host'))
  const answer: typeof route = async (request, env, context) => {
    try {
      const response =
        context && isTraffic(request)
          ? await serve(request, undefined, (work) => context.waitUntil(work))
          : await route(request, env, context)
      return resource.announce(request, response)
    } catch (thrown) {
      // `onError` hears of instances of Error alone (F70).
      return tellBug(thrown, request)
    }
  }
  app.fetch = async (...call) => {
    const response = await answer(...call)
    response.headers.set(CORRELATION_HEADER, correlationIdOf(call[0]))
    return response
  }
  return app
}

const requireHost =
  (isAllowed: (host: string | null) => boolean): MiddlewareHandler =>
  async (c, next) =>
    isAllowed(c.req.header('host') ?? null) ? await next() : refuse({ why: 'host_refused' })

const describeOnce = rememberFor(describeApi)
const OPENAPI_HEADERS = {
  'content-type': 'application/json',
  'cache-control': 'public, max-age=300',
} as const

/** Where clients of the older transport look for its two endpoints; no service can have these names. */
const OLDER_PATHS = ['/sse', '/message', '/messages', '/mcp/sse', '/mcp/message'] as const

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

function withOrigin(response: Response, origin: string, allowed: readonly string[]): Response {
  if (!isAllowedOrigin(origin, allowed)) return response
  response.headers.set('access-control-allow-origin', origin)
  response.headers.set('access-control-expose-headers', EXPOSED_HEADERS)
  response.headers.append('vary', 'origin')
  return response
}
