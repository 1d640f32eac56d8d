/** What an upstream is sent that it does not answer: replies to what it asked, and word that nobody waits any longer. */
import type { Background } from '../platform/background.ts'
import { Deadline } from '../platform/deadline.ts'
import { LIMITS } from '../protocol/limits.ts'
import type { Era } from '../protocol/version.ts'
import { type Connection, type Dialect, requestHeaders } from './connection.ts'
import { answerText, type Trip } from './conversation.ts'
import type { UpstreamRequest } from './incoming.ts'
import { discard, send } from './send.ts'

/** An answer to a request of the upstream; it goes to its own endpoint, whatever stream it was asked on. */
export const reply = (
  connection: Connection,
  dialect: Dialect,
  { idText }: UpstreamRequest,
  member: 'result' | 'error',
  outcome: string,
): Promise<void> => tell(connection, dialect, answerText(idText, member, outcome))

/** What the gateway answers itself: it is there, and whoever it asks for takes no such request. */
export function replyAlone(connection: Connection, dialect: Dialect, asked: UpstreamRequest): Promise<void> {
  if (asked.method === 'ping') return reply(connection, dialect, asked, 'result', '{}')
  const error = { code: -32601, message: `Method not found: the client takes no ${asked.method}` }
  return reply(connection, dialect, asked, 'error', JSON.stringify(error))
}

/** Sends a message that wants no answer. Whether it arrived is not known to anyone. */
export async function tell(connection: Connection, dialect: Dialect, body: string): Promise<void> {
  const deadline = new Deadline(LIMITS.handshakeTimeoutMs)
  const headers = requestHeaders(connection, dialect)
  const sent = await send({ url: dialect.replyUrl ?? connection.url, headers, body }, deadline)
  deadline.end()
  if (sent.ok) discard(sent.value)
}

type Cancellable = { readonly connection: Connection; readonly era: Era; readonly background: Background }

/**
 * A legacy upstream is told when nobody waits any longer (2025-11-25, "Cancellation", "Timeouts"): in the very event,
 * since nothing that begins later is done for a caller that is gone. A legacy caller going away means nothing.
 */
export function tellWhenOver(call: Cancellable, trip: Trip, deadline: Deadline): void {
  if (trip.dialect.era === 'modern') return
  deadline.onGiveUp(() => {
    if (call.era === 'modern' || deadline.expired)
      call.background(tellCancelled(call, trip, deadline.expired))
  })
}

/** Tells a legacy upstream that its answer is not wanted any more. */
export async function tellCancelled(
  { connection }: Pick<Cancellable, 'connection'>,
  { dialect, upstreamIdText }: Trip,
  isLate = false,
): Promise<void> {
  const reason = isLate ? 'it took too long' : 'the caller went away'
  const params = `{"requestId":${upstreamIdText},"reason":"${reason}"}`
  const body = `{"jsonrpc":"2.0","method":"notifications/cancelled","params":${params}}`
  await tell(connection, dialect, body)
}
