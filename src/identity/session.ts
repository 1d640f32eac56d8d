/**
 * Sessions of legacy clients (2025-11-25, "Session Management"). The id is a ticket that holds all that is fixed
 * for the life of a session, bound to its principal and endpoint: any isolate opens it without asking anyone, and
 * nobody else's credential can use it (S23). What changes during a session lives in its Durable Object.
 */
import type { Clock } from '../platform/clock.ts'
import type { SealingKeys } from '../platform/key.ts'
import { Tickets } from '../platform/ticket.ts'
import { isObject } from '../protocol/message.ts'
import type { Principal } from './principal.ts'

export type Session = {
  /** Names the session's Durable Object. Random, never shown to anyone. */
  readonly name: string
  readonly protocolVersion: string
  /** What the client said it can do, as raw JSON. */
  readonly capabilities: string
  /** Epoch ms. */
  readonly beganAt: number
}

/** `context`: who may use it, and where. */
type Remembered = { readonly context: string; readonly session: Session }

export const LIFETIME_MS = 86_400_000
/** Longer than any id that is made here: its client's capabilities are bounded by `MAX_CAPABILITIES_CHARS`. */
const MAX_ID_CHARS = 8_192
const MAX_CAPABILITIES_CHARS = 4_096
const MAX_REMEMBERED = 10_000

export class Sessions {
  readonly #tickets: Tickets<Session>
  readonly #clock: Clock
  /** By id: long, so it is looked up as it came. */
  readonly #remembered = new Map<string, Remembered>()

  constructor(keys: SealingKeys, clock: Clock) {
    this.#tickets = new Tickets(keys, 'session', readSession)
    this.#clock = clock
  }

  /** A new session and the id by which its client names it. Oversized capabilities count as none. */
  async begin(
    principal: Principal,
    endpoint: string,
    protocolVersion: string,
    capabilities: string,
  ): Promise<{ readonly id: string; readonly session: Session }> {
    const session = {
      name: crypto.randomUUID(),
      protocolVersion,
      capabilities: capabilities.length <= MAX_CAPABILITIES_CHARS ? capabilities : '{}',
      beganAt: this.#clock(),
    }
    const context = contextOf(principal, endpoint)
    const id = await this.#tickets.seal(session, context)
    this.#remember(id, context, session)
    return { id, session }
  }

  /** The session of this id; `undefined` when it is none, is another caller's, or is too old. */
  async open(id: string, principal: Principal, endpoint: string): Promise<Session | undefined> {
    if (id.length > MAX_ID_CHARS) return undefined
    const context = contextOf(principal, endpoint)
    const known = this.#remembered.get(id)
    const isKnown = known?.context === context
    const session = isKnown ? known.session : await this.#tickets.open(id, context)
    if (!session || this.#clock() - session.beganAt > LIFETIME_MS) return undefined
    if (!isKnown) this.#remember(id, context, session)
    return session
  }

  #remember(id: string, context: string, session: Session): void {
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear()
    this.#remembered.set(id, { context, session })
  }
}

const contextOf = ({ organisationId, subject }: Principal, endpoint: string): string =>
  `${organisationId}|${subject}|${endpoint}`

function readSession(value: unknown): Session | undefined {
  if (!isObject(value)) return undefined
  const { name, protocolVersion, capabilities, beganAt } = value
  const isWhole =
    typeof name === 'string' &&
    typeof protocolVersion === 'string' &&
    typeof capabilities === 'string' &&
    typeof beganAt === 'number'
  return isWhole ? { name, protocolVersion, capabilities, beganAt } : undefined
}
