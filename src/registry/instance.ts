/** The addresses of a service. */
import type { ServiceInstance, ServiceRecord } from './image.ts'

/**
 * All instances of a service, at least one: its own address, which has weight 1 where it is not listed itself, and
 * those listed.
 */
export function instancesOf({
  id,
  url,
  instances,
}: Pick<ServiceRecord, 'id' | 'url' | 'instances'>): readonly [ServiceInstance, ...ServiceInstance[]] {
  const own = instances.find((instance) => instance.url === url) ?? { id, url, weight: 1 }
  return [own, ...instances.filter((instance) => instance.url !== url)]
}
