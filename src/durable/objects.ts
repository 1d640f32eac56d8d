/**
 * The ports of the MCP path on Durable Objects. Budget and loss: what a session remembers is looked up once in an
 * isolate and then refreshed after responses; where an object cannot be reached, a session counts as new, an
 * upstream session as this isolate's own, and nobody hears of changes until it can. What cannot be done without the
 * object is refused. None of it decides who may do what.
 */
import type { Admission, AdmitRequest, Limits } from '../guard/admission.ts'
import type { Session } from '../identity/session.ts'
import type { CredentialAnswer, CredentialQuestion } from '../mcp/credential.ts'
import type { Listener, SessionMemory, SessionState, Upstreams } from '../mcp/memory.ts'
import type { Background } from '../platform/background.ts'
import type { Clock } from '../platform/clock.ts'
import { err, type Result } from '../platform/result.ts'
import { type Refusal, refuse } from '../protocol/refusal.ts'
import { type ServiceRecord, writeKey } from '../registry/image.ts'
import type { SessionHome } from '../upstream/session.ts'
import type { ClientSessionObject } from './client-session.ts'
import type { ParkedCallObject } from './parked-call.ts'
import { AWAY, type Loss, type Reach } from './reach.ts'
import type { GuardView, ServiceGuardObject } from './service-guard.ts'

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
        const answer = await this.#ask(session, async (object) => ({
          ...(await object.keepUpstream(serviceId, dialect)),
        }))
        const kept = answer.ok ? answer.value : dialect
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
    if (ended.ok) this.#remember(session, { ...FRESH, isEnded: true })
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

const WATCH_AGAIN_MS = 20_000
const MISMATCH_AGAIN_MS = 30_000
const MAX_WATCHED = 10_000

export class ServiceGuards {
  readonly #namespace: Namespaces['SERVICE_GUARD']
  readonly #reach: Reach
  readonly #clock: Clock
  readonly #watchedAt = new Map<string, number>()
  readonly #mismatchedAt = new Map<string, number>()

  constructor(namespace: Namespaces['SERVICE_GUARD'], reach: Reach, clock: Clock) {
    this.#namespace = namespace
    this.#reach = reach
    this.#clock = clock
  }

  /** Has these services heard for a while; each at most once in a while, whoever asks. */
  async watch(services: readonly ServiceRecord[]): Promise<void> {
    const now = this.#clock()
    const due = services.filter((service) => {
      const { catalogue } = service
      const isDue =
        now - (this.#watchedAt.get(writeKey(service)) ?? Number.NEGATIVE_INFINITY) > WATCH_AGAIN_MS
      return (
        isDue && catalogue !== undefined && mayAnnounce(catalogue.capabilities + catalogue.legacyCapabilities)
      )
    })
    if (this.#watchedAt.size >= MAX_WATCHED) this.#watchedAt.clear()
    const keys = due.map(writeKey)
    for (const key of keys) this.#watchedAt.set(key, now)
    await Promise.all(keys.map((key) => this.#reach.again(() => this.#object(key).watch(key))))
  }

  /** Asked once more where that helps; a report whose first way was lost may then count twice (F43). */
  ask(key: string, request: AdmitRequest): Promise<Result<Admission, Loss>> {
    return this.#reach.again(async () => ({ ...(await this.#object(key).admit(key, request)) }))
  }

  view(key: string, limits: Limits): Promise<Result<GuardView, Loss>> {
    return this.#reach.again(async () => ({ ...(await this.#object(key).view(key, limits)) }))
  }

  glance(key: string, limits: Limits): Promise<Result<GuardView, Loss>> {
    return this.#reach.again(async () => ({ ...(await this.#object(key).glance(limits)) }))
  }

  /** Asked once more whatever was lost: the object knows what it has done. */
  async refreshCredential(question: CredentialQuestion): Promise<Result<CredentialAnswer, Loss>> {
    const key = writeKey(question.service)
    const ask = (): Promise<Result<CredentialAnswer, Loss>> =>
      this.#reach.again(async () => ({ ...(await this.#object(key).refreshCredential(key, question)) }))
    const asked = await ask()
    return asked.ok || asked.error === 'overloaded' ? asked : await ask()
  }

  /** An operator has seen the service work. */
  async forgive(service: ServiceRecord): Promise<void> {
    await this.#reach.again(() => this.#object(writeKey(service)).forgive())
  }

  async noteChange(service: ServiceRecord): Promise<void> {
    const key = writeKey(service)
    await this.#reach.again(() => this.#object(key).noteChange(key))
  }

  /** Callers can bring this about at will, so it is passed on only once in a while. */
  async noteMismatch(service: ServiceRecord): Promise<void> {
    const now = this.#clock()
    const key = writeKey(service)
    if (now - (this.#mismatchedAt.get(key) ?? Number.NEGATIVE_INFINITY) < MISMATCH_AGAIN_MS) return
    if (this.#mismatchedAt.size >= MAX_WATCHED) this.#mismatchedAt.clear()
    this.#mismatchedAt.set(key, now)
    await this.noteChange(service)
  }

  #object(key: string): DurableObjectStub<ServiceGuardObject> {
    return this.#namespace.get(this.#namespace.idFromName(key))
  }
}

/** Only what announces its changes is listened to. */
const mayAnnounce = (capabilities: string): boolean => /"listChanged"\s*:\s*true/.test(capabilities)
