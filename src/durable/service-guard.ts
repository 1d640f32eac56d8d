/**
 * One per service. For now it notices that a service offers something else than before: while anybody listens, it
 * hears the service's own announcements, and it sees to it that the catalogue is read again once, not once for
 * every isolate that heard of it.
 */
import { DurableObject } from 'cloudflare:workers'
import { connect, type DispatchPorts } from '../mcp/dispatch.ts'
import { followAnnouncements } from '../mcp/announcement.ts'
import type { Background } from '../platform/background.ts'
import { within } from '../platform/deadline.ts'
import { LIMITS } from '../protocol/limits.ts'
import { FRESHNESS, type Registry } from '../registry/registry.ts'
import type { ServiceRecord } from '../registry/image.ts'

export type GuardPorts = {
  readonly registry: Registry
  readonly dispatch: DispatchPorts
  /** Reads the catalogue again and stores it where it differs. */
  readonly refresh: (service: ServiceRecord, background: Background) => Promise<void>
}

export class ServiceGuardObject extends DurableObject {
  readonly #ports: GuardPorts
  #watching: { readonly over: AbortController; readonly isHeard: Promise<void> } | undefined
  #interestEndsAt = 0
  #refreshing: Promise<void> | undefined
  #isStale = false

  constructor(ctx: DurableObjectState, env: unknown, ports: GuardPorts) {
    super(ctx, env as never)
    this.#ports = ports
  }

  /** Hears the service for a while; again and again by whoever still listens. Settles when it is heard. */
  async watch(serviceId: string): Promise<void> {
    this.#interestEndsAt = Date.now() + LIMITS.watchMs
    this.#watching ??= this.#hear(serviceId)
    await this.#watching.isHeard
  }

  /** Something has changed. Many calls at once are one look, and never one too early. */
  async noteChange(serviceId: string): Promise<void> {
    this.#isStale = true
    this.#refreshing ??= this.#refresh(serviceId).finally(() => {
      this.#refreshing = undefined
    })
    await this.#refreshing
  }

  async #refresh(serviceId: string): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false
      const service = await this.#service(serviceId)
      if (service) await this.#ports.refresh(service, this.#background)
    }
  }

  #hear(serviceId: string): { over: AbortController; isHeard: Promise<void> } {
    const over = new AbortController()
    const { promise: isHeard, resolve } = Promise.withResolvers<void>()
    const timer = setInterval(() => {
      if (Date.now() > this.#interestEndsAt) over.abort()
    }, LIMITS.watchMs / 4)
    let isFirst = true
    const onOpen = (): void => {
      resolve()
      // What was announced while nobody listened is not announced again.
      if (isFirst) this.#background(this.noteChange(serviceId))
      isFirst = false
    }
    const follow = async (): Promise<void> => {
      const service = await this.#service(serviceId)
      const connection = service && (await connect(service, this.#background, this.#ports.dispatch))
      if (!service || !connection?.ok) return
      for await (const _ of followAnnouncements(service, connection.value, over.signal, onOpen)) {
        this.#background(this.noteChange(serviceId))
      }
    }
    const watching = follow()
      .catch(() => undefined)
      .finally(() => {
        clearInterval(timer)
        resolve()
        this.#watching = undefined
      })
    this.#background(watching)
    return { over, isHeard }
  }

  async #service(serviceId: string): Promise<ServiceRecord | undefined> {
    const { registry } = this.#ports
    await within(FRESHNESS.waitMs, registry.freshen(0, this.#background))
    const snapshot = await registry.current(this.#background)
    return snapshot.ok ? snapshot.value.serviceById(serviceId) : undefined
  }

  readonly #background: Background = (work) => this.ctx.waitUntil(work)
}
