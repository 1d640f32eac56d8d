/** The Hono app: which route runs which steps. What is thrown is a bug, and goes on to whoever asked. */
import { type Context, Hono, type MiddlewareHandler } from 'hono'
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
import { refuse } from './protocol/refusal.ts'
import { type Traffic, withOrigin } from './traffic.ts'

export type RoutePorts = {
  readonly mcp: McpPorts
  readonly admin: Omit<AdminPorts, 'serveMcp'>
  readonly health: HealthPorts
  readonly resource: Pick<ProtectedResource, 'describe'>
  readonly upkeep: Pick<Upkeep, 'tick'>
  /** What the pages of the API are made of, where there is that. */
  readonly files: Files | undefined
  readonly traffic: Traffic
  /** Absent: callers may name the gateway as they like. */
  readonly isHostAllowed: ((host: string | null) => boolean) | undefined
}

export function createRoutes(ports: RoutePorts): Hono {
  const { mcp, admin, health, resource, upkeep, files, traffic, isHostAllowed } = ports
  const app = new Hono()
  const backgroundOf =
    (c: Context): Background =>
    (work) =>
      c.executionCtx.waitUntil(work)

  const tellHealth = async (c: Context): Promise<Response> => {
    const background = backgroundOf(c)
    const response = await reportHealth(health, background)
    upkeep.tick(background)
    return response
  }
  mount(app, operations.health, tellHealth)
  mount(app, operations.gatewayHealth, tellHealth)
  // From here on: what asks for health knows the gateway by its address alone.
  if (isHostAllowed) app.use(requireHost(isHostAllowed))
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
  app.all('/mcp', (c) => traffic(c.req.raw, undefined, backgroundOf(c)))
  app.all('/mcp/:name', (c) => traffic(c.req.raw, c.req.param('name'), backgroundOf(c)))

  app.notFound(() => unknownEndpoint())
  app.onError((thrown) => {
    throw thrown
  })
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
