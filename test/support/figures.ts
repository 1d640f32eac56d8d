/** A service and what its guard knows of it, with what a test cares about filled in. */
import type { ServiceFigures } from '../../src/admin/figures.ts'
import { Gate } from '../../src/guard/gate.ts'
import type { Limits, Report } from '../../src/guard/admission.ts'
import { NO_NEWS } from '../../src/guard/ledger.ts'
import type { ServiceRecord } from '../../src/registry/image.ts'

const NOW = 1_790_000_000_000

export const serviceOf = (service: Partial<ServiceRecord> = {}): ServiceRecord => ({
  id: `id-${service.name ?? 'service'}`,
  organisationId: 'default',
  name: 'service',
  url: 'https://one.example/mcp',
  transport: 'http',
  config: {},
  sealedAuth: undefined,
  isEnabled: true,
  status: 'connected',
  statusReason: undefined,
  lastPingAt: undefined,
  cacheEpoch: 0,
  createdAt: new Date(NOW).toISOString(),
  updatedAt: new Date(NOW).toISOString(),
  instances: [],
  catalogue: undefined,
  digests: {},
  approved: {},
  ...service,
})

const LIMITS: Limits = {
  failureThreshold: 5,
  recoveryMs: 5_000,
  halfOpenMaxCalls: 1,
  probeMs: 11_000,
  rate: undefined,
  slowMs: undefined,
  instances: [],
}

/** What a guard under these limits says that was told this. */
export function figuresOf(news: Partial<Report> = {}, limits: Partial<Limits> = {}): ServiceFigures {
  const gate = new Gate()
  const all = { ...LIMITS, ...limits }
  gate.admit({ isolate: 'a', want: 0, waiting: 0, limits: all, report: { ...NO_NEWS, ...news } }, NOW, 0.5)
  return { ...gate.view(all, NOW), usage: { waiting: 0, dropped: 0 } }
}
