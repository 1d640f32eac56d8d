/** What Prometheus is told of services by their guards, which hear of the calls of all isolates. */
import type { CallCount, Why } from '../guard/admission.ts'
import { counter, gauge, type HistogramSample, type Metric, type Sample } from '../telemetry/exposition.ts'
import { instancesSeen, type ServiceFigures } from './figures.ts'
import type { Surveyed } from './survey.ts'

/** A service whose guard answered. */
export type Known = Surveyed & { readonly figures: ServiceFigures }

export const hasFigures = (surveyed: Surveyed): surveyed is Known => surveyed.figures !== undefined

export const guardMetrics = (known: readonly Known[]): readonly Metric[] => [
  ...callMetrics(known),
  ...breakerMetrics(known),
  ...limitMetrics(known),
  ...recordMetrics(known),
]

const STATUSES: readonly CallCount[] = ['success', 'error', 'timeout', 'cancelled', 'refused', 'cached']
const OUTCOMES = ['ok', 'failed', 'neutral'] as const
const REASONS: Readonly<Record<Why, string>> = {
  rate: 'rate_limit',
  open: 'circuit_open',
  throttled: 'throttled',
  audit: 'audit',
}

const callMetrics = (known: readonly Known[]): readonly Metric[] => [
  counter(
    'calls_total',
    'Calls that are over, by what became of them; error also counts errors that the service answered with.',
    known.flatMap(({ service, figures: { counts } }) =>
      STATUSES.map((status) => sample(service.name, counts.calls[status], { status })),
    ),
  ),
  counter(
    'attempts_total',
    'Requests that were sent for calls: ok were answered, failed count against the service, neutral do not.',
    known.flatMap(({ service, figures: { counts } }) =>
      OUTCOMES.map((outcome) => sample(service.name, counts[outcome], { outcome })),
    ),
  ),
  counter(
    'refusals_total',
    'Times that no leave was given.',
    known.flatMap(({ service, figures: { counts } }) =>
      WHYS.map((why) => sample(service.name, counts.refused[why], { reason: REASONS[why] })),
    ),
  ),
  counter(
    'retries_total',
    'Calls that were sent once more.',
    each(known, ({ counts }) => counts.retried),
  ),
  counter(
    'unguarded_total',
    'Requests let through while the guard could not be reached.',
    each(known, ({ counts }) => counts.fallback),
  ),
  {
    name: 'call_duration_seconds',
    help: 'Time from leave to the end of the answer, of each request that was answered or failed.',
    type: 'histogram',
    samples: known.map(durationsOf),
  },
  gauge(
    'calls_in_flight',
    'Calls under way, as isolates told last.',
    each(known, ({ inFlight }) => inFlight),
  ),
]

const WHYS = ['rate', 'open', 'throttled', 'audit'] as const satisfies readonly Why[]

const durationsOf = ({ service, figures: { durations, counts } }: Known): HistogramSample => ({
  labels: { service: service.name },
  buckets: durations.buckets.map(({ upToMs, count }) => ({ upTo: upToMs / 1_000, count })),
  count: durations.count,
  sum: counts.durationsMs / 1_000,
})

const STATES = ['closed', 'open', 'half_open'] as const

const breakerMetrics = (known: readonly Known[]): readonly Metric[] => [
  gauge(
    'breaker_state',
    'The state of the circuit breaker: 1 for the one that it is in.',
    known.flatMap(({ service, figures: { breaker } }) =>
      STATES.map((state) => sample(service.name, breaker.state === state ? 1 : 0, { state })),
    ),
  ),
  counter(
    'breaker_openings_total',
    'Times that the circuit opened.',
    each(known, ({ counts }) => counts.openings),
  ),
  gauge(
    'pause_seconds',
    'For so long the service asked to be left alone.',
    each(known, ({ pausedMs }) => pausedMs / 1_000),
  ),
  gauge(
    'instances',
    'Instances of the service by health.',
    known.flatMap(({ service, figures }) => {
      const seen = instancesSeen(service, figures)
      const healthy = seen.filter(({ status }) => status === 'healthy').length
      return [
        sample(service.name, healthy, { status: 'healthy' }),
        sample(service.name, seen.length - healthy, { status: 'unhealthy' }),
      ]
    }),
  ),
]

/** Of services that have a limit. */
function limitMetrics(known: readonly Known[]): readonly Metric[] {
  const limited = known.flatMap(({ service, figures: { bucket } }) =>
    bucket ? [{ name: service.name, bucket }] : [],
  )
  return [
    gauge(
      'rate_limit_tokens',
      'Calls that the rate limit would let through at once now.',
      limited.map(({ name, bucket }) => sample(name, bucket.tokens)),
    ),
    gauge(
      'rate_limit_burst',
      'The most calls that the rate limit lets through at once.',
      limited.map(({ name, bucket }) => sample(name, bucket.burstLimit)),
    ),
    gauge(
      'rate_limit_per_minute',
      'Calls a minute that the rate limit lets through.',
      limited.map(({ name, bucket }) => sample(name, bucket.requestsPerMinute)),
    ),
  ]
}

const recordMetrics = (known: readonly Known[]): readonly Metric[] => [
  gauge(
    'isolates',
    'Isolates that were heard of lately.',
    each(known, ({ isolates }) => isolates),
  ),
  gauge(
    'records_waiting',
    'Records that wait to be stored.',
    each(known, ({ usage }) => usage.waiting),
  ),
  counter(
    'records_dropped_total',
    'Records that were lost for want of room.',
    each(known, ({ usage }) => usage.dropped),
  ),
]

/** One series of each service. */
const each = (known: readonly Known[], value: (figures: ServiceFigures) => number): Sample[] =>
  known.map(({ service, figures }) => sample(service.name, value(figures)))

const sample = (service: string, value: number, labels: Readonly<Record<string, string>> = {}): Sample => ({
  labels: { service, ...labels },
  value,
})
