/**
 * One tools/call to one service: session where it needs one, deadline, request, answer as value or stream.
 * A call is sent once. The single exception is a lost session: an upstream that does not know it has not
 * executed anything, so the call is sent again in a new one (F22).
 */
import type { Background } from '../platform/background.ts'
import { Deadline } from '../platform/deadline.ts'
import { ok, type Result } from '../platform/result.ts'
import { LIMITS } from '../protocol/limits.ts'
import { bodyOf, readAnswer } from './answer.ts'
import { type Dialect, requestHeaders } from './connection.ts'
import { type Delivery, isUntouched, refuseUpstreamRequest, respondWith } from './deliver.ts'
import type { Fault } from './fault.ts'
import { type Call, outgoingCall } from './outgoing.ts'
import { relayStream } from './relay.ts'
import { discard, send } from './send.ts'
import type { UpstreamSession, UpstreamSessions } from './session.ts'

export type ToolCall = Call & {
  readonly service: string
  readonly dialect: Dialect
  readonly isStateful: boolean
  /** Whose session this is: service and caller. */
  readonly sessionKey: string
  readonly timeoutMs: number
  readonly idText: string
  readonly acceptsJson: boolean
  readonly acceptsStream: boolean
  /** Aborts when the caller goes away. */
  readonly signal: AbortSignal
  readonly background: Background
}

type Sent = { readonly response: Response; readonly dialect: Dialect; readonly upstreamIdText: string }

export async function callTool(call: ToolCall, sessions: UpstreamSessions): Promise<Result<Response, Fault>> {
  const deadline = new Deadline(call.timeoutMs, call.signal)
  const sent = await sendCall(call, sessions, deadline)
  if (!sent.ok) {
    deadline.end()
    return sent
  }
  return await deliver(call, sent.value, deadline)
}

async function sendCall(
  call: ToolCall,
  sessions: UpstreamSessions,
  deadline: Deadline,
): Promise<Result<Sent, Fault>> {
  if (!call.isStateful) return await sendOnce(call, call.dialect, call.idText, deadline)
  for (let attempt = 1; ; attempt++) {
    const session = await sessions.get(call.sessionKey, call.connection, deadline)
    if (!session.ok) return session
    const { dialect } = session.value
    const sent = await sendOnce(call, dialect, session.value.nextId(), deadline)
    if (!sent.ok || attempt === 2 || !isSessionLost(sent.value.response)) return sent
    forget(sessions, call, session.value, sent.value.response)
  }
}

async function sendOnce(
  call: ToolCall,
  dialect: Dialect,
  upstreamIdText: string,
  deadline: Deadline,
): Promise<Result<Sent, Fault>> {
  const response = await send(outgoingCall(call, dialect, upstreamIdText), deadline)
  return response.ok ? ok({ response: response.value, dialect, upstreamIdText }) : response
}

function forget(
  sessions: UpstreamSessions,
  call: ToolCall,
  session: UpstreamSession,
  response: Response,
): void {
  discard(response)
  sessions.forget(call.sessionKey, session)
}

/**
 * 404 says it by the specification. Servers that were restarted often say 400 instead; in both cases the
 * request was turned away at the door.
 */
const isSessionLost = ({ status }: Response): boolean => status === 404 || status === 400

async function deliver(call: ToolCall, sent: Sent, deadline: Deadline): Promise<Result<Response, Fault>> {
  const { response, dialect, upstreamIdText } = sent
  const { idText, era, acceptsJson, acceptsStream } = call
  const delivery: Delivery = {
    idText,
    upstreamIdText,
    era,
    upstreamEra: dialect.era,
    acceptsJson,
    acceptsStream,
  }
  const body = bodyOf(response)
  if (!body.ok) return finish(deadline, body)
  if (body.value === 'stream' && acceptsStream && response.body) {
    deadline.restart(Math.max(call.timeoutMs, LIMITS.streamTotalMs))
    const refuseRequest = (id: string, method: string): void => tellNo(call, dialect, id, method)
    return ok(relayStream(response.body, delivery, { service: call.service, deadline, refuseRequest }))
  }
  if (body.value === 'json' && passesUnread(response, delivery)) return ok(passThrough(response))
  const answer = await readAnswer(response, upstreamIdText, deadline)
  return finish(deadline, answer.ok ? ok(respondWith(answer.value, delivery)) : answer)
}

/** Large answers of declared length are not held in memory: their transfer breaks visibly if they are cut short. */
function passesUnread(response: Response, delivery: Delivery): boolean {
  const declared = Number(response.headers.get('content-length') ?? Number.NaN)
  const isLarge = declared > LIMITS.checkedAnswerBytes && declared <= LIMITS.answerBytes
  return (
    isLarge &&
    response.ok &&
    isUntouched(delivery) &&
    delivery.acceptsJson &&
    !response.headers.has('content-encoding')
  )
}

/** The deadline stays armed over the transfer; it goes with the request when that ends first. */
const passThrough = (response: Response): Response =>
  new Response(response.body, { headers: { 'content-type': 'application/json' } })

function tellNo(call: ToolCall, dialect: Dialect, idText: string, method: string): void {
  const deadline = new Deadline(LIMITS.handshakeTimeoutMs)
  const headers = requestHeaders(call.connection, dialect)
  const body = refuseUpstreamRequest(idText, method)
  const tell = async (): Promise<void> => {
    const sent = await send({ url: call.connection.url, headers, body }, deadline)
    deadline.end()
    if (sent.ok) discard(sent.value)
  }
  // The answer may follow at once and end the request; the no must still arrive.
  call.background(tell())
}

function finish(deadline: Deadline, result: Result<Response, Fault>): Result<Response, Fault> {
  deadline.end()
  return result
}
