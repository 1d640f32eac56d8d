/**
 * Calls of legacy sessions that this isolate is waiting for, so that their clients can cancel them: a modern or
 * stateless upstream is let go, a legacy one is told.
 */
import type { Session } from '../identity/session.ts'
import type { Deadline } from '../platform/deadline.ts'
import type { Connection } from '../upstream/connection.ts'
import type { Trip } from '../upstream/conversation.ts'

export type InFlightCall = { readonly connection: Connection; readonly trip: Trip }

type Entry = InFlightCall & { readonly cancel: () => void }

export class InFlight {
  readonly #calls = new Map<string, Entry>()

  get size(): number {
    return this.#calls.size
  }

  /** Kept until the deadline is over. */
  add(session: Session, idText: string, connection: Connection, trip: Trip, deadline: Deadline): void {
    const key = keyOf(session, idText)
    // Cancelled by another request, whose context must not touch the connections of this one.
    const { promise, resolve } = Promise.withResolvers<void>()
    promise.then(() => deadline.cancel()).catch(() => undefined)
    const entry = { connection, trip, cancel: resolve }
    this.#calls.set(key, entry)
    deadline.onEnd(() => {
      if (this.#calls.get(key) === entry) this.#calls.delete(key)
    })
  }

  /** Lets go of the call with this id; `undefined`: it is not here. */
  cancel(session: Session, idText: string): InFlightCall | undefined {
    const entry = this.#calls.get(keyOf(session, idText))
    entry?.cancel()
    return entry
  }
}

const keyOf = ({ name }: Session, idText: string): string => `${name}|${idText}`
