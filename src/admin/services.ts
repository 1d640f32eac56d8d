/** Services: registered, listed, changed, looked at, removed; their instances. The older paths are aliases of the same handlers. */
import { type Context, Hono } from 'hono'
import type { Background } from '../platform/background.ts'
import type { Result } from '../platform/result.ts'
import type { ServiceRecord } from '../registry/image.ts'
import { change, instance, readBody, registration } from './body.ts'
import type { AdminEnv, Handler } from './env.ts'
import { type Figures, guardAway, type ServiceFigures, viewFigures, viewHealth } from './figures.ts'
import { addInstance, removeInstance, viewInstance, viewInstances } from './instances.ts'
import { pageOf } from './page.ts'
import { type Problem, respondWithProblem } from './problem.ts'
import type { Registrar } from './registrar.ts'
import { viewDefinition, viewRow, viewService } from './view.ts'

export type ServicePorts = {
  readonly registrarOf: (organisationId: string) => Registrar
  readonly figures: Figures
}

export function serviceRoutes(ports: ServicePorts): Hono<AdminEnv> {
  const registrar = (c: Context<AdminEnv>): Registrar => ports.registrarOf(c.get('principal').organisationId)
  const name = (c: Context<AdminEnv>): string => c.req.param('id') ?? ''
  const actor = (c: Context<AdminEnv>): string => c.get('principal').subject
  const background = (c: Context<AdminEnv>): Background => c.get('background')

  const list: Handler = async (c) => {
    const snapshot = await registrar(c).read(background(c))
    if (!snapshot.ok) return respondWithProblem(snapshot.error)
    const page = pageOf(snapshot.value.image.services.map(viewRow), c.req.query())
    return page.ok ? json(page.value) : respondWithProblem(page.error)
  }
  const register: Handler = async (c) => {
    const body = await readBody(c.req.raw, registration)
    if (!body.ok) return respondWithProblem(body.error)
    return respond(await registrar(c).register(body.value, actor(c), background(c)), viewService, 201)
  }
  const show: Handler = async (c) => respond(await registrar(c).find(name(c), background(c)), viewService)
  const define: Handler = async (c) =>
    respond(await registrar(c).find(name(c), background(c)), viewDefinition)
  const look =
    (view: (service: ServiceRecord, figures: ServiceFigures) => string): Handler =>
    async (c) => {
      const found = await registrar(c).find(name(c), background(c))
      if (!found.ok) return respondWithProblem(found.error)
      const figures = await ports.figures(found.value)
      return figures.ok ? json(view(found.value, figures.value)) : respondWithProblem(guardAway)
    }
  const instances: Handler = async (c) =>
    respond(await registrar(c).find(name(c), background(c)), viewInstances)
  const grow: Handler = async (c) => {
    const body = await readBody(c.req.raw, instance)
    if (!body.ok) return respondWithProblem(body.error)
    const added = await addInstance(registrar(c), name(c), body.value, actor(c), background(c))
    return added.ok ? json(viewInstance(added.value), 201) : respondWithProblem(added.error)
  }
  const shrink: Handler = async (c) => {
    const instanceId = c.req.param('instanceId') ?? ''
    return respond(
      await removeInstance(registrar(c), name(c), instanceId, actor(c), background(c)),
      viewInstances,
    )
  }
  const update: Handler = async (c) => {
    const body = await readBody(c.req.raw, change)
    if (!body.ok) return respondWithProblem(body.error)
    return respond(await registrar(c).change(name(c), body.value, actor(c), background(c)), viewService)
  }
  const refresh: Handler = async (c) =>
    respond(await registrar(c).change(name(c), {}, actor(c), background(c)), viewService)
  const enable =
    (isEnabled: boolean): Handler =>
    async (c) =>
      respond(await registrar(c).setEnabled(name(c), isEnabled, actor(c), background(c)), viewService)
  const remove: Handler = async (c) =>
    respond(await registrar(c).remove(name(c), actor(c), background(c)), viewDeleted)

  const routes = new Hono<AdminEnv>()
  const servers = '/api/v1/servers'
  routes.get(servers, list).post(servers, register)
  routes.get(`${servers}/:id`, show).put(`${servers}/:id`, update).delete(`${servers}/:id`, remove)
  routes.post(`${servers}/:id/connect`, enable(true)).post(`${servers}/:id/disconnect`, enable(false))
  routes.post(`${servers}/:id/refresh`, refresh).get(`${servers}/:id/definition`, define)
  routes.get(`${servers}/:id/metrics`, look(viewFigures)).get(`${servers}/:id/health`, look(viewHealth))
  routes.get(`${servers}/:id/instances`, instances).post(`${servers}/:id/instances`, grow)
  routes.delete(`${servers}/:id/instances/:instanceId`, shrink)

  routes.get('/mcp/services/:id/metrics', look(viewFigures))
  routes.post('/register', register).post('/services', list)
  routes.put('/update/:id', update).delete('/delete/:id', remove)
  return routes
}

function respond(
  found: Result<ServiceRecord, Problem>,
  view: (service: ServiceRecord) => string,
  status = 200,
): Response {
  return found.ok
    ? json(view(found.value), status, { etag: etagOf(found.value) })
    : respondWithProblem(found.error)
}

export const json = (text: string, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(text, {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  })

const viewDeleted = (service: ServiceRecord): string =>
  JSON.stringify({ id: service.id, name: service.name, deleted: true })

const etagOf = (service: ServiceRecord): string => `"${Date.parse(service.updatedAt).toString(36)}"`
