/**
 * Sessions with legacy upstreams that demand one. They belong to the gateway: one per service and caller,
 * opened on first use and remembered in this isolate, so that a warm call opens nothing. Callers never share
 * one, since an upstream may keep state by session.
 */
import type { Deadline } from '../platform/deadline.ts'
import { err, ok, type Result } from '../platform/result.ts'
import { membersOf } from '../protocol/json.ts'
import { LIMITS } from '../protocol/limits.ts'
import { type Connection, type Dialect, spokenAt } from './connection.ts'
import type { Fault } from './fault.ts'
import { endSession, exchange } from './exchange.ts'
import { initialize } from './handshake.ts'

export type UpstreamSession = {
  readonly dialect: Dialect
  /** The next id of a request of the gateway's own, unique within this session over all isolates. */
  nextId(): string
}

/** Whose session it is, and what it was opened with. */
export type SessionOwner = {
  /** Service and caller. */
  readonly key: string
  /** What the caller can do, as raw JSON; told to the upstream when the session opens. */
  readonly capabilities: string
  /** The least severe log message that the caller wants; told as well. */
  readonly logLevel: string | undefined
  /** Where the session is kept for other isolates; absent: in this one only. */
  readonly home?: SessionHome
}

/** Keeps which session a caller has with an upstream. Of two that were opened at once, the first stays. */
export interface SessionHome {
  find(): Promise<Dialect | undefined>
  /** The session to use: this one, or the one that was there first. `undefined`: the caller's has ended, and so must this one. */
  keep(dialect: Dialect): Promise<Dialect | undefined>
  /** The upstream no longer knows this session. */
  lose(dialect: Dialect): Promise<void>
}

const MAX_SESSIONS = 10_000
const MAX_IDLE_OF_OWNER = 16

export class UpstreamSessions {
  readonly #open = new Map<string, UpstreamSession>()
  readonly #idle = new Map<string, UpstreamSession[]>()
  /** Addresses whose listening streams do not begin before there is something to say. */
  readonly #silent = new Set<string>()

  /** The remembered session, or a new one. */
  async get(
    owner: SessionOwner,
    connection: Connection,
    deadline: Deadline,
  ): Promise<Result<UpstreamSession, Fault>> {
    const known = this.#open.get(owner.key)
    if (known && isAt(known.dialect, connection)) return ok(known)
    // Its instance is not there any more, and took its state with it.
    if (known) await this.lose(owner, known)
    const dialect = await this.#dialectOf(owner, connection, deadline)
    if (!dialect.ok) return dialect
    // Calls that started together each opened one; the first is kept, so that state has one place.
    const session = this.#open.get(owner.key) ?? sessionOf(dialect.value)
    if (this.#open.size >= MAX_SESSIONS) this.#forgetOldest()
    this.#open.set(owner.key, session)
    return ok(session)
  }

  /**
   * A session that no other call uses meanwhile: what the upstream asks in it, on whatever stream, is asked of this
   * call. One that was given back, or a new one.
   */
  async lease(
    owner: SessionOwner,
    connection: Connection,
    deadline: Deadline,
  ): Promise<Result<UpstreamSession, Fault>> {
    const idle = this.#idle.get(owner.key)?.filter(({ dialect }) => isAt(dialect, connection)) ?? []
    const session = idle.pop()
    this.#idle.set(owner.key, idle)
    if (session) return ok(session)
    const opened = await openSession(owner, connection, deadline)
    return opened.ok ? ok(sessionOf(opened.value)) : opened
  }

  /** The instance that the owner's session is with, where it is known here. */
  urlOf({ key }: SessionOwner): string | undefined {
    return this.#open.get(key)?.dialect.url ?? this.#idle.get(key)?.at(-1)?.dialect.url
  }

  /** The call of a leased session was answered; one that was not may still be running there, and is never reused. */
  giveBack({ key }: SessionOwner, session: UpstreamSession): void {
    const idle = this.#idle.get(key) ?? []
    if (idle.length >= MAX_IDLE_OF_OWNER) return
    if (this.#idle.size >= MAX_SESSIONS) this.#idle.clear()
    this.#idle.set(key, [...idle, session])
  }

  /** The upstream no longer knows this session. Another that has taken its place stays. */
  async lose(owner: SessionOwner, session: UpstreamSession): Promise<void> {
    this.#idle.delete(owner.key)
    if (this.#open.get(owner.key) === session) this.#open.delete(owner.key)
    await owner.home?.lose(session.dialect)
  }

  /** How long to wait for the listening stream of a session at this address. */
  hearMs(url: string): number {
    return this.#silent.has(url) ? LIMITS.listenOpenMs : LIMITS.hearMs
  }

  noteSilent(url: string): void {
    if (this.#silent.size >= MAX_SESSIONS) this.#silent.clear()
    this.#silent.add(url)
  }

  async #dialectOf(
    owner: SessionOwner,
    connection: Connection,
    deadline: Deadline,
  ): Promise<Result<Dialect, Fault>> {
    const kept = await owner.home?.find()
    if (kept && isAt(kept, connection)) return ok(kept)
    if (kept) await owner.home?.lose(kept)
    const opened = await openSession(owner, connection, deadline)
    if (!opened.ok || !owner.home) return opened
    const session = await owner.home.keep(opened.value)
    if (session) return ok(session)
    await endSession(connection, opened.value, deadline)
    return err({ is: 'ended' })
  }

  #forgetOldest(): void {
    for (const key of this.#open.keys()) {
      this.#open.delete(key)
      return
    }
  }
}

/** A new session with an upstream, which learns what its caller can do and wants to be told. */
export async function openSession(
  { capabilities, logLevel }: Pick<SessionOwner, 'capabilities' | 'logLevel'>,
  connection: Connection,
  deadline: Deadline,
): Promise<Result<Dialect, Fault>> {
  const introduction = await initialize(connection, deadline, capabilities)
  if (!introduction.ok) return introduction
  const dialect = spokenAt(introduction.value.dialect, connection)
  if (logLevel !== undefined && membersOf(introduction.value.capabilities).has('logging')) {
    const told = await exchange(connection, dialect, 'logging/setLevel', { level: logLevel }, deadline)
    if (!told.ok) return told
  }
  return ok(dialect)
}

const isAt = ({ url }: Dialect, connection: Connection): boolean =>
  url === undefined || url === connection.url

export function sessionOf(dialect: Dialect): UpstreamSession {
  const isolate = crypto.randomUUID().slice(0, 8)
  let lastId = 0
  return { dialect, nextId: () => JSON.stringify(`${isolate}-${++lastId}`) }
}
