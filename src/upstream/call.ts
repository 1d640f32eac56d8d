/** One request to one service, from its deadline to its answer, which is a value or a stream. */
import type { Hold } from '../platform/budget.ts'
import { Deadline, within } from '../platform/deadline.ts'
import { err, ok, type Result } from '../platform/result.ts'
import { JSON_HEADERS } from '../protocol/result.ts'
import { LIMITS } from '../protocol/limits.ts'
import { type Body, bodyOf, readAnswerIn } from './answer.ts'
import type { Conversation, Piece, Pieces, Sent, Verdict } from './conversation.ts'
import { converse } from './converse.ts'
import { describeAnswer, isUntouched, respondWith } from './deliver.ts'
import type { Fault } from './fault.ts'
import type { UpstreamSessions } from './session.ts'
import { streamPieces, wholeStream } from './stream.ts'
import { sendCall, type UpstreamCall } from './transmit.ts'

/** A call that is on its way, and what the upstream has begun to answer. */
export type Begun = {
  readonly sent: Sent
  readonly deadline: Deadline
  readonly body: Body
}

export async function callUpstream(
  call: UpstreamCall,
  sessions: UpstreamSessions,
): Promise<Result<Response, Fault>> {
  const begun = await beginCall(call, sessions)
  return begun.ok ? await deliver(call, begun.value, sessions) : begun
}

/** Sends the call. Whoever takes it over ends its deadline. */
export async function beginCall(
  call: UpstreamCall,
  sessions: UpstreamSessions,
): Promise<Result<Begun, Fault>> {
  const deadline = new Deadline(call.timeoutMs, call.signal)
  deadline.onGone(() => call.onOver({ fault: { is: 'cancelled' } }))
  const sent = await sendCall(call, sessions, deadline)
  if (!sent.ok) return finish(call, deadline, sent)
  const body = bodyOf(sent.value.response)
  if (!body.ok) return finish(call, deadline, body)
  return ok({ sent: sent.value, deadline, body: body.value })
}

async function deliver(
  call: UpstreamCall,
  begun: Begun,
  sessions: UpstreamSessions,
): Promise<Result<Response, Fault>> {
  const { sent, deadline, body } = begun
  const pieces = (): Pieces => piecesOf(call, begun, sessions)
  if (body === 'stream' && call.acceptsStream) return ok(await deliverStream(pieces(), deadline))
  if (body === 'json' && passesUnread(call, sent)) {
    call.onOver({ unreadBytes: declaredBytes(sent.response) })
    return ok(passThrough(sent.response))
  }
  if (call.inputs.is === 'ask' && call.acceptsStream) return await deliverOrAsk(call, pieces(), deadline)
  if (body === 'stream') return await collect(call, pieces(), deadline)
  const { budget } = call.connection
  const answer = await readAnswerIn(body, sent.response, sent.upstreamIdText, deadline, budget)
  if (!answer.ok) return finish(call, deadline, answer)
  const { text, status } = await describeAnswer(answer.value, call, sent.dialect.era)
  deadline.end()
  call.onOver({ answer: answer.value, wasTurnedAway: !sent.response.ok })
  return ok(respondWith(text, status, call.acceptsJson, kept(answer.value, call)))
}

/** What the upstream says to a call that was sent, piece by piece. */
export async function* piecesOf(
  call: UpstreamCall,
  { sent, deadline }: Pick<Begun, 'sent' | 'deadline'>,
  sessions: UpstreamSessions,
): Pieces {
  // Whoever stops to listen before the last piece has gone away.
  let verdict: Verdict = { fault: { is: 'cancelled' } }
  try {
    for await (const piece of converse(talkOf(call, sent, deadline, sessions), sent)) {
      if (piece.isLast) verdict = piece
      yield piece
    }
  } finally {
    call.onOver(verdict)
  }
}

const talkOf = (
  call: UpstreamCall,
  { leased }: Sent,
  deadline: Deadline,
  sessions: UpstreamSessions,
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

function stream(pieces: Pieces, deadline: Deadline): Response {
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

/** What is held for the upstream's answer goes on being held for the caller's. */
const kept = ({ hold }: Pick<Piece, 'hold'>, { signal }: Pick<UpstreamCall, 'signal'>): Hold | undefined =>
  hold?.moveTo(signal)

const NOTHING: Piece = { text: '', status: 200, isLast: true }

/** A plain answer stays plain; only one that asks for input becomes a stream. */
async function deliverOrAsk(
  call: UpstreamCall,
  pieces: Pieces,
  deadline: Deadline,
): Promise<Result<Response, Fault>> {
  const first = await pieces.next()
  if (first.done || (first.value.isLast && call.acceptsJson)) {
    const { text, status, hold } = first.done ? NOTHING : first.value
    const response = respondWith(text, status, true, kept({ hold }, call))
    await pieces.return()
    deadline.end()
    return ok(response)
  }
  return ok(stream(resume(first, pieces), deadline))
}

/** Many servers open a stream for a single answer: one that comes with its beginning is written out whole, which costs less. */
async function deliverStream(pieces: Pieces, deadline: Deadline): Promise<Response> {
  const next = pieces.next()
  const first = await within(SOON_MS, next)
  if (!first || !(first.done || isWhole(first.value))) return stream(resume(first ?? next, pieces), deadline)
  await pieces.return()
  deadline.end()
  return wholeStream(first)
}

/** Nobody notices that they were told so much later that their answer begins. */
const SOON_MS = 10

/** What counts in the memory for answers is given piece by piece, as it is taken. */
const isWhole = ({ isLast, hold }: Piece): boolean => isLast && hold === undefined

/** All pieces, of which the first was asked for already. */
async function* resume(
  asked: IteratorResult<Piece, void> | Promise<IteratorResult<Piece, void>>,
  rest: Pieces,
): Pieces {
  try {
    const first = await asked
    if (first.done) return
    yield first.value
    yield* rest
  } finally {
    await rest.return()
  }
}

/** For a caller that takes no stream: what was said on the way is dropped. */
async function collect(
  call: Pick<UpstreamCall, 'acceptsJson' | 'signal'>,
  pieces: Pieces,
  deadline: Deadline,
): Promise<Result<Response, Fault>> {
  for await (const { text, status, hold, isLast } of pieces) {
    if (!isLast) continue
    deadline.end()
    return ok(respondWith(text, status, call.acceptsJson, kept({ hold }, call)))
  }
  deadline.end()
  return err({ is: 'not_mcp', detail: 'the stream ended without an answer' })
}

/** Large answers of declared length are not held in memory: their transfer breaks visibly if they are cut short. */
function passesUnread(call: UpstreamCall, { response, upstreamIdText, dialect }: Sent): boolean {
  const declared = declaredBytes(response)
  const isLarge = declared > LIMITS.checkedAnswerBytes && declared <= LIMITS.answerBytes
  return (
    isLarge &&
    response.ok &&
    upstreamIdText !== undefined &&
    isUntouched(call, upstreamIdText, dialect.era, declared) &&
    call.acceptsJson &&
    !response.headers.has('content-encoding')
  )
}

const declaredBytes = ({ headers }: Response): number => Number(headers.get('content-length') ?? Number.NaN)

/** The deadline stays armed over the transfer; it goes with the request when that ends first. */
const passThrough = (response: Response): Response => new Response(response.body, { headers: JSON_HEADERS })

function finish(
  { onOver }: UpstreamCall,
  deadline: Deadline,
  failed: { readonly ok: false; readonly error: Fault },
): Result<never, Fault> {
  deadline.end()
  onOver({ fault: failed.error })
  return failed
}
