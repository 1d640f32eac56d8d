/**
 * One request to one service: session where it needs one, deadline, request, answer as value or stream.
 * A call is sent once. The single exception is a lost session: an upstream that does not know it has not
 * executed anything, so the call is sent again in a new one (F22).
 */
import type { Background } from '../platform/background.ts'
import { Deadline } from '../platform/deadline.ts'
import { err, ok, type Result } from '../platform/result.ts'
import { LIMITS } from '../protocol/limits.ts'
import { type Beside, listenBeside } from './beside.ts'
import { type Body, bodyOf, readAnswer } from './answer.ts'
import type { Dialect } from './connection.ts'
import { type Conversation, converse, type Piece, replyTo, type Sent, type Trip } from './converse.ts'
import { type Delivery, describeAnswer, isUntouched, respondWith } from './deliver.ts'
import type { Fault } from './fault.ts'
import type { Inputs } from './input.ts'
import { openLink } from './link.ts'
import { outgoingRequest, type UpstreamRequestText } from './outgoing.ts'
import { discard, send } from './send.ts'
import {
  openSession,
  type SessionOwner,
  sessionOf,
  type UpstreamSession,
  type UpstreamSessions,
} from './session.ts'
import { streamPieces } from './stream.ts'

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
  }

/** A call that is on its way, and what the upstream has begun to answer. */
export type Begun = {
  readonly sent: Sent
  readonly deadline: Deadline
  readonly talk: Conversation
  readonly body: Body
}

export async function callUpstream(
  call: UpstreamCall,
  sessions: UpstreamSessions,
): Promise<Result<Response, Fault>> {
  const begun = await beginCall(call, sessions)
  return begun.ok ? await deliver(call, begun.value) : begun
}

/** Sends the call. Whoever takes it over ends its deadline. */
export async function beginCall(
  call: UpstreamCall,
  sessions: UpstreamSessions,
): Promise<Result<Begun, Fault>> {
  const deadline = new Deadline(call.timeoutMs, call.signal)
  const sent = await sendCall(call, sessions, deadline)
  const body = sent.ok ? bodyOf(sent.value.response) : sent
  if (!sent.ok || !body.ok) {
    deadline.end()
    return sent.ok ? (body as Result<never, Fault>) : sent
  }
  const talk = talkOf(call, sessions, deadline, sent.value.leased)
  return ok({ sent: sent.value, deadline, talk, body: body.value })
}

async function sendCall(
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

async function deliver(call: UpstreamCall, begun: Begun): Promise<Result<Response, Fault>> {
  const { sent, deadline, talk, body } = begun
  if (body === 'stream' && call.acceptsStream) return ok(stream(begun))
  if (body === 'json' && passesUnread(call, sent)) return ok(passThrough(sent.response))
  if (call.inputs.is === 'ask' && call.acceptsStream) return await deliverOrAsk(call, begun)
  if (body === 'stream') return await collect(call, converse(talk, sent), deadline)
  const answer = await readAnswer(sent.response, sent.upstreamIdText, deadline)
  if (!answer.ok) return finish(deadline, answer)
  const { text, status } = await describeAnswer(answer.value, call, sent.dialect.era)
  return finish(deadline, ok(respondWith(text, status, call.acceptsJson)))
}

/** `leased`: the session that is the call's alone while it lasts. */
export const talkOf = (
  call: UpstreamCall,
  sessions: UpstreamSessions,
  deadline: Deadline,
  leased?: UpstreamSession,
): Conversation => ({
  ...call,
  deadline,
  onAnswered: () => {
    if (call.owner && leased) sessions.giveBack(call.owner, leased)
  },
  again: async (inputResponses, requestState) => {
    const params = new Map(call.params).set('inputResponses', inputResponses)
    if (requestState !== undefined) params.set('requestState', requestState)
    // A new request, under an id of its own (2026-07-28, "Multi Round-Trip Requests").
    const idText = JSON.stringify(crypto.randomUUID())
    const sent = await sendCall({ ...call, params, idText }, sessions, deadline)
    return sent.ok ? sent.value : sent.error
  },
})

function stream({ talk, sent, deadline }: Begun): Response {
  const pieces = converse(talk, sent)
  const end = (): void => {
    deadline.end()
    void pieces.return()
  }
  const onAbandon = (): void => {
    deadline.cancel()
    end()
  }
  return streamPieces(pieces, { onEnd: end, onAbandon })
}

/**
 * A legacy upstream is told when nobody waits any longer (2025-11-25, "Cancellation", "Timeouts"): in the very event,
 * since nothing that begins later is done for a caller that is gone. A legacy caller going away means nothing.
 */
export function tellWhenOver(
  call: Pick<UpstreamCall, 'connection' | 'era' | 'background'>,
  trip: Trip,
  deadline: Deadline,
): void {
  if (trip.dialect.era === 'modern') return
  const tell = (): void => {
    if (call.era === 'modern' || deadline.expired)
      call.background(tellCancelled(call, trip, deadline.expired))
  }
  deadline.signal.addEventListener('abort', tell, { once: true })
}

/** Tells a legacy upstream that its answer is not wanted any more. */
export async function tellCancelled(
  { connection }: Pick<UpstreamCall, 'connection'>,
  { dialect, upstreamIdText }: Trip,
  isLate = false,
): Promise<void> {
  const reason = isLate ? 'it took too long' : 'the caller went away'
  const params = `{"requestId":${upstreamIdText},"reason":"${reason}"}`
  const body = `{"jsonrpc":"2.0","method":"notifications/cancelled","params":${params}}`
  await replyTo(connection, dialect, body)
}

/** A plain answer stays plain; only one that asks for input becomes a stream. */
async function deliverOrAsk(
  call: UpstreamCall,
  { talk, sent, deadline }: Begun,
): Promise<Result<Response, Fault>> {
  const pieces = converse(talk, sent)
  const first = await pieces.next()
  if (first.done || (first.value.isLast && call.acceptsJson)) {
    const text = first.done ? '' : first.value.text
    return finish(deadline, ok(respondWith(text, first.done ? 200 : first.value.status, true)))
  }
  const all = prepend(first.value, pieces)
  const end = (): void => {
    deadline.end()
    void pieces.return()
  }
  return ok(streamPieces(all, { onEnd: end, onAbandon: end }))
}

async function* prepend(
  first: Piece,
  rest: AsyncGenerator<Piece, void, void>,
): AsyncGenerator<Piece, void, void> {
  yield first
  yield* rest
}

/** For a caller that takes no stream: what was said on the way is dropped. */
async function collect(
  call: Pick<UpstreamCall, 'acceptsJson'>,
  pieces: AsyncGenerator<Piece, void, void>,
  deadline: Deadline,
): Promise<Result<Response, Fault>> {
  for await (const { text, status, isLast } of pieces) {
    if (isLast) return finish(deadline, ok(respondWith(text, status, call.acceptsJson)))
  }
  return finish(deadline, err({ is: 'not_mcp', detail: 'the stream ended without an answer' }))
}

/** Large answers of declared length are not held in memory: their transfer breaks visibly if they are cut short. */
function passesUnread(call: UpstreamCall, { response, upstreamIdText, dialect }: Sent): boolean {
  const declared = Number(response.headers.get('content-length') ?? Number.NaN)
  const isLarge = declared > LIMITS.checkedAnswerBytes && declared <= LIMITS.answerBytes
  return (
    isLarge &&
    response.ok &&
    upstreamIdText !== undefined &&
    isUntouched(call, upstreamIdText, dialect.era) &&
    call.acceptsJson &&
    !response.headers.has('content-encoding')
  )
}

/** The deadline stays armed over the transfer; it goes with the request when that ends first. */
const passThrough = (response: Response): Response =>
  new Response(response.body, { headers: { 'content-type': 'application/json' } })

function finish(deadline: Deadline, result: Result<Response, Fault>): Result<Response, Fault> {
  deadline.end()
  return result
}
