/** The definitions of the tools of a service: looked at beside what was approved, and approved. */
import { Hono } from 'hono'
import type { Result } from '../platform/result.ts'
import type { Approver } from './approver.ts'
import { approval, readBody } from './body.ts'
import type { AdminEnv, Handler } from './env.ts'
import { type Inspection, viewInspection } from './inspection.ts'
import { type Problem, respondWithProblem } from './problem.ts'

export type DefinitionPorts = { readonly approverOf: (organisationId: string) => Approver }

export function definitionRoutes({ approverOf }: DefinitionPorts): Hono<AdminEnv> {
  const inspect: Handler = async (c) => {
    const approver = approverOf(c.get('principal').organisationId)
    return respond(await approver.inspect(c.req.param('id') ?? '', c.get('background')))
  }
  const approve: Handler = async (c) => {
    const body = await readBody(c.req.raw, approval)
    if (!body.ok) return respondWithProblem(body.error)
    const { organisationId, subject } = c.get('principal')
    const name = c.req.param('id') ?? ''
    return respond(await approverOf(organisationId).approve(name, body.value, subject, c.get('background')))
  }
  const routes = new Hono<AdminEnv>()
  routes.get('/api/v1/servers/:id/definitions', inspect)
  routes.post('/api/v1/servers/:id/definitions/approve', approve)
  return routes
}

const respond = (found: Result<Inspection, Problem>): Response =>
  found.ok
    ? new Response(viewInspection(found.value), {
        headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
      })
    : respondWithProblem(found.error)
