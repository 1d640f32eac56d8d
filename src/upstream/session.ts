/**
 * Sessions with legacy upstreams that demand one. They belong to the gateway: one per service and caller in
 * this isolate, opened on first use and remembered, so that a warm call opens nothing. Callers never share
 * one, since an upstream may keep state by session.
 */
import type { Deadline } from '../platform/deadline.ts'
import { ok, type Result } from '../platform/result.ts'
import type { Connection, Dialect } from './connection.ts'
import type { Fault } from './fault.ts'
import { initialize } from './handshake.ts'

export type UpstreamSession = {
  readonly dialect: Dialect
  /** The next request id within this session; ids of different callers would collide. */
  nextId(): string
}

const MAX_SESSIONS = 10_000

export class UpstreamSessions {
  readonly #open = new Map<string, UpstreamSession>()

  /** The remembered session, or a new one. */
  async get(
    key: string,
    connection: Connection,
    deadline: Deadline,
  ): Promise<Result<UpstreamSession, Fault>> {
    const known = this.#open.get(key)
    if (known) return ok(known)
    const introduction = await initialize(connection, deadline)
    if (!introduction.ok) return introduction
    // Calls that started together each opened one; the first is kept, so that state has one place.
    const session = this.#open.get(key) ?? newSession(introduction.value.dialect)
    if (this.#open.size >= MAX_SESSIONS) this.#forgetOldest()
    this.#open.set(key, session)
    return ok(session)
  }

  /** The upstream no longer knows this session. Another that has taken its place stays. */
  forget(key: string, session: UpstreamSession): void {
    if (this.#open.get(key) === session) this.#open.delete(key)
  }

  #forgetOldest(): void {
    for (const key of this.#open.keys()) {
      this.#open.delete(key)
      return
    }
  }
}

function newSession(dialect: Dialect): UpstreamSession {
  let lastId = 0
  return { dialect, nextId: () => String(++lastId) }
}
