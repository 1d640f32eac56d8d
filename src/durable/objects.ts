/**
 * The memory of legacy sessions on Durable Objects: one for each session that has something to remember, which a
 * register knows of before it is used, so that whoever ends the session ends it too. Budget and loss: what a session
 * remembers is looked up once in an isolate and then refreshed after responses; where its object or the register
 * cannot be reached, a session counts as new, an upstream session as this isolate's own, and nobody hears of changes
 * until it can. What cannot be done without them is refused. None of it decides who may do what.
 */
import type { Session } from '../identity/session.ts'
import type { Listener, SessionMemory, SessionState, Upstreams } from '../mcp/memory.ts'
import type { Background } from '../platform/background.ts'
import type { Clock } from '../platform/clock.ts'
import { err, ok, type Result } from '../platform/result.ts'
import { type Refusal, refuse } from '../protocol/refusal.ts'
import type { SessionHome } from '../upstream/session.ts'
import type { ClientSessionObject } from './client-session.ts'
import type { ParkedCallObject } from './parked-call.ts'
import { AWAY, type Reach } from './reach.ts'
import type { ServiceGuardObject } from './service-guard.ts'
import type { SessionRegisterObject } from './session-register.ts'
import { SessionRegisters } from './session-registers.ts'

export type Namespaces = {
  readonly CLIENT_SESSION: DurableObjectNamespace<ClientSessionObject>
  readonly SESSION_REGISTER: DurableObjectNamespace<SessionRegisterObject>
  readonly PARKED_CALL: DurableObjectNamespace<ParkedCallObject>
  readonly SERVICE_GUARD: DurableObjectNamespace<ServiceGuardObject>
}

type Work<T> = (object: DurableObjectStub<ClientSessionObject>) => Promise<T>

const FRESH: SessionState = { isEnded: false, logLevel: undefined, upstreams: {} }
const ENDED: SessionState = { ...FRESH, isEnded: true }
const REFRESH_AFTER_MS = 5_000
const MAX_REMEMBERED = 10_000

export class SessionObjects implements SessionMemory {
  readonly #namespace: Namespaces['CLIENT_SESSION']
  readonly #registers: SessionRegisters
  readonly #reach: Reach
  readonly #clock: Clock
  readonly #known = new Map<string, { state: SessionState; readAt: number }>()

  constructor(
    namespaces: Pick<Namespaces, 'CLIENT_SESSION' | 'SESSION_REGISTER'>,
    reach: Reach,
    clock: Clock,
  ) {
    this.#namespace = namespaces.CLIENT_SESSION
    this.#registers = new SessionRegisters(namespaces.SESSION_REGISTER, reach)
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
    const told = await this.#use(session, async (object) => ({ ...(await object.setLogLevel(logLevel)) }))
    if (told.ok) this.#change(session, { logLevel, upstreams: told.value })
    return told
  }

  subscribe(session: Session, serviceId: string, uri: string): Promise<Result<void, Refusal>> {
    return this.#use(session, (object) => object.subscribe(serviceId, uri))
  }

  unsubscribe(session: Session, serviceId: string, uri: string): Promise<Result<void, Refusal>> {
    return this.#visit(session, (object) => object.unsubscribe(serviceId, uri))
  }

  homeOf(session: Session, serviceId: string): SessionHome {
    return {
      find: async () => {
        // What is not found will be opened and kept, and the register told then: telling it now spares a question.
        const was = await this.#registers.keep(session)
        if (was.ok && was.value === 'unknown') return undefined
        return (await this.#read(session)).upstreams[serviceId]
      },
      keep: async (dialect) => {
        const answer = await this.#use(session, async (object) => {
          const used = await object.keepUpstream(serviceId, dialect)
          return used && { ...used }
        })
        const hasEnded = answer.ok ? !answer.value : answer.error.why === 'unknown_session'
        if (hasEnded) {
          this.#remember(session, ENDED)
          return undefined
        }
        const kept = (answer.ok && answer.value) || dialect
        const { upstreams } = this.#known.get(session.name)?.state ?? FRESH
        this.#change(session, { upstreams: { ...upstreams, [serviceId]: kept } })
        return kept
      },
      lose: async (dialect) => {
        await this.#visit(session, (object) => object.loseUpstream(serviceId, dialect.sessionId))
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
    return await this.#use(session, async (object) => {
      const outcomes = await object.collect(question, [...keys], until - this.#clock())
      return outcomes && { ...outcomes }
    })
  }

  /** Only the first answer counts, so it is never sent twice. */
  answer(
    session: Session,
    question: string,
    key: string,
    outcome: string,
  ): Promise<Result<boolean, Refusal>> {
    return this.#use(session, (object) => object.answer(question, key, outcome), 'once')
  }

  async listen(session: Session, listener: Listener): Promise<Response> {
    const body = JSON.stringify(listener)
    const opened = await this.#use(session, (object) =>
      object.fetch('https://session/', { method: 'POST', body }),
    )
    // Headers of what an object answered cannot be changed.
    return opened.ok ? new Response(opened.value.body, opened.value) : refuse(opened.error)
  }

  /** Where it has an object the session has not ended before that has: who could not reach it may try again. */
  async end(session: Session): Promise<Result<Upstreams, Refusal>> {
    const was = await this.#registers.end(session)
    if (!was.ok) return was
    const ended =
      was.value === 'kept'
        ? await this.#ask(session, async (object) => ({ ...(await object.end()) }))
        : ok(ENDED.upstreams)
    if (ended.ok) this.#remember(session, ENDED)
    return ended
  }

  async #read(session: Session): Promise<SessionState> {
    const read = await this.#lookUp(session)
    const state = read.ok ? read.value : (this.#known.get(session.name)?.state ?? FRESH)
    this.#remember(session, state)
    return state
  }

  async #lookUp(session: Session): Promise<Result<SessionState, Refusal>> {
    const standing = await this.#registers.look(session)
    if (!standing.ok) return standing
    if (standing.value !== 'kept') return ok(standing.value === 'ended' ? ENDED : FRESH)
    return await this.#ask(session, async (object) => {
      const { isEnded, logLevel, upstreams } = await object.state()
      return { isEnded, logLevel, upstreams: { ...upstreams } }
    })
  }

  #change(session: Session, part: Partial<SessionState>): void {
    this.#remember(session, { ...(this.#known.get(session.name)?.state ?? FRESH), ...part })
  }

  #remember({ name }: Session, state: SessionState): void {
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear()
    this.#known.set(name, { state, readAt: this.#clock() })
  }

  /** Work that the session needs its object for from now on. */
  async #use<T>(session: Session, work: Work<T>, how: keyof Reach = 'again'): Promise<Result<T, Refusal>> {
    const was = await this.#registers.keep(session)
    if (!was.ok) return was
    if (was.value !== 'ended') return await this.#ask(session, work, how)
    this.#remember(session, ENDED)
    return err({ why: 'unknown_session' })
  }

  /** Work on what the session's object holds: without one there is nothing to do. */
  async #visit(session: Session, work: Work<void>): Promise<Result<void, Refusal>> {
    const standing = await this.#registers.look(session)
    if (!standing.ok) return standing
    return standing.value === 'kept' ? await this.#ask(session, work) : ok(undefined)
  }

  async #ask<T>(session: Session, work: Work<T>, how: keyof Reach = 'again'): Promise<Result<T, Refusal>> {
    const asked = await this.#reach[how](() => work(this.#object(session)))
    return asked.ok ? asked : err(AWAY)
  }

  /** A stub that threw is broken, so each use has one of its own. */
  #object({ name }: Session): DurableObjectStub<ClientSessionObject> {
    return this.#namespace.get(this.#namespace.idFromName(name))
  }
}
