/**
 * The listening stream of one legacy session: what changed in the registry, and what every upstream says that the
 * session has to do with. Lives in the session's Durable Object, so that calls of any isolate add to it.
 */
import { connect, speechOf } from '../mcp/prepare.ts'
import { followRegistry, LISTENING, listChanged } from '../mcp/follow.ts'
import type { Listener } from '../mcp/memory.ts'
import { openOutlet, type Outlet } from '../platform/outlet.ts'
import { Deadline } from '../platform/deadline.ts'
import { LIMITS } from '../protocol/limits.ts'
import { refuse } from '../protocol/refusal.ts'
import { KEEP_ALIVE, STREAM_HEADERS, writeEvent } from '../protocol/sse.ts'
import type { KindGroup } from '../registry/snapshot.ts'
import { endSession } from '../upstream/exchange.ts'
import { openSession } from '../upstream/session.ts'
import { type Keeper, type ListenerPorts, SessionSources } from './session-sources.ts'

const GROUPS: readonly KindGroup[] = ['tools', 'prompts', 'resources']
const EVENT_PREFIX = 'g'

export class SessionListener {
  readonly #ports: ListenerPorts
  readonly #keeper: Keeper
  readonly #sources: SessionSources
  #outlet: Outlet | undefined
  #listener: Listener | undefined
  #joined: Promise<void> = Promise.resolve()

  constructor(ports: ListenerPorts, keeper: Keeper) {
    this.#ports = ports
    this.#keeper = keeper
    this.#sources = new SessionSources(ports, keeper, (text) => this.#emit(text))
  }

  /** Settles when no session with an upstream is being opened for the stream. */
  get joined(): Promise<void> {
    return this.#joined
  }

  /** Opens the stream, after what the client missed of it. A session has one; the newest wins. */
  async open(listener: Listener): Promise<Response> {
    const { endpoint, principal } = listener
    const registry = this.#ports.registryOf(principal.organisationId)
    const { background, log } = this.#keeper
    const current = await registry.current(background)
    if (!current.ok) return refuse(current.error)
    if (this.#keeper.state().isEnded) return refuse({ why: 'unknown_session' })
    this.close()
    const outlet = openOutlet(LISTENING)
    this.#outlet = outlet
    this.#listener = listener
    outlet.closed.addEventListener('abort', () => this.#over(outlet), { once: true })
    outlet.write(KEEP_ALIVE)
    const seen = seqOf(listener.lastEventId)
    if (seen !== undefined)
      for (const { seq, text } of log.after(seen)) {
        outlet.write(writeEvent(text, idOf(seq)))
        if (outlet.closed.aborted) break
      }
    const { closed } = outlet
    const onChange = (group: KindGroup): void => this.#emit(listChanged(group))
    const following = { principal, endpoint, groups: GROUPS, background, closed, onChange }
    const snapshot = current.value.viewFor(principal.agentType)
    background(this.#ports.watch(snapshot.servicesAt(endpoint), background))
    background(followRegistry(snapshot, following, this.#ports).then(outlet.close))
    this.#joined = this.#joinOnly(listener)
      .then(() => this.changed())
      .catch(() => undefined)
    background(this.#joined)
    return new Response(outlet.stream, { headers: STREAM_HEADERS })
  }

  /** What is to be listened to has changed. */
  changed(): void {
    if (this.#outlet && this.#listener) this.#sources.follow(this.#listener)
  }

  /** Settles when all sources are heard, or soon: what an upstream says from then on reaches the client. */
  heard(): Promise<void> {
    return this.#sources.heard()
  }

  close(): void {
    this.#outlet?.close()
  }

  #over(outlet: Outlet): void {
    if (this.#outlet !== outlet) return
    this.#outlet = undefined
    this.#sources.end()
  }

  /** Behind one service, a client hears it from the start, as it would directly. */
  async #joinOnly({ endpoint, session, principal, hops }: Listener): Promise<void> {
    const { dispatch, registryOf } = this.#ports
    const registry = registryOf(principal.organisationId)
    const service = endpoint.is === 'service' ? registry.held.snapshot?.service(endpoint.name) : undefined
    if (!service || this.#keeper.state().upstreams[service.id]) return
    const speech = speechOf(service, { session })
    const connection = await connect(service, this.#keeper.background, dispatch, { hops })
    if (!connection.ok || speech.dialect.era === 'modern' || !speech.isStateful) return
    const deadline = new Deadline(LIMITS.handshakeTimeoutMs)
    const { logLevel } = this.#keeper.state()
    const opened = await openSession(
      { capabilities: session.capabilities, logLevel },
      connection.value,
      deadline,
    )
    deadline.end()
    if (!opened.ok || (await this.#keeper.keepUpstream(service.id, opened.value))) return
    const parting = new Deadline(LIMITS.handshakeTimeoutMs)
    await endSession(connection.value, opened.value, parting)
    parting.end()
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
