/** Document 003, "System Information": services as templates with their instances. */
import { Hono } from 'hono'
import type { Background } from '../../platform/background.ts'
import type { ServiceRecord } from '../../registry/image.ts'
import { instancesOf } from '../../registry/instance.ts'
import { json } from '../answer.ts'
import * as api from '../api/older.ts'
import type { Page } from '../api/shape.ts'
import { readQuery } from '../body.ts'
import type { AdminEnv, Handler } from '../env.ts'
import { mount } from '../operation.ts'
import { respondWithProblem } from '../problem.ts'
import type { ServicePorts } from '../services.ts'
import type { Survey } from '../survey.ts'
import { countStates, viewStats } from './stats.ts'

export type RegistryPorts = ServicePorts & {
  readonly survey: Pick<Survey, 'of'>
  readonly defaultTimeoutMs: number
  /** Between two looks whether the instances of a service are there. */
  readonly healthIntervalMs: number
}

export function registryRoutes(ports: RegistryPorts): Hono<AdminEnv> {
  /** Of one page of services. */
  const show =
    (
      view: (services: readonly ServiceRecord[], background: Background) => object | Promise<object>,
    ): Handler =>
    async (c) => {
      const page = readQuery(c.req.query(), api.showRegistry.query)
      if (!page.ok) return respondWithProblem(page.error)
      const registrar = ports.registrarOf(c.get('principal').organisationId)
      const snapshot = await registrar.ledger.read(c.get('background'))
      if (!snapshot.ok) return respondWithProblem(snapshot.error)
      const { services } = snapshot.value.image
      const { cursor, limit } = page.value
      const seen = await view(services.slice(cursor, cursor + limit), c.get('background'))
      return json(JSON.stringify({ ...seen, ...nextOf(page.value, services.length) }))
    }
  const routes = new Hono<AdminEnv>()
  mount(
    routes,
    api.showRegistry,
    show((services) => viewRegistry(services, ports)),
  )
  mount(
    routes,
    api.showStats,
    show(async (services, background) => {
      const surveyed = ports.survey.of(services)
      background(surveyed)
      return viewStats(await surveyed, ports)
    }),
  )
  return routes
}

const nextOf = ({ cursor, limit }: Page, count: number): object =>
  cursor + limit < count ? { nextCursor: String(cursor + limit) } : {}

/** As they are registered: an instance counts as its service does. */
function viewRegistry(services: readonly ServiceRecord[], { defaultTimeoutMs }: RegistryPorts): object {
  const templates = services.map((service) => {
    const { name, transport, status, config } = service
    const { loadBalancer = 'round_robin', retry, timeoutMs = defaultTimeoutMs } = config
    const instances = instancesOf(service).map(({ id, url, weight }) => ({
      id,
      template_name: name,
      endpoint: url,
      transport,
      status: status === 'connected' ? 'healthy' : 'unhealthy',
      weight,
    }))
    const load_balancer = {
      strategy: loadBalancer,
      max_retries: (retry?.maxAttempts ?? 1) - 1,
      timeout: timeoutMs / 1_000,
    }
    return { name, instances, load_balancer }
  })
  const states = templates.flatMap(({ instances }) => instances.map(({ status }) => status))
  return {
    templates: Object.fromEntries(templates.map((template) => [template.name, template])),
    stats: { total_templates: templates.length, ...countStates(states) },
  }
}
