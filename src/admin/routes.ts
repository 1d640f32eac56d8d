/**
 * The management API: the canonical paths, and the older ones as aliases of the same handlers. Who may come in
 * is decided once, for all of them.
 */
import { Hono } from 'hono'
import { cors } from 'hono/cors'
import { CORRELATION_HEADER } from '../protocol/context.ts'
import { isAllowedOrigin } from '../protocol/door.ts'
import { answering } from './answer.ts'
import * as api from './api/auth.ts'
import { type AuditPorts, auditRoutes } from './audit.ts'
import { cacheRoutes } from './cache.ts'
import { type DefinitionPorts, definitionRoutes } from './definitions.ts'
import { backgroundOf, entranceOfAgents, entranceOfManagers, type EntrancePorts } from './entrance.ts'
import type { AdminEnv } from './env.ts'
import { mount } from './operation.ts'
import { type PermissionPorts, permissionRoutes } from './permissions.ts'
import { respondWithProblem, unknownPath } from './problem.ts'
import { instanceRoutes } from './older/instance.ts'
import { type RegistryPorts, registryRoutes } from './older/registry.ts'
import { type RequestPorts, requestRoutes } from './older/request.ts'
import { templateRoutes } from './older/template.ts'
import { type KeyPorts, keyRoutes } from './keys.ts'
import { type LoginPorts, logIn } from './login.ts'
import { type MonitorPorts, monitorRoutes } from './monitor.ts'
import { organisationRoutes } from './organisations.ts'
import { type ServicePorts, serviceRoutes } from './services.ts'
import { type ToolPorts, toolRoutes } from './tools.ts'
import { type ToolsetPorts, toolsetRoutes } from './toolsets.ts'
import { type UsagePorts, usageRoutes } from './usage.ts'
import { userRoutes } from './users.ts'

export type AdminPorts = ServicePorts &
  AuditPorts &
  UsagePorts &
  DefinitionPorts &
  MonitorPorts &
  PermissionPorts &
  ToolPorts &
  ToolsetPorts &
  RequestPorts &
  RegistryPorts &
  EntrancePorts & { readonly people: KeyPorts & LoginPorts }

/** Every path of this API lies under one of these; nothing but the login answers who was not admitted (S20). */
const MANAGED = [
  '/api/v1/*',
  '/metrics',
  '/register',
  '/services',
  '/update/*',
  '/delete/*',
  '/mcp/services/*',
  '/gateway/registry',
  '/gateway/stats',
  '/gateway/register',
  '/gateway/deregister/*',
] as const

/** Older paths of agents: who may use the MCP endpoint may use them. */
const USED = [
  '/mcp/request',
  '/mcp/:template/tools/*',
  '/mcp/:template/resources/*',
  '/mcp/:template/health',
] as const

export function adminRoutes(ports: AdminPorts): Hono<AdminEnv> {
  const admin = new Hono<AdminEnv>()
  const crossOrigin = cors({
    origin: (origin) => (isAllowedOrigin(origin, ports.allowedOrigins) ? origin : undefined),
    exposeHeaders: ['etag', 'www-authenticate', 'x-cache', CORRELATION_HEADER],
  })
  const login = answering(async (c) => {
    const answered = await logIn(c.req.raw, ports.people, backgroundOf(c))
    if (!answered.ok) ports.turnAway(answered.error.code, c.req.raw, backgroundOf(c))
    return answered
  })
  admin.use(api.logIn.path, crossOrigin)
  mount(admin, api.logIn, login)
  const [forManagers, forAgents] = [entranceOfManagers(ports), entranceOfAgents(ports)]
  for (const path of MANAGED) admin.use(path, crossOrigin, forManagers)
  for (const path of USED) admin.use(path, crossOrigin, forAgents)
  for (const routes of [
    serviceRoutes,
    auditRoutes,
    usageRoutes,
    definitionRoutes,
    cacheRoutes,
    monitorRoutes,
    permissionRoutes,
    toolRoutes,
    toolsetRoutes,
    requestRoutes,
    templateRoutes,
    registryRoutes,
    instanceRoutes,
  ]) {
    admin.route('/', routes(ports))
  }
  for (const routes of [userRoutes, keyRoutes, organisationRoutes]) admin.route('/', routes(ports.people))
  admin.all('/api/v1/*', async () => respondWithProblem(unknownPath))
  return admin
}
