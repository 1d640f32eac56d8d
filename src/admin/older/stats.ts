/** Document 003, "Monitoring and Observability": what services are doing, as their guards have it. */
import { instancesOf } from '../../registry/instance.ts'
import { healthOf } from '../figures.ts'
import type { Surveyed } from '../survey.ts'

const STRATEGIES = ['round_robin', 'least_connections', 'weighted', 'health_based', 'random'] as const

export function viewStats(
  surveyed: readonly Surveyed[],
  times: { readonly defaultTimeoutMs: number; readonly healthIntervalMs: number },
): object {
  const templates = surveyed.map(viewTemplate)
  const instances = templates.flatMap((template) => template.instances)
  const counts = countStates(instances.map(({ status }) => status))
  const total_requests = templates.reduce((sum, { requests }) => sum + requests, 0)
  return {
    gateway: { total_requests, request_timeout: times.defaultTimeoutMs / 1_000 },
    registry: {
      total_templates: templates.length,
      ...counts,
      templates: Object.fromEntries(templates.map(({ name, row }) => [name, row])),
    },
    health_checker: {
      running: true,
      check_interval: times.healthIntervalMs / 1_000,
      ...counts,
      instances: Object.fromEntries(instances.map(({ id, status }) => [id, status])),
    },
    load_balancer: {
      default_strategy: STRATEGIES[0],
      available_strategies: STRATEGIES,
      total_requests,
      active_connections: Object.fromEntries(instances.map(({ id, inFlight }) => [id, inFlight])),
    },
  }
}

function viewTemplate({ service, figures }: Surveyed) {
  const instances = figures
    ? healthOf(service, figures).instances
    : instancesOf(service).map(({ id }) => ({ id, status: 'unknown', inFlight: 0 }))
  const { ok, failed, neutral } = figures?.counts ?? { ok: 0, failed: 0, neutral: 0 }
  const requests = ok + failed + neutral
  const { total_instances, healthy_instances } = countStates(instances.map(({ status }) => status))
  const row = {
    total_instances,
    healthy_instances,
    load_balancer_strategy: service.config.loadBalancer ?? STRATEGIES[0],
    circuit_breaker: figures?.breaker.state ?? 'unknown',
    total_requests: requests,
    failed_requests: failed,
  }
  return { name: service.name, instances, requests, row }
}

/** A state that is not known is neither. */
export function countStates(states: readonly string[]) {
  const count = (wanted: string): number => states.filter((state) => state === wanted).length
  return {
    total_instances: states.length,
    healthy_instances: count('healthy'),
    unhealthy_instances: count('unhealthy'),
  }
}
