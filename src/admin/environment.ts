/**
 * Services of the environment: registered once, and changed when the environment says something else than it did. What
 * operators change meanwhile stays until then.
 */
import type { Background } from '../platform/background.ts'
import { sha256 } from '../platform/hash.ts'
import { ok, type Result } from '../platform/result.ts'
import type { Sealer } from '../platform/seal.ts'
import type { ServiceRecord } from '../registry/image.ts'
import type { Registry } from '../registry/registry.ts'
import type { Registration } from './api/service.ts'
import type { Ledger } from './ledger.ts'
import type { Problem } from './problem.ts'
import type { Registrar } from './registrar.ts'

export type EnvironmentPorts = {
  readonly organisationId: string
  readonly registry: Pick<Registry, 'held'>
  readonly ledger: Pick<Ledger, 'findCommitted'>
  readonly registrar: Pick<Registrar, 'register' | 'change'>
  readonly sealer: Sealer
}

const ACTOR = 'environment'

export class Environment {
  readonly #ports: EnvironmentPorts

  constructor(ports: EnvironmentPorts) {
    this.#ports = ports
  }

  /** Whether the service is now as the environment says, or why not yet. Costs nothing where nothing is new. */
  async apply(service: Registration, background: Background): Promise<Result<void, Problem>> {
    const { registry, ledger, registrar } = this.#ports
    const held = registry.held.snapshot?.service(service.name)
    if (held) return await this.#renew(held, service, background)
    const environment = await this.#mark(service)
    const registered = await registrar.register({ ...service, environment }, ACTOR, background)
    if (registered.ok) return ok(undefined)
    if (registered.error.code !== 'duplicate_name') return registered
    const found = await ledger.findCommitted(service.name, background)
    return found.ok ? await this.#renew(found.value, service, background) : registered
  }

  async #renew(
    stored: ServiceRecord,
    service: Registration,
    background: Background,
  ): Promise<Result<void, Problem>> {
    const known = await this.#know(stored.config.environment, service)
    if (known === 'present') return ok(undefined)
    const environment = await this.#mark(service)
    // One that only an earlier key opens says the same under the present one.
    const change = known === 'previous' ? { environment } : { ...service, environment }
    const changed = await this.#ports.registrar.change(service.name, change, ACTOR, background)
    return changed.ok ? ok(undefined) : changed
  }

  /** What is said may hold a credential, so its digest is sealed: nobody can try out which it is. */
  async #mark(service: Registration): Promise<string> {
    return await this.#ports.sealer.seal(encoder.encode(await digestOf(service)), this.#contextOf(service))
  }

  /** Whether this was said when it was last applied, and under which key that is written. */
  async #know(mark = '', service: Registration): Promise<'present' | 'previous' | undefined> {
    const { sealer } = this.#ports
    const context = this.#contextOf(service)
    const opened = await sealer.open(mark, context)
    if (!opened || decoder.decode(opened) !== (await digestOf(service))) return undefined
    return (await sealer.isPresent(mark, context)) ? 'present' : 'previous'
  }

  #contextOf({ name }: Registration): string {
    return `${this.#ports.organisationId}|environment|${name}`
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const digestOf = (service: Registration): Promise<string> => sha256(JSON.stringify(service))
