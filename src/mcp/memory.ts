/** What changes during a session of a legacy client, as the way of a request needs it. */
import type { Principal } from '../identity/principal.ts'
import type { Session } from '../identity/session.ts'
import type { Background } from '../platform/background.ts'
import type { Result } from '../platform/result.ts'
import type { Refusal } from '../protocol/refusal.ts'
import type { Endpoint } from '../registry/target.ts'
import type { Dialect } from '../upstream/connection.ts'
import type { SessionHome } from '../upstream/session.ts'

/** Sessions with upstreams, by service id. */
export type Upstreams = Readonly<Record<string, Dialect>>

export type SessionState = {
  readonly isEnded: boolean
  /** The least severe log message that the client wants. */
  readonly logLevel: string | undefined
  readonly upstreams: Upstreams
}

/** Who listens, and from where on; survives JSON. */
export type Listener = {
  readonly session: Session
  readonly principal: Principal
  readonly endpoint: Endpoint
  /** The last event that the client saw; empty: none. */
  readonly lastEventId: string
  /** Gateways that it came through. */
  readonly hops: number
}

/** A refusal: what is remembered cannot be reached, and whoever depends on it is told so. */
export interface SessionMemory {
  /** A session that began here just now: nothing has to be asked about it. */
  begin(session: Session): void
  /** At once where this isolate knows the session; what other isolates did is seen a little later. */
  state(session: Session, background: Background): SessionState | Promise<SessionState>
  /** Gives the sessions with upstreams that have to be told. */
  setLogLevel(session: Session, level: string): Promise<Result<Upstreams, Refusal>>
  subscribe(session: Session, serviceId: string, uri: string): Promise<Result<void, Refusal>>
  unsubscribe(session: Session, serviceId: string, uri: string): Promise<Result<void, Refusal>>
  /** Where the session's session with this upstream is kept. */
  homeOf(session: Session, serviceId: string): SessionHome
  /** Waits for the client's answers to all parts of a question; by key. */
  collect(
    session: Session,
    question: string,
    keys: readonly string[],
    timeoutMs: number,
  ): Promise<Result<Readonly<Record<string, string>> | undefined, Refusal>>
  /** Leaves an answer of the client. */
  answer(session: Session, question: string, key: string, outcome: string): Promise<Result<boolean, Refusal>>
  /** The session's listening stream. */
  listen(session: Session, listener: Listener): Promise<Response>
  /** Ends the session; gives the upstream sessions that end with it. */
  end(session: Session): Promise<Result<Upstreams, Refusal>>
}
