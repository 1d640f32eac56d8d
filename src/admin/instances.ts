/** The instances of a service as operators list, add and remove them. */
import type { Background } from '../platform/background.ts'
import { err, ok, type Result } from '../platform/result.ts'
import { echo } from '../protocol/echo.ts'
import type { ServiceInstance, ServiceRecord } from '../registry/image.ts'
import { instancesOf } from '../registry/instance.ts'
import type { Actor } from '../storage/commit.ts'
import type { Change } from './api/service.ts'
import type { Expected } from './etag.ts'
import type { Problem } from './problem.ts'
import type { Registrar } from './registrar.ts'

/** Who asks, and what the service is expected to be. */
export type Asking = {
  readonly actor: Actor
  readonly background: Background
  readonly expected: Expected
}

type Added = { readonly service: ServiceRecord; readonly instance: ServiceInstance }

type Given = { readonly url: string; readonly weight: number }

/** The instance as it was added; one that is there already is a bad field. */
export async function addInstance(
  registrar: Registrar,
  idOrName: string,
  given: Given,
  { actor, background, expected }: Asking,
): Promise<Result<Added, Problem>> {
  let before: ReadonlySet<string> = new Set()
  const wanted = ({ instances }: ServiceRecord): Result<Change, Problem> => {
    before = new Set(instances.map(({ id }) => id))
    return ok({ instances: [...instances.map(givenBy), given] })
  }
  const service = await registrar.change(idOrName, wanted, actor, background, expected)
  if (!service.ok) return err(ofOne(service.error))
  const instance = service.value.instances.find(({ id }) => !before.has(id))
  return instance ? ok({ service: service.value, instance }) : err(unknownInstance(service.value, given.url))
}

/** Takes it away. The service's own address stays for as long as the service. */
export async function removeInstance(
  registrar: Registrar,
  idOrName: string,
  instanceId: string,
  { actor, background, expected }: Asking,
): Promise<Result<ServiceRecord, Problem>> {
  const wanted = (service: ServiceRecord): Result<Change, Problem> => {
    const kept = service.instances.filter(({ id }) => id !== instanceId)
    if (kept.length === service.instances.length) return err(unknownInstance(service, instanceId))
    return ok({ instances: kept.map(givenBy) })
  }
  return await registrar.change(idOrName, wanted, actor, background, expected)
}

export const givenBy = ({ url, weight }: ServiceInstance): Given => ({ url, weight })

const PLACE = /^instances\.\d+\./

/** A fault of the whole list, told of the one that was given. */
const ofOne = ({ detail, errors, ...rest }: Problem): Problem => ({
  ...rest,
  detail: detail.replace(PLACE, ''),
  ...(errors && {
    errors: errors.map(({ field, message }) => ({ field: field.replace(PLACE, ''), message })),
  }),
})

export const viewInstance = (instance: ServiceInstance): string => JSON.stringify(instance)

export const viewInstances = (service: ServiceRecord): string =>
  JSON.stringify({ items: instancesOf(service) })

export const unknownInstance = (service: ServiceRecord, instanceId: string): Problem => ({
  status: 404,
  code: 'unknown_instance',
  title: 'Unknown instance',
  detail: `'${service.name}' has no added instance '${echo(instanceId)}'. GET /api/v1/servers/${service.name}/instances lists them; its own address is changed with PUT.`,
})
