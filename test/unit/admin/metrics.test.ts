/** `test/support/exposition.ts` is as strict as `promtool check metrics`, which `.ci/metrics` runs on a real gateway. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { metricsOf } from '../../../src/admin/metrics.ts'
import type { Surveyed } from '../../../src/admin/survey.ts'
import { tallyOf } from '../../../src/guard/ledger.ts'
import { writeExposition } from '../../../src/telemetry/exposition.ts'
import { readExposition, type Series } from '../../support/exposition.ts'
import { figuresOf, serviceOf } from '../../support/figures.ts'

const GATEWAY = {
  dependencies: { database: true, cache: false },
  registry: { version: 1_790_000_000_000, services: { connected: 1, disconnected: 0, error: 0 } },
}

const read = (surveyed: readonly Surveyed[], gateway: Parameters<typeof metricsOf>[0] = GATEWAY) =>
  readExposition(writeExposition(metricsOf(gateway, surveyed), 'switchyard_'))

const seriesOf = (surveyed: readonly Surveyed[], name: string): readonly Series[] =>
  read(surveyed).find((family) => family.name === name)?.series ?? []

const valueOf = (surveyed: Surveyed, name: string, labels: Record<string, string> = {}): number | undefined =>
  read([surveyed])
    .flatMap(({ series }) => series)
    .find(
      (each) =>
        each.name === `switchyard_${name}` &&
        Object.entries(labels).every(([label, text]) => each.labels[label] === text),
    )?.value

const FAILED = tallyOf('', 1, { is: 'failed', wasUnreached: false, retryAfterMs: 0 })

describe('the metrics of a service', () => {
  const news = {
    calls: { success: 3, error: 2, timeout: 1, refused: 4 },
    tallies: [tallyOf('', 1, { is: 'ok', isSlow: false }), ...Array<typeof FAILED>(5).fill(FAILED)],
    refused: { rate: 2, open: 1, throttled: 0, audit: 1 },
    durations: [60, 2, 91, 1],
    durationsMs: 125,
    retried: 2,
    fallback: 1,
    inFlight: { u: 2 },
  }
  const rate = { requestsPerMinute: 60, burstLimit: 10 }
  const surveyed = { service: serviceOf(), figures: figuresOf(news, { rate }) }
  it.each<[string, Record<string, string>, number]>([
    ['guard_up', {}, 1],
    ['service_connected', {}, 1],
    ['calls_total', { status: 'success' }, 3],
    ['calls_total', { status: 'error' }, 2],
    ['calls_total', { status: 'timeout' }, 1],
    ['calls_total', { status: 'refused' }, 4],
    ['calls_total', { status: 'cancelled' }, 0],
    ['attempts_total', { outcome: 'ok' }, 1],
    ['attempts_total', { outcome: 'failed' }, 5],
    ['refusals_total', { reason: 'rate_limit' }, 2],
    ['refusals_total', { reason: 'circuit_open' }, 1],
    ['refusals_total', { reason: 'audit' }, 1],
    ['retries_total', {}, 2],
    ['unguarded_total', {}, 1],
    ['call_duration_seconds_bucket', { le: '0.005' }, 0],
    ['call_duration_seconds_bucket', { le: '0.01' }, 2],
    ['call_duration_seconds_bucket', { le: '0.25' }, 3],
    ['call_duration_seconds_count', {}, 3],
    ['call_duration_seconds_sum', {}, 0.125],
    ['calls_in_flight', {}, 2],
    ['breaker_state', { state: 'open' }, 1],
    ['breaker_state', { state: 'closed' }, 0],
    ['breaker_openings_total', {}, 1],
    ['rate_limit_tokens', {}, 10],
    ['rate_limit_burst', {}, 10],
    ['rate_limit_per_minute', {}, 60],
    ['instances', { status: 'healthy' }, 1],
    ['instances', { status: 'unhealthy' }, 0],
    ['isolates', {}, 1],
  ])('%s %o', (name, labels, value) => {
    expect(valueOf(surveyed, name, { service: 'service', ...labels })).toBe(value)
  })

  it('are missing where its guard does not answer, which is told', () => {
    const lost = { service: serviceOf({ name: 'lost', status: 'error' }), figures: undefined }
    expect(valueOf(lost, 'guard_up')).toBe(0)
    expect(valueOf(lost, 'service_connected')).toBe(0)
    expect(read([lost]).map(({ name }) => name)).not.toContain('switchyard_calls_total')
    expect(
      seriesOf([lost, surveyed], 'switchyard_calls_in_flight').map(({ labels }) => labels['service']),
    ).toEqual(['service'])
  })

  it('are as many for each service, whatever was called', () => {
    const count = (services: number): number => {
      const all = Array.from({ length: services }, (_, at) => ({
        ...surveyed,
        service: serviceOf({ name: `s${at}` }),
      }))
      return read(all).reduce((sum, { series }) => sum + series.length, 0)
    }
    const [none, one, many] = [count(0), count(1), count(100)]
    expect(many - none).toBe(100 * (one - none))
    expect(one - none).toBeLessThan(60)
  })
})

describe('the metrics of the gateway', () => {
  it('are told also while nothing else is known', () => {
    const families = read([], { ...GATEWAY, registry: undefined })
    expect(families.map(({ name }) => name)).toEqual(['switchyard_build_info', 'switchyard_dependency_up'])
    expect(families[1]?.series.map(({ labels, value }) => [labels['dependency'], value])).toEqual([
      ['database', 1],
      ['cache', 0],
    ])
  })

  it('are of the format whatever guards count', () => {
    const count = fc.nat()
    const news = fc.record({
      calls: fc.record({ success: count, error: count, timeout: count, cancelled: count, refused: count }),
      durations: fc.array(fc.tuple(fc.nat(210), count)).map((pairs) => pairs.flat()),
      durationsMs: fc.double({ min: 0, noNaN: true }),
      retried: count,
      dropped: count,
    })
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z0-9]{1,8}$/), { maxLength: 4 })
    fc.assert(
      fc.property(names, news, (services, report) => {
        const surveyed = services.map((name) => ({
          service: serviceOf({ name }),
          figures: figuresOf(report),
        }))
        expect(() => read(surveyed)).not.toThrow()
      }),
      { numRuns: 50 },
    )
  })
})
