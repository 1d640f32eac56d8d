/** Liveness and readiness for anyone who asks: figures and states, never an address, a name or a secret. */
import type { Background } from '../platform/background.ts'
import type { Registry } from '../registry/registry.ts'
import type { ServiceRecord, ServiceStatus } from '../registry/image.ts'

export type HealthPorts = {
  readonly registry: Registry
  readonly isDatabaseReachable: () => Promise<boolean>
  readonly isQuickStoreReachable: () => Promise<boolean>
  /** Listening streams that are open in this isolate. */
  readonly listens: () => number
}

export async function reportHealth(ports: HealthPorts, background: Background): Promise<Response> {
  const { registry, listens } = ports
  const [dependencies] = await Promise.all([probe(ports, background), registry.look(background)])
  const { snapshot } = registry.held
  const isWhole = dependencies.database && dependencies.cache && snapshot !== undefined
  return Response.json(
    {
      status: isWhole ? 'ok' : 'degraded',
      registryVersion: snapshot?.version ?? null,
      dependencies: stateOf(dependencies),
      services: countByStatus(snapshot?.image.services ?? []),
      streams: { listening: listens() },
    },
    { status: snapshot === undefined ? 503 : 200, headers: { 'cache-control': 'no-store' } },
  )
}

export type Dependencies = { readonly database: boolean; readonly cache: boolean }

/** Whether what the gateway depends on can be reached. */
export function probe(
  {
    isDatabaseReachable,
    isQuickStoreReachable,
  }: Pick<HealthPorts, 'isDatabaseReachable' | 'isQuickStoreReachable'>,
  background: Background,
): Promise<Dependencies> {
  const probes = Promise.all([isDatabaseReachable(), isQuickStoreReachable()])
  const probed = probes.then(([database, cache]) => ({ database, cache }))
  background(probed)
  return probed
}

export const stateOf = ({ database, cache }: Dependencies): Record<keyof Dependencies, string> => ({
  database: state(database),
  cache: state(cache),
})

const state = (isReachable: boolean): string => (isReachable ? 'ok' : 'unreachable')

export function countByStatus(services: readonly ServiceRecord[]): Record<ServiceStatus, number> {
  const counts = { connected: 0, disconnected: 0, error: 0 }
  for (const { status } of services) counts[status]++
  return counts
}
