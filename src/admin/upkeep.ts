/**
 * What the gateway does unasked: sees that services are as the environment says, contacts those that failed, and
 * publishes what a crash left unpublished. By the scheduled handler each minute; once in the life of an isolate,
 * and while something is amiss, also after responses, since `wrangler dev` runs no schedule.
 */
import type { Background } from '../platform/background.ts'
import type { Clock } from '../platform/clock.ts'
import { within } from '../platform/deadline.ts'
import type { ServiceRecord } from '../registry/image.ts'
import type { Registry } from '../registry/registry.ts'
import type { Log } from '../telemetry/log.ts'
import type { Registration } from './api/service.ts'
import type { Environment } from './environment.ts'
import type { Registrar } from './registrar.ts'

export const UPKEEP = {
  /** Between two runs, and between two contacts with one service. */
  everyMs: 15_000,
  /**
   * The free plan allows 50 requests for one invocation. Healing takes eight; a service about fourteen, for
   * its name, handshakes, lists, the write and its publication (F68). Fewer at once than there are slots, so none waits for one.
   */
  servicesPerRun: 3,
  /** The platform allows what goes on after a response 30 s; no service is begun so late that they would not do. */
  beginWithinMs: 20_000,
  endWithinMs: 25_000,
} as const

/** Whose turn it is in this minute: one organisation a run, since a run may make only so many requests. */
export const turnOf = (organisationIds: readonly string[], nowMs: number): string | undefined =>
  organisationIds[Math.floor(nowMs / TURN_MS) % organisationIds.length]

const TURN_MS = 60_000

export type UpkeepPorts = {
  readonly registry: Pick<Registry, 'heal' | 'held'>
  readonly registrar: Pick<Registrar, 'recover'>
  readonly environment: Pick<Environment, 'apply'>
  /** Seals a few credentials anew that only an earlier key opens. */
  readonly reseal: (background: Background) => Promise<void>
  /** Services of the environment, asked for once, when upkeep begins. */
  readonly configured: () => readonly Registration[]
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
}

type Contact =
  | { readonly is: 'configured'; readonly key: string; readonly service: Registration }
  | { readonly is: 'failed'; readonly key: string; readonly service: ServiceRecord }

export class Upkeep {
  readonly #ports: UpkeepPorts
  #unseen: Map<string, Registration> | undefined
  readonly #contactedAt = new Map<string, number>()
  #ranAt = -Infinity
  #isCut = false

  constructor(ports: UpkeepPorts) {
    this.#ports = ports
  }

  /** Services of the environment that this isolate has not yet seen to be as it says. */
  get #pending(): Map<string, Registration> {
    this.#unseen ??= new Map(this.#ports.configured().map((service) => [service.name, service]))
    return this.#unseen
  }

  /**
   * After a response: a run when this isolate never had one, or something waits for it; no idle polling. What the
   * last run did not come to is done at once.
   */
  tick(background: Background): void {
    const isDue = this.#isCut || this.#ports.clock() - this.#ranAt >= UPKEEP.everyMs
    const isNeeded = this.#ranAt === -Infinity || this.#pending.size > 0 || this.#failed().length > 0
    if (isDue && isNeeded) background(this.run(background))
  }

  /** Never longer than `UPKEEP.endWithinMs`: what is not done by then is left to a later run (F69). */
  async run(background: Background): Promise<void> {
    this.#ranAt = this.#ports.clock()
    this.#isCut = false
    const isDone = await within(UPKEEP.endWithinMs, this.#work(background, this.#ranAt))
    if (!isDone) this.#ports.log('warn', 'upkeep_cut')
  }

  async #work(background: Background, beganAt: number): Promise<true> {
    await this.#ports.registry.heal()
    const waiting = this.#waiting(beganAt)
    const mayBegin = (): boolean => this.#ports.clock() - beganAt < UPKEEP.beginWithinMs
    const under: Promise<void>[] = []
    let begun = 0
    for (const contact of waiting.slice(0, UPKEEP.servicesPerRun)) {
      if (!mayBegin()) break
      begun++
      this.#contactedAt.set(contact.key, this.#ports.clock())
      // One by one: which bare names they get depends on the order in which the environment names them.
      if (contact.is === 'configured') await this.#apply(contact.service, background)
      else under.push(this.#ports.registrar.recover(contact.service, background))
    }
    this.#isCut = begun < waiting.length
    await Promise.all(under)
    if (mayBegin()) await this.#ports.reseal(background)
    return true
  }

  /** Who may be contacted now, the longest-waiting first; who was never contacted here has waited longest. */
  #waiting(now: number): readonly Contact[] {
    const configured = [...this.#pending.values()].map((service): Contact => ({
      is: 'configured',
      key: service.name,
      service,
    }))
    const failed = this.#failed().map((service): Contact => ({ is: 'failed', key: service.id, service }))
    const all = [...configured, ...failed]
    const keys = new Set(all.map(({ key }) => key))
    for (const key of this.#contactedAt.keys()) if (!keys.has(key)) this.#contactedAt.delete(key)
    return all
      .map((contact) => ({ contact, since: this.#contactedAt.get(contact.key) ?? this.#first(contact) }))
      .filter(({ since }) => now - since >= UPKEEP.everyMs)
      .sort((one, other) => one.since - other.since)
      .map(({ contact }) => contact)
  }

  /** By lot among those that failed: isolates live short, and none must always begin with the same ones. */
  #first({ is }: Contact): number {
    return is === 'configured' ? -1 : -this.#ports.random()
  }

  #failed(): readonly ServiceRecord[] {
    return this.#ports.registry.held.snapshot?.failed ?? []
  }

  async #apply(service: Registration, background: Background): Promise<void> {
    const { environment, log } = this.#ports
    const { name } = service
    const applied = await environment.apply(service, background)
    if (applied.ok) this.#pending.delete(name)
    else log('warn', 'configured_service_failed', { name, detail: applied.error.detail })
  }
}
