/** What travels through callers under our seal (docs/design.md, "Sealed texts"): one purpose each. */
import type { SealingKeys } from '../platform/key.ts'
import { Tickets } from '../platform/ticket.ts'
import { isObject } from '../protocol/message.ts'
import type { Dialect } from '../upstream/connection.ts'

/** Id of a request that a caller was sent: of an upstream's own, or of one part of a question. */
export type RequestTicket =
  | {
      readonly is: 'upstream'
      readonly serviceId: string
      readonly dialect: Dialect
      /** The upstream's own id, as JSON text. */
      readonly idText: string
    }
  | { readonly is: 'question'; readonly question: string; readonly key: string }

/** A progress token of an upstream, in a request that it sent a caller. */
export type ProgressTicket = {
  readonly serviceId: string
  readonly dialect: Dialect
  /** The upstream's own token, as JSON text. */
  readonly token: string
}

/** A place in the stream of one upstream from which a caller can resume. */
export type EventTicket = {
  readonly serviceId: string
  readonly dialect: Dialect
  readonly eventId: string
}

export type TaskTicket = { readonly serviceId: string; readonly taskId: string }

/** A call that waits for its caller. */
export type StateTicket = {
  readonly object: string
  readonly round: number
  /** Epoch ms. */
  readonly expiresAt: number
}

export type AllTickets = {
  readonly requests: Tickets<RequestTicket>
  readonly progress: Tickets<ProgressTicket>
  readonly events: Tickets<EventTicket>
  readonly tasks: Tickets<TaskTicket>
  readonly states: Tickets<StateTicket>
}

export const openTickets = (keys: SealingKeys): AllTickets => ({
  requests: new Tickets(keys, 'request', sealedByUs<RequestTicket>),
  progress: new Tickets(keys, 'progress', sealedByUs<ProgressTicket>),
  events: new Tickets(keys, 'event', sealedByUs<EventTicket>),
  tasks: new Tickets(keys, 'task', sealedByUs<TaskTicket>),
  states: new Tickets(keys, 'state', sealedByUs<StateTicket>),
})

/** The one place where an opened text becomes a ticket: our own seal, made for one purpose, vouches for its shape. */
const sealedByUs = <Ticket>(value: unknown): Ticket | undefined =>
  isObject(value) ? (value as Ticket) : undefined
