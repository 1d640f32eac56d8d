/** The definitions of the tools of a service: looked at beside what was approved, and approved. */
import { Hono } from 'hono'
import type { Result } from '../platform/result.ts'
import { actorOf } from './actor.ts'
import type { Approver } from './approver.ts'
import { json } from './answer.ts'
import { approveDefinitions, inspectDefinitions } from './api/definitions.ts'
import { readBody } from './body.ts'
import type { AdminEnv, Handler } from './env.ts'
import { type Inspection, viewInspection } from './inspection.ts'
import { mount } from './operation.ts'
import { type Problem, respondWithProblem } from './problem.ts'

export type DefinitionPorts = { readonly approverOf: (organisationId: string) => Approver }

export function definitionRoutes({ approverOf }: DefinitionPorts): Hono<AdminEnv> {
  const inspect: Handler = async (c) => {
    const approver = approverOf(c.get('principal').organisationId)
    return respond(await approver.inspect(c.req.param('id') ?? '', c.get('background')))
  }
  const approve: Handler = async (c) => {
    const body = await readBody(c.req.raw, approveDefinitions.body)
    if (!body.ok) return respondWithProblem(body.error)
    const { organisationId } = c.get('principal')
    const name = c.req.param('id') ?? ''
    return respond(
      await approverOf(organisationId).approve(name, body.value, actorOf(c), c.get('background')),
    )
  }
  const routes = new Hono<AdminEnv>()
  mount(routes, inspectDefinitions, inspect)
  mount(routes, approveDefinitions, approve)
  return routes
}

const respond = (found: Result<Inspection, Problem>): Response =>
  found.ok ? json(viewInspection(found.value)) : respondWithProblem(found.error)
