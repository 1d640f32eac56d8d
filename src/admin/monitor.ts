/**
 * What monitors ask for: all figures, for Prometheus, and how the gateway and its services are. The figures are those of
 * the caller's organisation. How services are by name is told to those who manage them; anyone learns how many there are.
 */
import { Hono } from 'hono'
import { readCredential } from '../identity/credential.ts'
import { DEFAULT_ORGANISATION, type Principal } from '../identity/principal.ts'
import type { Background } from '../platform/background.ts'
import type { Registry } from '../registry/registry.ts'
import type { Snapshot } from '../registry/snapshot.ts'
import { EXPOSITION_TYPE, writeExposition } from '../telemetry/exposition.ts'
import * as api from './api/monitor.ts'
import { mayEnter } from './area.ts'
import type { AdminEnv, Handler } from './env.ts'
import { healthOf } from './figures.ts'
import { countByStatus, type Dependencies, type HealthPorts, probe, stateOf } from './health.ts'
import { metricsOf } from './metrics.ts'
import { mount } from './operation.ts'
import type { Survey, Surveyed } from './survey.ts'

export type MonitorPorts = {
  readonly registryOf: (organisationId: string) => Registry
  readonly survey: Pick<Survey, 'of'>
  readonly dependencies: Pick<HealthPorts, 'isDatabaseReachable' | 'isQuickStoreReachable'>
}

/** Answers also while no registry can be had: that is when it is looked at. */
export function monitorRoutes(ports: MonitorPorts): Hono<AdminEnv> {
  const scrape: Handler = async (c) => {
    const { organisationId } = c.get('principal')
    const background = c.get('background')
    const [dependencies, current] = await Promise.all([
      probe(ports.dependencies, background),
      ports.registryOf(organisationId).current(background),
    ])
    const snapshot = current.ok ? current.value : undefined
    const surveyed = await surveyOf(snapshot, ports, background)
    const registry = snapshot && {
      version: snapshot.version,
      services: countByStatus(snapshot.image.services),
    }
    const headers = { 'content-type': EXPOSITION_TYPE, 'cache-control': 'no-store' }
    const metrics = metricsOf({ dependencies, registry }, surveyed)
    return new Response(writeExposition(metrics, 'switchyard_'), { headers })
  }
  const routes = new Hono<AdminEnv>()
  mount(routes, api.scrapeMetrics, scrape)
  return routes
}

/** The principal, or the response that turns the caller away. */
type Admit = (request: Request, background: Background) => Promise<Principal | Response>

/** How the gateway is, and its services as far as the caller may know. */
export async function reportGateway(
  request: Request,
  ports: MonitorPorts,
  admit: Admit,
  background: Background,
): Promise<Response> {
  const caller = await callerOf(request, admit, background)
  if (caller instanceof Response) return caller
  const [dependencies, current] = await Promise.all([
    probe(ports.dependencies, background),
    ports.registryOf(caller?.organisationId ?? DEFAULT_ORGANISATION).current(background),
  ])
  const snapshot = current.ok ? current.value : undefined
  const isTold = caller !== undefined && mayEnter(caller.manages, 'GET', '/metrics')
  const reports = isTold ? (await surveyOf(snapshot, ports, background)).map(reportOf) : undefined
  return Response.json(
    {
      status: statusOf(snapshot, dependencies, reports ?? []),
      registryVersion: snapshot?.version ?? null,
      dependencies: stateOf(dependencies),
      services: countByStatus(snapshot?.image.services ?? []),
      ...(reports && { serviceHealth: reports }),
    },
    { status: snapshot === undefined ? 503 : 200, headers: { 'cache-control': 'no-store' } },
  )
}

/** A credential is not needed; one that is wrong is refused, one that cannot be looked at now counts as none. */
async function callerOf(
  request: Request,
  admit: Admit,
  background: Background,
): Promise<Principal | Response | undefined> {
  if (readCredential(request.headers).is === 'none') return undefined
  const admitted = await admit(request, background)
  return admitted instanceof Response && admitted.status >= 500 ? undefined : admitted
}

function statusOf(
  snapshot: Snapshot | undefined,
  { database, cache }: Dependencies,
  reports: readonly ServiceReport[],
): 'healthy' | 'degraded' | 'unhealthy' {
  if (!snapshot) return 'unhealthy'
  const isAnyInError = snapshot.image.services.some(({ status }) => status === 'error')
  const areWell = reports.every(({ status }) => status === 'healthy' || status === 'disabled')
  return database && cache && !isAnyInError && areWell ? 'healthy' : 'degraded'
}

type ServiceReport = ReturnType<typeof reportOf>

/** How a service is, by name. `unknown`: its guard does not answer. */
export function reportOf({ service, figures }: Surveyed) {
  const { name, isEnabled, status: serviceStatus, statusReason } = service
  if (!isEnabled) return { name, status: 'disabled', serviceStatus, statusReason } as const
  if (!figures) return { name, status: 'unknown', serviceStatus, statusReason } as const
  const { status, breaker, totalInstances, healthyInstances } = healthOf(service, figures)
  return { name, status, serviceStatus, statusReason, breaker, totalInstances, healthyInstances }
}

async function surveyOf(
  snapshot: Snapshot | undefined,
  { survey }: MonitorPorts,
  background: Background,
): Promise<readonly Surveyed[]> {
  const surveyed = survey.of(snapshot?.image.services ?? [])
  background(surveyed)
  return await surveyed
}
