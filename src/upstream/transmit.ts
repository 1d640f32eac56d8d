/**
 * One call on its way to its upstream: in the session that it needs, with an id that is unique there. A call is sent
 * once. The single exception is a lost session: an upstream that does not know it has not executed anything, so the
 * call is sent again in a new one (F22).
 */
import type { Background } from '../platform/background.ts'
import type { Deadline } from '../platform/deadline.ts'
import { ok, type Result } from '../platform/result.ts'
import { type Beside, listenBeside } from './beside.ts'
import type { Dialect } from './connection.ts'
import type { Sent, Trip, Verdict } from './conversation.ts'
import type { Delivery } from './deliver.ts'
import type { Fault } from './fault.ts'
import type { Inputs } from './input.ts'
import { openLink } from './link.ts'
import { outgoingRequest, type UpstreamRequestText } from './outgoing.ts'
import { tellWhenOver } from './reply.ts'
import { discard, send } from './send.ts'
import { openSession, type SessionOwner, sessionOf, type UpstreamSessions } from './session.ts'

export type UpstreamCall = UpstreamRequestText &
  Delivery & {
    readonly service: string
    readonly idText: string
    readonly dialect: Dialect
    /** Whose session it is, where the upstream demands one. */
    readonly owner: SessionOwner | undefined
    /** The caller's own ids are unique within that session, so they may pass as they are. */
    readonly keepsId: boolean
    readonly timeoutMs: number
    readonly inputs: Inputs
    readonly acceptsJson: boolean
    readonly acceptsStream: boolean
    /** Aborts when the caller goes away. */
    readonly signal: AbortSignal
    readonly background: Background
    /** Learns how the upstream will know this call, so that it can be cancelled from the start. */
    readonly onSend?: ((trip: Trip, deadline: Deadline) => void) | undefined
    /** Learns what became of the call; a caller that went away is a fault as well, after which nothing else counts. */
    readonly onOver: (verdict: Verdict) => void
  }

export async function sendCall(
  call: UpstreamCall,
  sessions: UpstreamSessions,
  deadline: Deadline,
): Promise<Result<Sent, Fault>> {
  if (call.connection.transport === 'sse') return await sendLinked(call, deadline)
  if (!call.owner) return await sendOnce(call, call.dialect, call.idText, deadline)
  for (let attempt = 1; ; attempt++) {
    const isAsking = call.inputs.is === 'park'
    const session = isAsking
      ? await sessions.lease(call.owner, call.connection, deadline)
      : await sessions.get(call.owner, call.connection, deadline)
    if (!session.ok) return session
    const { dialect } = session.value
    const idText = call.keepsId ? call.idText : session.value.nextId()
    const beside = isAsking ? await hearBeside(call, dialect, sessions) : undefined
    const sent = await sendOnce(call, dialect, idText, deadline)
    if (sent.ok && (attempt === 2 || !isSessionLost(sent.value.response)))
      return ok({ ...sent.value, beside, leased: isAsking ? session.value : undefined })
    beside?.close()
    if (!sent.ok) return sent
    discard(sent.value.response)
    await sessions.lose(call.owner, session.value)
  }
}

async function hearBeside(
  { connection }: UpstreamCall,
  dialect: Dialect,
  sessions: UpstreamSessions,
): Promise<Beside> {
  const beside = await listenBeside(connection, dialect, sessions.hearMs(connection.url))
  if (!beside.isHeard) sessions.noteSilent(connection.url)
  return beside
}

/** A stream belongs to the request that opened it, so each call by the older transport has a link of its own. */
async function sendLinked(call: UpstreamCall, deadline: Deadline): Promise<Result<Sent, Fault>> {
  const link = await openLink(call.connection, deadline)
  if (!link.ok) return link
  const linked = { ...call, connection: { ...call.connection, link: link.value } }
  const opened = await openSession(call.owner ?? call, linked.connection, deadline)
  if (!opened.ok) {
    link.value.close()
    return opened
  }
  const sent = await sendOnce(linked, opened.value, sessionOf(opened.value).nextId(), deadline)
  if (!sent.ok) link.value.close()
  return sent.ok ? ok({ ...sent.value, response: link.value.rest(deadline) }) : sent
}

async function sendOnce(
  call: UpstreamCall,
  dialect: Dialect,
  upstreamIdText: string,
  deadline: Deadline,
): Promise<Result<Sent, Fault>> {
  const trip = { dialect, upstreamIdText }
  call.onSend?.(trip, deadline)
  tellWhenOver(call, trip, deadline)
  const response = await send(outgoingRequest(call, dialect, upstreamIdText), deadline)
  return response.ok ? ok({ response: response.value, dialect, upstreamIdText }) : response
}

/**
 * 404 says it by the specification. Servers that were restarted often say 400 instead; in both cases the
 * request was turned away at the door.
 */
const isSessionLost = ({ status }: Response): boolean => status === 404 || status === 400
