/**
 * What feeds the listening stream of a session besides the registry: the upstreams that the session has to do with,
 * each heard once.
 */
import { borderOf } from '../mcp/border.ts'
import { connect, type DispatchPorts, speechOf } from '../mcp/prepare.ts'
import type { FollowPorts } from '../mcp/follow.ts'
import type { Listener, SessionState } from '../mcp/memory.ts'
import type { Background } from '../platform/background.ts'
import { within } from '../platform/deadline.ts'
import { Slots } from '../platform/slots.ts'
import { LIMITS } from '../protocol/limits.ts'
import type { ServiceRecord } from '../registry/image.ts'
import type { Snapshot } from '../registry/snapshot.ts'
import type { Dialect } from '../upstream/connection.ts'
import { listenTo } from '../upstream/listen.ts'
import { replyAlone } from '../upstream/reply.ts'
import type { EventLog } from './event-log.ts'

export type ListenerPorts = FollowPorts & { readonly dispatch: DispatchPorts }

/** What the session keeps, as its stream needs it. */
export type Keeper = {
  readonly log: EventLog
  readonly state: () => FullState
  readonly keepUpstream: (serviceId: string, dialect: Dialect) => Promise<Dialect | undefined>
  readonly background: Background
}

export type FullState = SessionState & {
  readonly subscriptions: readonly { readonly serviceId: string; readonly uri: string }[]
}

/** `key`: two with the same are the same source. */
type Wanted = { readonly key: string; readonly dialect: Dialect; readonly filter: string }

type Source = {
  readonly key: string
  readonly over: AbortController
  /** Settles when nothing that it says is missed from there on, or when it says nothing. */
  readonly isHeard: Promise<void>
}

export class SessionSources {
  readonly #ports: ListenerPorts
  readonly #keeper: Keeper
  readonly #emit: (text: string) => void
  readonly #sources = new Map<string, Source>()
  readonly #slots = new Slots()

  constructor(ports: ListenerPorts, keeper: Keeper, emit: (text: string) => void) {
    this.#ports = ports
    this.#keeper = keeper
    this.#emit = emit
  }

  /** Sources that are missing begin, those that have no reason left end. */
  follow(listener: Listener): void {
    const { snapshot } = this.#ports.registryOf(listener.principal.organisationId).held
    if (!snapshot) return
    const wanted = this.#wantedBy(listener, snapshot)
    for (const [serviceId, { key, over }] of this.#sources) {
      if (wanted.get(serviceId)?.key === key) continue
      over.abort()
      this.#sources.delete(serviceId)
    }
    for (const [serviceId, { key, dialect, filter }] of wanted) {
      const service = snapshot.serviceById(serviceId)
      if (!service || this.#sources.has(serviceId)) continue
      const over = new AbortController()
      const { promise: isHeard, resolve } = Promise.withResolvers<void>()
      this.#sources.set(serviceId, { key, over, isHeard })
      const hear = async (): Promise<void> => {
        const hearing = this.#hear({ service, dialect, filter }, listener, over.signal, resolve)
        this.#keeper.background(hearing.catch(() => undefined).finally(resolve))
        // An upstream that sends no headers before it has something to say must not keep the others waiting.
        await within(LIMITS.hearMs, isHeard)
      }
      this.#keeper.background(this.#slots.use(hear))
    }
  }

  /** Settles when all sources are heard, or soon: what an upstream says from then on reaches the client. */
  async heard(): Promise<void> {
    const heard = [...this.#sources.values()].map(({ isHeard }) => isHeard)
    await within(LIMITS.hearMs, Promise.all(heard))
  }

  end(): void {
    for (const { over } of this.#sources.values()) over.abort()
    this.#sources.clear()
  }

  /** Legacy upstreams speak in the session's session with them; modern ones of what it subscribed to. */
  #wantedBy({ session }: Listener, snapshot: Snapshot): Map<string, Wanted> {
    const { upstreams, subscriptions } = this.#keeper.state()
    const wanted = new Map<string, Wanted>()
    for (const [serviceId, dialect] of Object.entries(upstreams)) {
      wanted.set(serviceId, { key: String(dialect.sessionId), dialect, filter: '{}' })
    }
    for (const [serviceId, named] of Map.groupBy(subscriptions, (entry) => entry.serviceId)) {
      const service = snapshot.serviceById(serviceId)
      if (!service || wanted.has(serviceId)) continue
      const { dialect } = speechOf(service, { session })
      const filter = JSON.stringify({ resourceSubscriptions: named.map(({ uri }) => uri) })
      wanted.set(serviceId, { key: filter, dialect, filter })
    }
    return wanted
  }

  async #hear(
    { service, dialect, filter }: Omit<Wanted, 'key'> & { readonly service: ServiceRecord },
    { session, principal, endpoint, hops }: Listener,
    over: AbortSignal,
    onHeard: () => void,
  ): Promise<void> {
    const { dispatch, registryOf } = this.#ports
    const { snapshot } = registryOf(principal.organisationId).held
    const purpose = { hops, url: dialect.url }
    const connection = await connect(service, this.#keeper.background, dispatch, purpose)
    if (!snapshot || !connection.ok) return
    let spoken = dialect
    const border = borderOf(
      {
        snapshot,
        endpoint,
        service,
        dialect: () => spoken,
        principal,
        era: 'legacy',
        session,
        capabilities: session.capabilities,
        logLevel: undefined,
        isResumable: false,
        onListChanged: () => dispatch.noteChange(service, this.#keeper.background),
      },
      dispatch.tickets,
    )
    const onOpen = (opened: Dialect): void => {
      spoken = opened
      onHeard()
    }
    for await (const incoming of listenTo(connection.value, dialect, filter, over, onOpen)) {
      if (incoming.is === 'notification' && !incoming.method.startsWith('notifications/subscriptions/')) {
        const text = await border.notification(incoming.method, incoming.text)
        if (text !== undefined) this.#emit(text)
      } else if (incoming.is === 'request') {
        const text = await border.request(incoming)
        if (text !== undefined) this.#emit(text)
        else this.#keeper.background(replyAlone(connection.value, spoken, incoming))
      }
    }
  }
}
