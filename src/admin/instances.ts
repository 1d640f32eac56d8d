/** The instances of a service as operators list, add and remove them. */
import type { Background } from '../platform/background.ts'
import { err, ok, type Result } from '../platform/result.ts'
import type { ServiceInstance, ServiceRecord } from '../registry/image.ts'
import { instancesOf } from '../registry/instance.ts'
import { invalidBody, type Problem } from './problem.ts'
import type { Registrar } from './registrar.ts'

type Given = { readonly url: string; readonly weight: number }

/** The instance as it was added; one that is there already is a bad field. */
export async function addInstance(
  registrar: Registrar,
  idOrName: string,
  given: Given,
  actor: string,
  background: Background,
): Promise<Result<ServiceInstance, Problem>> {
  const found = await registrar.find(idOrName, background)
  if (!found.ok) return found
  const before = new Set(found.value.instances.map(({ id }) => id))
  const instances = [...found.value.instances, given].map(({ url, weight }) => ({ url, weight }))
  const changed = await registrar.change(idOrName, { instances }, actor, background)
  if (!changed.ok) return changed
  const added = changed.value.instances.find(({ id }) => !before.has(id))
  return added ? ok(added) : err(invalidBody([{ field: 'url', message: 'was added by somebody else' }]))
}

/** Takes it away. The service's own address stays for as long as the service. */
export async function removeInstance(
  registrar: Registrar,
  idOrName: string,
  instanceId: string,
  actor: string,
  background: Background,
): Promise<Result<ServiceRecord, Problem>> {
  const found = await registrar.find(idOrName, background)
  if (!found.ok) return found
  const { instances } = found.value
  if (!instances.some(({ id }) => id === instanceId)) return err(unknownInstance(found.value, instanceId))
  const kept = instances.filter(({ id }) => id !== instanceId).map(({ url, weight }) => ({ url, weight }))
  return await registrar.change(idOrName, { instances: kept }, actor, background)
}

export const viewInstance = (instance: ServiceInstance): string => JSON.stringify(instance)

export const viewInstances = (service: ServiceRecord): string =>
  JSON.stringify({ items: instancesOf(service) })

const unknownInstance = (service: ServiceRecord, instanceId: string): Problem => ({
  status: 404,
  code: 'unknown_instance',
  title: 'Unknown instance',
  detail: `'${service.name}' has no added instance '${instanceId}'. GET /api/v1/servers/${service.name}/instances lists them; its own address is changed with PUT.`,
})
