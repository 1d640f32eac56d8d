/** Services: registered, listed, changed, looked at, removed; their instances. The older paths are aliases of the same handlers. */
import { type Context, Hono } from 'hono'
import type { Background } from '../platform/background.ts'
import { err, ok, type Result } from '../platform/result.ts'
import type { ServiceRecord } from '../registry/image.ts'
import { actorOf } from './actor.ts'
import { type Answered, answering, json } from './answer.ts'
import * as older from './api/older.ts'
import * as api from './api/servers.ts'
import { readBody, readQuery, readWrite } from './body.ts'
import type { AdminEnv, Handler } from './env.ts'
import { type Figures, guardAway, type ServiceFigures, viewFigures, viewHealth } from './figures.ts'
import { type Expected, readExpected } from './etag.ts'
import { addInstance, type Asking, removeInstance, viewInstance, viewInstances } from './instances.ts'
import type { Found } from './ledger.ts'
import { mount } from './operation.ts'
import { pageOf } from './page.ts'
import type { Problem } from './problem.ts'
import type { Registrar } from './registrar.ts'
import { tagOf, viewDefinition, viewRow, viewService } from './view.ts'

export type ServicePorts = {
  readonly registrarOf: (organisationId: string) => Registrar
  readonly figures: Figures
}

export function serviceRoutes(ports: ServicePorts): Hono<AdminEnv> {
  const registrar = (c: Context<AdminEnv>): Registrar => ports.registrarOf(c.get('principal').organisationId)
  const name = (c: Context<AdminEnv>): string => c.req.param('id') ?? ''
  const background = (c: Context<AdminEnv>): Background => c.get('background')
  const find = (c: Context<AdminEnv>): Promise<Found> => registrar(c).ledger.find(name(c), background(c))
  const asking = (c: Context<AdminEnv>, expected: Expected): Asking => ({
    actor: actorOf(c),
    background: background(c),
    expected,
  })

  const list = answering(async (c) => {
    const page = readQuery(c.req.query(), api.listServers.query)
    if (!page.ok) return page
    const snapshot = await registrar(c).ledger.read(background(c))
    return snapshot.ok ? ok(json(pageOf(snapshot.value.image.services.map(viewRow), page.value))) : snapshot
  })
  const register = answering(async (c) => {
    const body = await readBody(c.req.raw, api.registerServer.body)
    if (!body.ok) return body
    return tagged(await registrar(c).register(body.value, actorOf(c), background(c)), viewService, 201)
  })
  const show = (view: (service: ServiceRecord) => string): Handler =>
    answering(async (c) => tagged(await find(c), view))
  const look = (view: (service: ServiceRecord, figures: ServiceFigures) => string): Handler =>
    answering(async (c) => {
      const found = await find(c)
      if (!found.ok) return found
      const figures = await ports.figures(found.value)
      return figures.ok ? ok(json(view(found.value, figures.value))) : err(guardAway)
    })
  const grow = answering(async (c) => {
    const given = await readWrite(c.req.raw, api.addInstance.body)
    if (!given.ok) return given
    const added = await addInstance(registrar(c), name(c), given.value.body, asking(c, given.value.expected))
    if (!added.ok) return added
    const { instance, service } = added.value
    return ok(json(viewInstance(instance), 201, { etag: tagOf(service) }))
  })
  const shrink = answering(async (c) => {
    const expected = readExpected(c.req.raw.headers)
    if (!expected.ok) return expected
    const instanceId = c.req.param('instanceId') ?? ''
    const shrunk = await removeInstance(registrar(c), name(c), instanceId, asking(c, expected.value))
    return tagged(shrunk, viewInstances)
  })
  const update = answering(async (c) => {
    const given = await readWrite(c.req.raw, api.updateServer.body)
    if (!given.ok) return given
    const { body, expected } = given.value
    return tagged(await registrar(c).change(name(c), body, actorOf(c), background(c), expected), viewService)
  })
  const refresh = answering(async (c) =>
    tagged(await registrar(c).change(name(c), {}, actorOf(c), background(c)), viewService),
  )
  const enable = (isEnabled: boolean): Handler =>
    answering(async (c) => {
      const expected = readExpected(c.req.raw.headers)
      if (!expected.ok) return expected
      const { value } = expected
      return tagged(
        await registrar(c).setEnabled(name(c), isEnabled, actorOf(c), background(c), value),
        viewService,
      )
    })
  const remove = answering(async (c) => {
    const expected = readExpected(c.req.raw.headers)
    if (!expected.ok) return expected
    const removed = await registrar(c).remove(name(c), actorOf(c), background(c), expected.value)
    return removed.ok ? ok(json(viewDeleted(removed.value))) : removed
  })

  const routes = new Hono<AdminEnv>()
  mount(routes, api.listServers, list)
  mount(routes, api.registerServer, register)
  mount(routes, api.showServer, show(viewService))
  mount(routes, api.updateServer, update)
  mount(routes, api.removeServer, remove)
  mount(routes, api.connectServer, enable(true))
  mount(routes, api.disconnectServer, enable(false))
  mount(routes, api.refreshServer, refresh)
  mount(routes, api.showDefinition, show(viewDefinition))
  mount(routes, api.showMetrics, look(viewFigures))
  mount(routes, api.showHealth, look(viewHealth))
  mount(routes, api.listInstances, show(viewInstances))
  mount(routes, api.addInstance, grow)
  mount(routes, api.removeInstance, shrink)

  mount(routes, older.olderRegister, register)
  mount(routes, older.olderList, list)
  mount(routes, older.olderUpdate, update)
  mount(routes, older.olderRemove, remove)
  mount(routes, older.listMcpServices, list)
  mount(routes, older.showMcpDefinition, show(viewDefinition))
  mount(routes, older.showMcpMetrics, look(viewFigures))
  return routes
}

/** The tag is of the service, whatever is shown of it. */
function tagged(
  found: Result<ServiceRecord, Problem>,
  view: (service: ServiceRecord) => string,
  status = 200,
): Answered {
  return found.ok ? ok(json(view(found.value), status, { etag: tagOf(found.value) })) : found
}

const viewDeleted = ({ id, name }: ServiceRecord): string => JSON.stringify({ id, name, deleted: true })
