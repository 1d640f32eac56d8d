/**
 * The ports of the MCP path on Durable Objects. Budget and loss: what a session remembers is looked up once in an
 * isolate and then refreshed after responses; where an object cannot be reached, a session counts as new, an
 * upstream session as this isolate's own, and nobody hears of changes until it can. None of it decides who may do
 * what.
 */
import type { Session } from '../identity/session.ts'
import type { Forward } from '../mcp/forward.ts'
import type { Listener, SessionMemory, SessionState } from '../mcp/memory.ts'
import type { Comeback, ParkedCalls } from '../mcp/park.ts'
import type { Background } from '../platform/background.ts'
import type { Clock } from '../platform/clock.ts'
import type { ServiceRecord } from '../registry/image.ts'
import type { Dialect } from '../upstream/connection.ts'
import type { SessionHome } from '../upstream/session.ts'
import type { ClientSessionObject } from './client-session.ts'
import type { ParkedCallObject } from './parked-call.ts'
import type { ServiceGuardObject } from './service-guard.ts'

export type Namespaces = {
  readonly CLIENT_SESSION: DurableObjectNamespace<ClientSessionObject>
  readonly PARKED_CALL: DurableObjectNamespace<ParkedCallObject>
  readonly SERVICE_GUARD: DurableObjectNamespace<ServiceGuardObject>
}

const FRESH: SessionState = { isEnded: false, logLevel: undefined, upstreams: {} }
const REFRESH_AFTER_MS = 5_000
const MAX_REMEMBERED = 10_000

export class SessionObjects implements SessionMemory {
  readonly #namespace: Namespaces['CLIENT_SESSION']
  readonly #clock: Clock
  readonly #known = new Map<string, { state: SessionState; readAt: number }>()

  constructor(namespace: Namespaces['CLIENT_SESSION'], clock: Clock) {
    this.#namespace = namespace
    this.#clock = clock
  }

  begin(session: Session): void {
    this.#remember(session, FRESH)
  }

  state(session: Session, background: Background): SessionState | Promise<SessionState> {
    const known = this.#known.get(session.name)
    if (!known) return this.#read(session)
    if (this.#clock() - known.readAt > REFRESH_AFTER_MS) {
      known.readAt = this.#clock()
      background(this.#read(session))
    }
    return known.state
  }

  async setLogLevel(session: Session, logLevel: string): Promise<Readonly<Record<string, Dialect>>> {
    const answer = await this.#object(session).setLogLevel(logLevel)
    const upstreams = { ...answer }
    this.#change(session, { logLevel, upstreams })
    return upstreams
  }

  async subscribe(session: Session, serviceId: string, uri: string): Promise<void> {
    await this.#object(session).subscribe(serviceId, uri)
  }

  async unsubscribe(session: Session, serviceId: string, uri: string): Promise<void> {
    await this.#object(session).unsubscribe(serviceId, uri)
  }

  homeOf(session: Session, serviceId: string): SessionHome {
    return {
      find: async () => (await this.#read(session)).upstreams[serviceId],
      keep: async (dialect) => {
        const kept = await orElse(dialect, async () => {
          const answer = await this.#object(session).keepUpstream(serviceId, dialect)
          return { ...answer }
        })
        const { upstreams } = this.#known.get(session.name)?.state ?? FRESH
        this.#change(session, { upstreams: { ...upstreams, [serviceId]: kept } })
        return kept
      },
      lose: async (dialect) => {
        await orElse(undefined, () => this.#object(session).loseUpstream(serviceId, dialect.sessionId))
        const upstreams = { ...this.#known.get(session.name)?.state.upstreams }
        delete upstreams[serviceId]
        this.#change(session, { upstreams })
      },
    }
  }

  async collect(
    session: Session,
    question: string,
    keys: readonly string[],
    timeoutMs: number,
  ): Promise<Readonly<Record<string, string>> | undefined> {
    const until = this.#clock() + timeoutMs
    for (let leftMs = timeoutMs; leftMs > 0; leftMs = until - this.#clock()) {
      try {
        const outcomes = await this.#object(session).collect(question, [...keys], leftMs)
        return outcomes && { ...outcomes }
      } catch (error) {
        // Evicted while we waited: the answers are in its storage, so it is asked again.
        if (!isRetryable(error)) throw error
      }
    }
    return undefined
  }

  answer(session: Session, question: string, key: string, outcome: string): Promise<boolean> {
    return this.#object(session).answer(question, key, outcome)
  }

  async listen(session: Session, listener: Listener): Promise<Response> {
    return await this.#object(session).fetch('https://session/', {
      method: 'POST',
      body: JSON.stringify(listener),
    })
  }

  async end(session: Session): Promise<Readonly<Record<string, Dialect>>> {
    const upstreams = await this.#object(session).end()
    this.#remember(session, { ...FRESH, isEnded: true })
    return { ...upstreams }
  }

  async #read(session: Session): Promise<SessionState> {
    const state = await orElse(this.#known.get(session.name)?.state ?? FRESH, async () => {
      const { isEnded, logLevel, upstreams } = await this.#object(session).state()
      return { isEnded, logLevel, upstreams: { ...upstreams } }
    })
    this.#remember(session, state)
    return state
  }

  #change(session: Session, part: Partial<SessionState>): void {
    this.#remember(session, { ...(this.#known.get(session.name)?.state ?? FRESH), ...part })
  }

  #remember({ name }: Session, state: SessionState): void {
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear()
    this.#known.set(name, { state, readAt: this.#clock() })
  }

  /** A stub that threw is broken, so each use has one of its own. */
  #object({ name }: Session): DurableObjectStub<ClientSessionObject> {
    return this.#namespace.get(this.#namespace.idFromName(name))
  }
}

export class ParkedObjects implements ParkedCalls {
  readonly #namespace: Namespaces['PARKED_CALL']

  constructor(namespace: Namespaces['PARKED_CALL']) {
    this.#namespace = namespace
  }

  start(forward: Forward): Promise<Response> {
    return this.#ask(this.#namespace.newUniqueId(), { forward })
  }

  goOn(object: string, comeback: Comeback): Promise<Response> {
    return this.#ask(this.#namespace.idFromString(object), { comeback })
  }

  async #ask(id: DurableObjectId, body: { forward: Forward } | { comeback: Comeback }): Promise<Response> {
    const init = { method: 'POST', body: JSON.stringify(body) }
    return await this.#namespace.get(id).fetch('https://call/', init)
  }
}

const WATCH_AGAIN_MS = 20_000
const MAX_WATCHED = 10_000

export class ServiceGuards {
  readonly #namespace: Namespaces['SERVICE_GUARD']
  readonly #clock: Clock
  readonly #watchedAt = new Map<string, number>()

  constructor(namespace: Namespaces['SERVICE_GUARD'], clock: Clock) {
    this.#namespace = namespace
    this.#clock = clock
  }

  /** Has these services heard for a while; each at most once in a while, whoever asks. */
  async watch(services: readonly ServiceRecord[]): Promise<void> {
    const now = this.#clock()
    const due = services.filter(({ id, catalogue }) => {
      const isDue = now - (this.#watchedAt.get(id) ?? Number.NEGATIVE_INFINITY) > WATCH_AGAIN_MS
      return (
        isDue && catalogue !== undefined && mayAnnounce(catalogue.capabilities + catalogue.legacyCapabilities)
      )
    })
    if (this.#watchedAt.size >= MAX_WATCHED) this.#watchedAt.clear()
    for (const { id } of due) this.#watchedAt.set(id, now)
    await Promise.all(due.map(({ id }) => orElse(undefined, () => this.#object(id).watch(id))))
  }

  noteChange({ id }: ServiceRecord): Promise<void> {
    return orElse(undefined, () => this.#object(id).noteChange(id))
  }

  #object(serviceId: string): DurableObjectStub<ServiceGuardObject> {
    return this.#namespace.get(this.#namespace.idFromName(serviceId))
  }
}

/** Only what announces its changes is listened to. */
const mayAnnounce = (capabilities: string): boolean => /"listChanged"\s*:\s*true/.test(capabilities)

async function orElse<T>(fallback: T, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch {
    return fallback
  }
}

const isRetryable = (error: unknown): boolean =>
  error instanceof Error && 'retryable' in error && error.retryable === true && !('overloaded' in error)
