/**
 * Sees that the catalogue of a service is read again when it changes: while anybody listens it hears the service's own
 * announcements, and however many isolates hear of a change, the catalogue is read once.
 */
import { followAnnouncements } from '../mcp/announcement.ts'
import { connect, type DispatchPorts } from '../mcp/prepare.ts'
import type { Background } from '../platform/background.ts'
import { systemClock } from '../platform/clock.ts'
import { LIMITS } from '../protocol/limits.ts'
import type { ServiceRecord } from '../registry/image.ts'

export type WatchPorts = {
  readonly dispatch: DispatchPorts
  readonly service: (key: string) => Promise<ServiceRecord | undefined>
  /** Reads the catalogue again and stores it where it differs. */
  readonly refresh: (service: ServiceRecord, background: Background) => Promise<void>
  readonly background: Background
}

export class CatalogueWatch {
  readonly #ports: WatchPorts
  #watching: { readonly over: AbortController; readonly isHeard: Promise<void> } | undefined
  #interestEndsAt = 0
  #refreshing: Promise<void> | undefined
  #isStale = false

  constructor(ports: WatchPorts) {
    this.#ports = ports
  }

  /** Hears the service for a while; again and again by whoever still listens. Settles when it is heard. */
  async watch(key: string): Promise<void> {
    this.#interestEndsAt = systemClock() + LIMITS.watchMs
    this.#watching ??= this.#hear(key)
    await this.#watching.isHeard
  }

  /** Something has changed. Many calls at once are one look, and never one too early. */
  async noteChange(key: string): Promise<void> {
    this.#isStale = true
    this.#refreshing ??= this.#refresh(key).finally(() => {
      this.#refreshing = undefined
    })
    await this.#refreshing
  }

  async #refresh(key: string): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false
      const service = await this.#ports.service(key)
      if (service) await this.#ports.refresh(service, this.#ports.background)
    }
  }

  #hear(key: string): { over: AbortController; isHeard: Promise<void> } {
    const { background } = this.#ports
    const over = new AbortController()
    const { promise: isHeard, resolve } = Promise.withResolvers<void>()
    const timer = setInterval(() => {
      if (systemClock() > this.#interestEndsAt) over.abort()
    }, LIMITS.watchMs / 4)
    let isFirst = true
    const onOpen = (): void => {
      resolve()
      // What was announced while nobody listened is not announced again.
      if (isFirst) background(this.noteChange(key))
      isFirst = false
    }
    const watching = this.#follow(key, over.signal, onOpen)
      .catch(() => undefined)
      .finally(() => {
        clearInterval(timer)
        resolve()
        this.#watching = undefined
      })
    background(watching)
    return { over, isHeard }
  }

  async #follow(key: string, over: AbortSignal, onOpen: () => void): Promise<void> {
    const { background, dispatch } = this.#ports
    const service = await this.#ports.service(key)
    const connection = service && (await connect(service, background, dispatch))
    if (!service || !connection?.ok) return
    for await (const _ of followAnnouncements(service, connection.value, over, onOpen)) {
      background(this.noteChange(key))
    }
  }
}
