/**
 * What Prometheus is told: of the gateway, and of each service what its guard knows. Series are named by service and by
 * nothing that callers choose, so that there are no more than services times a few.
 */
import { GATEWAY_INFO } from '../protocol/version.ts'
import type { ServiceStatus } from '../registry/image.ts'
import { gauge, type Metric, type Sample } from '../telemetry/exposition.ts'
import { guardMetrics, hasFigures } from './guard-metrics.ts'
import type { Surveyed } from './survey.ts'

export type GatewayFigures = {
  readonly dependencies: Readonly<Record<string, boolean>>
  /** Absent while none can be had. */
  readonly registry: Registered | undefined
}

type Registered = {
  readonly version: number
  readonly services: Readonly<Record<ServiceStatus, number>>
}

export function metricsOf(gateway: GatewayFigures, surveyed: readonly Surveyed[]): readonly Metric[] {
  return [...gatewayMetrics(gateway), ...reachMetrics(surveyed), ...guardMetrics(surveyed.filter(hasFigures))]
}

function gatewayMetrics({ dependencies, registry }: GatewayFigures): readonly Metric[] {
  return [
    gauge('build_info', 'The release that answers.', [
      { labels: { version: GATEWAY_INFO.version }, value: 1 },
    ]),
    gauge(
      'registry_version',
      'The number that grows with every change of the registry.',
      registry ? [{ value: registry.version }] : [],
    ),
    gauge(
      'dependency_up',
      'Whether the database and the cache can be reached.',
      Object.entries(dependencies).map(([dependency, isUp]) => flag({ dependency }, isUp)),
    ),
    gauge(
      'services',
      'Registered services by status.',
      Object.entries(registry?.services ?? {}).map(([status, value]) => ({ labels: { status }, value })),
    ),
  ]
}

/** What is known of every service, whether or not its guard answers. */
const reachMetrics = (surveyed: readonly Surveyed[]): readonly Metric[] => [
  gauge(
    'service_connected',
    'Whether the service is enabled and answered when it was last asked what it offers.',
    surveyed.map(({ service }) => flag({ service: service.name }, service.status === 'connected')),
  ),
  gauge(
    'guard_up',
    'Whether the guard of the service told its figures; without them its other series are missing.',
    surveyed.map(({ service, figures }) => flag({ service: service.name }, figures !== undefined)),
  ),
]

const flag = (labels: Readonly<Record<string, string>>, isSet: boolean): Sample => ({
  labels,
  value: isSet ? 1 : 0,
})
