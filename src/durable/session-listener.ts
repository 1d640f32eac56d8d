/**
 * The listening stream of one legacy session: what changed in the registry, and what every upstream says that the
 * session has to do with. Lives in the session's Durable Object, so that calls of any isolate add to it.
 */
import { borderOf } from '../mcp/border.ts'
import { connect, type DispatchPorts, speechOf } from '../mcp/dispatch.ts'
import { followRegistry, type FollowPorts, LISTENING, listChanged } from '../mcp/follow.ts'
import type { Listener, SessionState } from '../mcp/memory.ts'
import { openOutlet, type Outlet } from '../platform/outlet.ts'
import { Deadline, within } from '../platform/deadline.ts'
import type { Background } from '../platform/background.ts'
import { LIMITS } from '../protocol/limits.ts'
import { refuse } from '../protocol/refusal.ts'
import { KEEP_ALIVE, STREAM_HEADERS, writeEvent } from '../protocol/sse.ts'
import type { ServiceRecord } from '../registry/image.ts'
import type { KindGroup } from '../registry/snapshot.ts'
import type { Dialect } from '../upstream/connection.ts'
import { tell } from '../upstream/reply.ts'
import { listenTo } from '../upstream/listen.ts'
import { openSession } from '../upstream/session.ts'
import type { EventLog } from './event-log.ts'

export type ListenerPorts = FollowPorts & { readonly dispatch: DispatchPorts }

/** What the session keeps, as its stream needs it. */
export type Keeper = {
  readonly log: EventLog
  readonly state: () => FullState
  readonly keepUpstream: (serviceId: string, dialect: Dialect) => Promise<Dialect>
  readonly background: Background
}

export type FullState = SessionState & {
  readonly subscriptions: readonly { readonly serviceId: string; readonly uri: string }[]
}

type Source = {
  readonly key: string
  readonly over: AbortController
  /** Settles when nothing that it says is missed from there on, or when it says nothing. */
  readonly isHeard: Promise<void>
}

const GROUPS: readonly KindGroup[] = ['tools', 'prompts', 'resources']
const EVENT_PREFIX = 'g'

export class SessionListener {
  readonly #ports: ListenerPorts
  readonly #keeper: Keeper
  readonly #sources = new Map<string, Source>()
  #outlet: Outlet | undefined
  #listener: Listener | undefined
  #joined: Promise<void> = Promise.resolve()

  constructor(ports: ListenerPorts, keeper: Keeper) {
    this.#ports = ports
    this.#keeper = keeper
  }

  /** Settles when no session with an upstream is being opened for the stream. */
  get joined(): Promise<void> {
    return this.#joined
  }

  /** Opens the stream, after what the client missed of it. A session has one; the newest wins. */
  async open(listener: Listener): Promise<Response> {
    const { registry } = this.#ports
    const { background, log } = this.#keeper
    const current = await registry.current(background)
    if (!current.ok) return refuse(current.error)
    this.close()
    const outlet = openOutlet(LISTENING)
    this.#outlet = outlet
    this.#listener = listener
    outlet.closed.addEventListener('abort', () => this.#over(outlet), { once: true })
    outlet.write(KEEP_ALIVE)
    const seen = seqOf(listener.lastEventId)
    if (seen !== undefined)
      for (const { seq, text } of log.after(seen)) outlet.write(writeEvent(text, idOf(seq)))
    const { endpoint } = listener
    const { closed } = outlet
    const onChange = (group: KindGroup): void => this.#emit(listChanged(group))
    const following = { endpoint, groups: GROUPS, background, closed, onChange }
    const snapshot = current.value
    background(this.#ports.watch(snapshot.servicesAt(endpoint), background))
    background(followRegistry(snapshot, following, this.#ports))
    this.#joined = this.#joinOnly(listener)
      .then(() => this.changed())
      .catch(() => undefined)
    background(this.#joined)
    return new Response(outlet.stream, { headers: STREAM_HEADERS })
  }

  /** What is to be listened to has changed: sources that are missing begin, those that have no reason left end. */
  changed(): void {
    const outlet = this.#outlet
    const { snapshot } = this.#ports.registry.held
    if (!outlet || !snapshot) return
    const wanted = this.#wanted()
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
      const hearing = this.#hear(service, dialect, filter, over.signal, resolve)
      this.#keeper.background(hearing.catch(() => undefined).finally(resolve))
    }
  }

  /** Settles when all sources are heard, or soon: what an upstream says from then on reaches the client. */
  async heard(): Promise<void> {
    const heard = [...this.#sources.values()].map(({ isHeard }) => isHeard)
    await within(LIMITS.hearMs, Promise.all(heard))
  }

  close(): void {
    this.#outlet?.close()
  }

  #over(outlet: Outlet): void {
    if (this.#outlet !== outlet) return
    this.#outlet = undefined
    for (const { over } of this.#sources.values()) over.abort()
    this.#sources.clear()
  }

  /** Legacy upstreams speak in the session's session with them; modern ones of what it subscribed to. */
  #wanted(): Map<string, { key: string; dialect: Dialect; filter: string }> {
    const { upstreams, subscriptions } = this.#keeper.state()
    const wanted = new Map<string, { key: string; dialect: Dialect; filter: string }>()
    for (const [serviceId, dialect] of Object.entries(upstreams)) {
      wanted.set(serviceId, { key: String(dialect.sessionId), dialect, filter: '{}' })
    }
    const { snapshot } = this.#ports.registry.held
    for (const [serviceId, named] of Map.groupBy(subscriptions, (entry) => entry.serviceId)) {
      const service = snapshot?.serviceById(serviceId)
      if (!service || wanted.has(serviceId)) continue
      const { dialect } = speechOf(service, { session: this.#listener?.session })
      const filter = JSON.stringify({ resourceSubscriptions: named.map(({ uri }) => uri) })
      wanted.set(serviceId, { key: filter, dialect, filter })
    }
    return wanted
  }

  /** Behind one service, a client hears it from the start, as it would directly. */
  async #joinOnly({ endpoint, session }: Listener): Promise<void> {
    const { dispatch, registry } = this.#ports
    const service = endpoint.is === 'service' ? registry.held.snapshot?.service(endpoint.name) : undefined
    if (!service || this.#keeper.state().upstreams[service.id]) return
    const speech = speechOf(service, { session })
    const connection = await connect(service, this.#keeper.background, dispatch)
    if (!connection.ok || speech.dialect.era === 'modern' || !speech.isStateful) return
    const deadline = new Deadline(LIMITS.handshakeTimeoutMs)
    const { logLevel } = this.#keeper.state()
    const opened = await openSession(
      { capabilities: session.capabilities, logLevel },
      connection.value,
      deadline,
    )
    deadline.end()
    if (opened.ok) await this.#keeper.keepUpstream(service.id, opened.value)
  }

  async #hear(
    service: ServiceRecord,
    dialect: Dialect,
    filter: string,
    over: AbortSignal,
    onHeard: () => void,
  ): Promise<void> {
    const listener = this.#listener
    const { dispatch, registry } = this.#ports
    const { snapshot } = registry.held
    const connection = await connect(service, this.#keeper.background, dispatch)
    if (!listener || !snapshot || !connection.ok) return
    const { session, principal, endpoint } = listener
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
        const text = incoming.method === 'ping' ? undefined : await border.request(incoming)
        if (text !== undefined) this.#emit(text)
        else {
          const outcome =
            incoming.method === 'ping'
              ? '"result":{}'
              : `"error":{"code":-32601,"message":"Method not found: the client takes no ${incoming.method}"}`
          const body = `{"jsonrpc":"2.0","id":${incoming.idText},${outcome}}`
          this.#keeper.background(tell(connection.value, spoken, body))
        }
      }
    }
  }

  /** Numbered and kept before it is sent, so that a client that lost its connection finds it again. */
  #emit(text: string): void {
    const seq = this.#keeper.log.append(text)
    this.#outlet?.write(writeEvent(text, idOf(seq)))
  }
}

const idOf = (seq: number): string => `${EVENT_PREFIX}${seq}`

function seqOf(eventId: string): number | undefined {
  const seq = eventId.startsWith(EVENT_PREFIX) ? Number(eventId.slice(EVENT_PREFIX.length)) : Number.NaN
  return Number.isSafeInteger(seq) && seq >= 0 ? seq : undefined
}
