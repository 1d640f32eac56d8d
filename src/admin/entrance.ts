/** Who comes in to the management API, and what is written down of those who are refused (S20, S62). */
import type { Context, MiddlewareHandler } from 'hono'
import type { Principal } from '../identity/principal.ts'
import { hasScope, scopesUpTo } from '../identity/scope.ts'
import type { Background } from '../platform/background.ts'
import { correlationIdOf } from '../protocol/context.ts'
import { isAllowedOrigin } from '../protocol/door.ts'
import { echo } from '../protocol/echo.ts'
import { isObject } from '../protocol/message.ts'
import { scopeChallenge } from '../protocol/refusal.ts'
import type { ManagementRefusal } from '../telemetry/audit.ts'
import { mayEnter } from './area.ts'
import { problemOf } from './ask.ts'
import type { AdminEnv } from './env.ts'
import { forbidden, respondWithProblem } from './problem.ts'

export type EntrancePorts = {
  readonly allowedOrigins: readonly string[]
  /** The principal, or the response that turns the caller away. */
  readonly admit: (request: Request, background: Background) => Promise<Principal | Response>
  /** The same for whoever may use the MCP endpoint of this name, anonymous callers too where it is open. */
  readonly admitAgent: (
    request: Request,
    endpoint: string | undefined,
    background: Background,
  ) => Promise<Principal | Response>
  /** Writes down that somebody was refused of whom it is not known who it is, and somebody who is known (S62). */
  readonly turnAway: (why: string, request: Request, background: Background) => void
  readonly noteRefusal: (refusal: ManagementRefusal, background: Background) => void
}

type Entrance = MiddlewareHandler<AdminEnv>
type Admit = (c: Context<AdminEnv>, background: Background) => Promise<Principal | Response>

export const backgroundOf =
  (c: Context): Background =>
  (work) =>
    c.executionCtx.waitUntil(work)

/** For those who manage what is behind it. */
export function entranceOfManagers(ports: EntrancePorts): Entrance {
  return entranceBy(async (c, background) => {
    const admitted = await ports.admit(c.req.raw, background)
    if (admitted instanceof Response) return admitted
    if (mayEnter(admitted.manages, c.req.method, c.req.path)) return admitted
    ports.noteRefusal(refusalOf(admitted, c.req.raw, forbidden.status, forbidden.code), background)
    return forbid(admitted)
  }, ports)
}

/**
 * For those who may use the MCP endpoint. A page of a foreign origin is refused here as there, where it needs no
 * credential (B07–B12).
 */
export function entranceOfAgents(ports: EntrancePorts): Entrance {
  return entranceBy(async (c, background) => {
    const origin = c.req.header('origin')
    if (origin === undefined || isAllowedOrigin(origin, ports.allowedOrigins))
      return await ports.admitAgent(c.req.raw, c.req.param('template'), background)
    ports.turnAway('origin_refused', c.req.raw, background)
    return respondWithProblem(problemOf({ why: 'origin_refused' }))
  }, ports)
}

const entranceBy =
  (admit: Admit, { noteRefusal }: EntrancePorts): Entrance =>
  async (c, next) => {
    const background = backgroundOf(c)
    const admitted = await admit(c, background)
    if (admitted instanceof Response) return admitted
    c.set('principal', admitted)
    c.set('background', background)
    await next()
    const { status } = c.res
    if (status >= 400 && !c.get('isRecorded')) {
      const refused = refusalOf(admitted, c.req.raw, status, await codeOf(c.res.clone()))
      noteRefusal(refused, background)
    }
    return undefined
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
  request: Request,
  status: number,
  outcome: string,
): ManagementRefusal {
  const target = echo(`${request.method} ${new URL(request.url).pathname}`)
  return {
    organisationId,
    actor: subject,
    target,
    outcome,
    detail: { agentType, status, correlationId: correlationIdOf(request) },
  }
}

async function codeOf(response: Response): Promise<string> {
  const body: unknown = await response.json().catch(() => undefined)
  return isObject(body) && typeof body['code'] === 'string' ? body['code'] : 'refused'
}
