/**
 * The memory of legacy sessions on Durable Objects. Budget and loss: what a session remembers is looked up once in an
 * isolate and then refreshed after responses; where an object cannot be reached, a session counts as new, an
 * upstream session as this isolate's own, and nobody hears of changes until it can. What cannot be done without the
 * object is refused. None of it decides who may do what.
 */
import type { Session } from '../identity/session.ts'
import type { Listener, SessionMemory, SessionState, Upstreams } from '../mcp/memory.ts'
import type { Background } from '../platform/background.ts'
import type { Clock } from '../platform/clock.ts'
import { err, type Result } from '../platform/result.ts'
import { type Refusal, refuse } from '../protocol/refusal.ts'
import type { SessionHome } from '../upstream/session.ts'
import type { ClientSessionObject } from './client-session.ts'
import type { ParkedCallObject } from './parked-call.ts'
import { AWAY, type Reach } from './reach.ts'
import type { ServiceGuardObject } from './service-guard.ts'

export type Namespaces = {
  readonly CLIENT_SESSION: DurableObjectNamespace<ClientSessionObject>
  readonly PARKED_CALL: DurableObjectNamespace<ParkedCallObject>
  readonly SERVICE_GUARD: DurableObjectNamespace<ServiceGuardObject>
}

const FRESH: SessionState = { isEnded: false, logLevel: undefined, upstreams: {} }
const ENDED: SessionState = { ...FRESH, isEnded: true }
const REFRESH_AFTER_MS = 5_000
const MAX_REMEMBERED = 10_000

export class SessionObjects implements SessionMemory {
  readonly #namespace: Namespaces['CLIENT_SESSION']
  readonly #reach: Reach
  readonly #clock: Clock
  readonly #known = new Map<string, { state: SessionState; readAt: number }>()

  constructor(namespace: Namespaces['CLIENT_SESSION'], reach: Reach, clock: Clock) {
    this.#namespace = namespace
    this.#reach = reach
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

  async setLogLevel(session: Session, logLevel: string): Promise<Result<Upstreams, Refusal>> {
    const told = await this.#ask(session, async (object) => ({ ...(await object.setLogLevel(logLevel)) }))
    if (told.ok) this.#change(session, { logLevel, upstreams: told.value })
    return told
  }

  subscribe(session: Session, serviceId: string, uri: string): Promise<Result<void, Refusal>> {
    return this.#ask(session, (object) => object.subscribe(serviceId, uri))
  }

  unsubscribe(session: Session, serviceId: string, uri: string): Promise<Result<void, Refusal>> {
    return this.#ask(session, (object) => object.unsubscribe(serviceId, uri))
  }

  homeOf(session: Session, serviceId: string): SessionHome {
    return {
      find: async () => (await this.#read(session)).upstreams[serviceId],
      keep: async (dialect) => {
        const answer = await this.#ask(session, async (object) => {
          const used = await object.keepUpstream(serviceId, dialect)
          return used && { ...used }
        })
        const kept = answer.ok ? answer.value : dialect
        if (!kept) {
          this.#remember(session, ENDED)
          return undefined
        }
        const { upstreams } = this.#known.get(session.name)?.state ?? FRESH
        this.#change(session, { upstreams: { ...upstreams, [serviceId]: kept } })
        return kept
      },
      lose: async (dialect) => {
        await this.#ask(session, (object) => object.loseUpstream(serviceId, dialect.sessionId))
        const upstreams = { ...this.#known.get(session.name)?.state.upstreams }
        delete upstreams[serviceId]
        this.#change(session, { upstreams })
      },
    }
  }

  /** An object that is evicted while it waits finds the answers in its storage when it is asked again. */
  async collect(
    session: Session,
    question: string,
    keys: readonly string[],
    timeoutMs: number,
  ): Promise<Result<Readonly<Record<string, string>> | undefined, Refusal>> {
    const until = this.#clock() + timeoutMs
    return await this.#ask(session, async (object) => {
      const outcomes = await object.collect(question, [...keys], until - this.#clock())
      return outcomes && { ...outcomes }
    })
  }

  /** Only the first answer counts, so it is never sent twice. */
  async answer(
    session: Session,
    question: string,
    key: string,
    outcome: string,
  ): Promise<Result<boolean, Refusal>> {
    const taken = await this.#reach.once(() => this.#object(session).answer(question, key, outcome))
    return taken.ok ? taken : err(AWAY)
  }

  async listen(session: Session, listener: Listener): Promise<Response> {
    const body = JSON.stringify(listener)
    const opened = await this.#ask(session, (object) =>
      object.fetch('https://session/', { method: 'POST', body }),
    )
    // Headers of what an object answered cannot be changed.
    return opened.ok ? new Response(opened.value.body, opened.value) : refuse(opened.error)
  }

  async end(session: Session): Promise<Result<Upstreams, Refusal>> {
    const ended = await this.#ask(session, async (object) => ({ ...(await object.end()) }))
    if (ended.ok) this.#remember(session, ENDED)
    return ended
  }

  async #read(session: Session): Promise<SessionState> {
    const read = await this.#ask(session, async (object) => {
      const { isEnded, logLevel, upstreams } = await object.state()
      return { isEnded, logLevel, upstreams: { ...upstreams } }
    })
    const state = read.ok ? read.value : (this.#known.get(session.name)?.state ?? FRESH)
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

  async #ask<T>(
    session: Session,
    work: (object: DurableObjectStub<ClientSessionObject>) => Promise<T>,
  ): Promise<Result<T, Refusal>> {
    const asked = await this.#reach.again(() => work(this.#object(session)))
    return asked.ok ? asked : err(AWAY)
  }

  /** A stub that threw is broken, so each use has one of its own. */
  #object({ name }: Session): DurableObjectStub<ClientSessionObject> {
    return this.#namespace.get(this.#namespace.idFromName(name))
  }
}
