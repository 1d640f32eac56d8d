/**
 * The management API: the canonical paths, and the older ones as aliases of the same handlers. Who may come in
 * is decided once, for all of them.
 */
import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import type { Principal } from '../identity/principal.ts'
import { hasScope, scopesUpTo } from '../identity/scope.ts'
import type { Background } from '../platform/background.ts'
import { isAllowedOrigin } from '../protocol/door.ts'
import { scopeChallenge } from '../protocol/refusal.ts'
import { answering } from './answer.ts'
import { mayEnter } from './area.ts'
import { type DefinitionPorts, definitionRoutes } from './definitions.ts'
import type { AdminEnv } from './env.ts'
import { type PermissionPorts, permissionRoutes } from './permissions.ts'
import { forbidden, respondWithProblem } from './problem.ts'
import { type KeyPorts, keyRoutes } from './keys.ts'
import { type LoginPorts, logIn } from './login.ts'
import { organisationRoutes } from './organisations.ts'
import { type ServicePorts, serviceRoutes } from './services.ts'
import { type ToolPorts, toolRoutes } from './tools.ts'
import { type ToolsetPorts, toolsetRoutes } from './toolsets.ts'
import { userRoutes } from './users.ts'

export type AdminPorts = ServicePorts &
  DefinitionPorts &
  PermissionPorts &
  ToolPorts &
  ToolsetPorts & {
    readonly people: KeyPorts & LoginPorts
    readonly allowedOrigins: readonly string[]
    /** The principal, or the response that turns the caller away. */
    readonly admit: (headers: Headers, background: Background) => Promise<Principal | Response>
  }

/** Every path of this API lies under one of these; nothing but the login answers who was not admitted (S20). */
const MANAGED = ['/api/v1/*', '/register', '/services', '/update/*', '/delete/*', '/mcp/services/*'] as const

export function adminRoutes(ports: AdminPorts): Hono<AdminEnv> {
  const admin = new Hono<AdminEnv>()
  const crossOrigin = cors({
    origin: (origin) => (isAllowedOrigin(origin, ports.allowedOrigins) ? origin : undefined),
  })
  const backgroundOf =
    (c: Context): Background =>
    (work) =>
      c.executionCtx.waitUntil(work)
  const login = answering((c) => logIn(c.req.raw, ports.people, backgroundOf(c)))
  admin.post('/api/v1/auth/login', crossOrigin, login)
  for (const path of MANAGED) {
    admin.use(path, crossOrigin, async (c, next) => {
      const background = backgroundOf(c)
      const admitted = await ports.admit(c.req.raw.headers, background)
      if (admitted instanceof Response) return admitted
      if (!mayEnter(admitted.manages, c.req.method, c.req.path)) return forbid(admitted)
      c.set('principal', admitted)
      c.set('background', background)
      return await next()
    })
  }
  for (const routes of [serviceRoutes, definitionRoutes, permissionRoutes, toolRoutes, toolsetRoutes]) {
    admin.route('/', routes(ports))
  }
  for (const routes of [userRoutes, keyRoutes, organisationRoutes]) admin.route('/', routes(ports.people))
  return admin
}

/** A credential that is limited may be had without the limit (RFC 6750, section 3.1). */
function forbid({ scopes }: Principal): Response {
  const response = respondWithProblem(forbidden)
  if (hasScope(scopes, 'mcp:admin')) return response
  response.headers.set('www-authenticate', scopeChallenge(scopesUpTo('mcp:admin')))
  return response
}
