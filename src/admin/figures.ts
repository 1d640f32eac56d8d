/** What the guard of a service knows of it, as operators see it. */
import type { GateView } from '../guard/gate.ts'
import type { Result } from '../platform/result.ts'
import type { ServiceRecord } from '../registry/image.ts'
import { instancesOf } from '../registry/instance.ts'
import type { Problem } from './problem.ts'

export type ServiceFigures = GateView & {
  readonly usage: { readonly waiting: number; readonly dropped: number }
}

/** A loss is whatever keeps the guard from answering. */
export type Figures = (service: ServiceRecord) => Promise<Result<ServiceFigures, unknown>>

/** Breaker, bucket, counts, latency and instances, as JSON text. */
export const viewFigures = (service: ServiceRecord, figures: ServiceFigures): string =>
  JSON.stringify({
    id: service.id,
    service: service.name,
    ...figures,
    instances: instancesSeen(service, figures),
  })

export const viewHealth = (service: ServiceRecord, figures: ServiceFigures): string =>
  JSON.stringify(healthOf(service, figures))

/** Whether calls get through to it, and to which of its instances. */
export function healthOf(service: ServiceRecord, figures: ServiceFigures) {
  const instances = instancesSeen(service, figures)
  const healthy = instances.filter(({ status }) => status === 'healthy').length
  const isWhole = service.status === 'connected' && figures.breaker.state === 'closed'
  const isDown = service.status !== 'connected' || figures.breaker.state === 'open' || healthy === 0
  const isHealthy = isWhole && healthy === instances.length
  return {
    id: service.id,
    service: service.name,
    status: isDown ? ('unhealthy' as const) : isHealthy ? ('healthy' as const) : ('degraded' as const),
    serviceStatus: service.status,
    statusReason: service.statusReason,
    breaker: figures.breaker.state,
    totalInstances: instances.length,
    healthyInstances: healthy,
    instances,
  }
}

export function instancesSeen(service: ServiceRecord, { instances }: ServiceFigures) {
  const known = new Map(instances.map((view) => [view.url, view]))
  return instancesOf(service).map(({ id, url, weight }) => {
    const { isDown = false, inFlight = 0, score = 1 } = known.get(url) ?? {}
    return { id, url, weight, status: isDown ? 'unhealthy' : 'healthy', inFlight, score }
  })
}

export const guardAway: Problem = {
  status: 503,
  code: 'guard_unavailable',
  title: 'Guard unavailable',
  detail: 'The guard of this service cannot be reached, so its figures are not known. Try again in a moment.',
}
