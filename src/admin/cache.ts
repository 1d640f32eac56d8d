/** Results that are given again, thrown away: a write on the registry, by which every isolate looks for them elsewhere. */
import { type Context, Hono } from 'hono'
import { err, ok, type Result } from '../platform/result.ts'
import { answering, json } from './answer.ts'
import * as api from './api/cache.ts'
import type { AdminEnv } from './env.ts'
import { mount } from './operation.ts'
import { type Problem, unknownService, unknownTool } from './problem.ts'
import type { Visibility } from './visibility.ts'

export type CachePorts = { readonly visibilityOf: (organisationId: string) => Visibility }

export function cacheRoutes({ visibilityOf }: CachePorts): Hono<AdminEnv> {
  const discard = answering(async (c) => {
    const visibility = visibilityOf(c.get('principal').organisationId)
    const found = await find(c, visibility)
    if (!found.ok) return found
    const { serviceId, service, tool } = found.value
    const act = {
      actor: c.get('principal').subject,
      action: 'cache.discard',
      target: tool === undefined ? service : `${service}/${tool}`,
    }
    const stored = visibility.store.discardResults({ serviceId, tool }, act)
    const after = await visibility.ledger.commit(stored, c.get('background'))
    return after.ok ? ok(json(JSON.stringify({ service, tool, discarded: true }))) : after
  })
  const routes = new Hono<AdminEnv>()
  mount(routes, api.discardServerResults, discard)
  mount(routes, api.discardToolResults, discard)
  return routes
}

type Meant = { readonly serviceId: string; readonly service: string; readonly tool: string | undefined }

async function find(c: Context<AdminEnv>, { ledger }: Visibility): Promise<Result<Meant, Problem>> {
  const snapshot = await ledger.committed(c.get('background'))
  if (!snapshot.ok) return snapshot
  const idOrName = c.req.param('id') ?? c.req.param('service') ?? ''
  const service = snapshot.value.service(idOrName) ?? snapshot.value.serviceById(idOrName)
  if (!service) return err(unknownService(idOrName))
  const tool = c.req.param('tool')
  const isThere = snapshot.value.everyTool.some(
    (each) => each.service.id === service.id && each.localName === tool,
  )
  if (tool !== undefined && !isThere) return err(unknownTool(service.name, tool))
  return ok({ serviceId: service.id, service: service.name, tool })
}
