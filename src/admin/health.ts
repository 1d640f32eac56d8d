/** Liveness and readiness for anyone who asks: figures and states, never an address, a name or a secret. */
import type { Background } from '../platform/background.ts'
import type { Registry } from '../registry/registry.ts'
import type { ServiceRecord } from '../registry/image.ts'

export type HealthPorts = {
  readonly registry: Registry
  readonly isDatabaseReachable: () => Promise<boolean>
  readonly isQuickStoreReachable: () => Promise<boolean>
  /** Listening streams that are open in this isolate. */
  readonly listens: () => number
}

export async function reportHealth(
  { registry, isDatabaseReachable, isQuickStoreReachable, listens }: HealthPorts,
  background: Background,
): Promise<Response> {
  const probes = Promise.all([isDatabaseReachable(), isQuickStoreReachable(), registry.look(background)])
  background(probes)
  const [database, cache] = await probes
  const { snapshot } = registry.held
  const isWhole = database && cache && snapshot !== undefined
  return Response.json(
    {
      status: isWhole ? 'ok' : 'degraded',
      registryVersion: snapshot?.version ?? null,
      dependencies: { database: state(database), cache: state(cache) },
      services: countByStatus(snapshot?.image.services ?? []),
      streams: { listening: listens() },
    },
    { status: snapshot === undefined ? 503 : 200, headers: { 'cache-control': 'no-store' } },
  )
}

const state = (isReachable: boolean): string => (isReachable ? 'ok' : 'unreachable')

function countByStatus(services: readonly ServiceRecord[]): Record<string, number> {
  const counts = { connected: 0, disconnected: 0, error: 0 }
  for (const { status } of services) counts[status]++
  return counts
}
