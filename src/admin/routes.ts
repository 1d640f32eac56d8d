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
import { echo } from '../protocol/echo.ts'
import { isObject } from '../protocol/message.ts'
import { scopeChallenge } from '../protocol/refusal.ts'
import type { ManagementRefusal } from '../telemetry/audit.ts'
import { answering } from './answer.ts'
import { mayEnter } from './area.ts'
import { type AuditPorts, auditRoutes } from './audit.ts'
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
  AuditPorts &
  DefinitionPorts &
  PermissionPorts &
  ToolPorts &
  ToolsetPorts & {
    readonly people: KeyPorts & LoginPorts
    readonly allowedOrigins: readonly string[]
    /** The principal, or the response that turns the caller away. */
    readonly admit: (request: Request, background: Background) => Promise<Principal | Response>
    /** Writes down that somebody was refused of whom it is not known who it is, and somebody who is known (S62). */
    readonly turnAway: (why: string, request: Request, background: Background) => void
    readonly noteRefusal: (refusal: ManagementRefusal, background: Background) => void
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
  const login = answering(async (c) => {
    const answered = await logIn(c.req.raw, ports.people, backgroundOf(c))
    if (!answered.ok) ports.turnAway(answered.error.code, c.req.raw, backgroundOf(c))
    return answered
  })
  admin.post('/api/v1/auth/login', crossOrigin, login)
  for (const path of MANAGED) {
    admin.use(path, crossOrigin, async (c, next) => {
      const background = backgroundOf(c)
      const admitted = await ports.admit(c.req.raw, background)
      if (admitted instanceof Response) return admitted
      if (!mayEnter(admitted.manages, c.req.method, c.req.path)) {
        ports.noteRefusal(refusalOf(admitted, c.req.raw, forbidden.status, forbidden.code), background)
        return forbid(admitted)
      }
      c.set('principal', admitted)
      c.set('background', background)
      await next()
      const { status } = c.res
      if (status >= 400 && !c.get('isRecorded')) {
        const refused = refusalOf(admitted, c.req.raw, status, await codeOf(c.res.clone()))
        ports.noteRefusal(refused, background)
      }
      return undefined
    })
  }
  for (const routes of [
    serviceRoutes,
    auditRoutes,
    definitionRoutes,
    permissionRoutes,
    toolRoutes,
    toolsetRoutes,
  ]) {
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

function refusalOf(
  { organisationId, subject, agentType }: Principal,
  { method, url }: Request,
  status: number,
  outcome: string,
): ManagementRefusal {
  const target = echo(`${method} ${new URL(url).pathname}`)
  return { organisationId, actor: subject, target, outcome, detail: { agentType, status } }
}

async function codeOf(response: Response): Promise<string> {
  const body: unknown = await response.json().catch(() => undefined)
  return isObject(body) && typeof body['code'] === 'string' ? body['code'] : 'refused'
}
