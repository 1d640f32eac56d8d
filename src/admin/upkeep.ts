/**
 * What the gateway does unasked: registers the services of the environment, contacts those that failed, and
 * publishes what a crash left unpublished. By the scheduled handler each minute; once in the life of an isolate,
 * and while something is amiss, also after responses, since `wrangler dev` runs no schedule.
 */
import type { Background } from '../platform/background.ts'
import type { Clock } from '../platform/clock.ts'
import { Slots } from '../platform/slots.ts'
import type { ConfiguredService } from '../platform/settings.ts'
import type { ServiceRecord } from '../registry/image.ts'
import type { Registry } from '../registry/registry.ts'
import type { Log } from '../telemetry/log.ts'
import { registration } from './body.ts'
import type { Registrar } from './registrar.ts'

const EVERY_MS = 15_000

export type UpkeepPorts = {
  readonly registry: Registry
  readonly registrar: Registrar
  readonly configured: readonly ConfiguredService[]
  readonly clock: Clock
  readonly log: Log
}

export class Upkeep {
  readonly #ports: UpkeepPorts
  /** Services of the environment that this isolate has not yet seen registered. */
  readonly #pending: Map<string, ConfiguredService>
  #ranAt = -Infinity

  constructor(ports: UpkeepPorts) {
    this.#ports = ports
    this.#pending = new Map(ports.configured.map((service) => [service.name, service]))
  }

  /** After a response: a run when this isolate never had one, or something waits for it; no idle polling. */
  tick(background: Background): void {
    const isDue = this.#ports.clock() - this.#ranAt >= EVERY_MS
    const isNeeded = this.#ranAt === -Infinity || this.#pending.size > 0 || this.#failed().length > 0
    if (isDue && isNeeded) background(this.run(background))
  }

  async run(background: Background): Promise<void> {
    this.#ranAt = this.#ports.clock()
    await this.#ports.registry.heal()
    await this.#registerConfigured(background)
    const slots = new Slots()
    const recover = (service: ServiceRecord) =>
      slots.use(() => this.#ports.registrar.recover(service, background))
    await Promise.all(this.#failed().map(recover))
  }

  #failed(): readonly ServiceRecord[] {
    return this.#ports.registry.held.snapshot?.failed ?? []
  }

  async #registerConfigured(background: Background): Promise<void> {
    for (const service of this.#pending.values()) {
      const body = registration.safeParse(service)
      if (!body.success) {
        this.#pending.delete(service.name)
        this.#ports.log('error', 'configured_service_invalid', {
          name: service.name,
          issues: body.error.issues,
        })
        continue
      }
      const registered = await this.#ports.registrar.register(body.data, 'environment', background)
      if (registered.ok || registered.error.code === 'duplicate_name') this.#pending.delete(service.name)
      else
        this.#ports.log('warn', 'configured_service_failed', {
          name: service.name,
          detail: registered.error.detail,
        })
    }
  }
}
