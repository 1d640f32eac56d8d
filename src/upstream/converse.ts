/**
 * One call as a conversation: what the upstream says on the way to its answer is passed on, what it asks is put
 * to the caller, a stream that breaks off is resumed where the upstream offers that. The call itself is never
 * sent twice; a modern upstream that asked for input is sent the next round of the same call.
 */
import type { Background } from '../platform/background.ts'
import { Deadline, wait } from '../platform/deadline.ts'
import { readMember, readText } from '../protocol/edit.ts'
import { writeObject } from '../protocol/json.ts'
import { LIMITS } from '../protocol/limits.ts'
import { describeRefusal, errorText } from '../protocol/refusal.ts'
import type { Era } from '../protocol/version.ts'
import { type Answer, resultOf } from './answer.ts'
import { type Beside, listenBeside, readWithBeside } from './beside.ts'
import type { Border } from './border.ts'
import { type Connection, type Dialect, requestHeaders } from './connection.ts'
import { describeAnswer } from './deliver.ts'
import { type Fault, refusalOf } from './fault.ts'
import { laterPlace, NO_PLACE, type Place, type UpstreamRequest } from './incoming.ts'
import { capabilityFor, type Inputs, type Standstill, takesRequest } from './input.ts'
import { discard, send } from './send.ts'
import { sessionOf, type UpstreamSession } from './session.ts'

/** How an upstream knows a request. */
export type Trip = {
  readonly dialect: Dialect
  /** `undefined`: the stream is that of a call made before, whichever it was. */
  readonly upstreamIdText: string | undefined
}

/** A request that went out, and what came back. */
export type Sent = Trip & {
  readonly response: Response
  /** Where the stream before this one broke off, and how many there were. */
  readonly place?: Place
  readonly resumes?: number
  /** What the upstream asks elsewhere meanwhile. */
  readonly beside?: Beside | undefined
  /** The session that nobody else uses meanwhile. */
  readonly leased?: UpstreamSession | undefined
}

export type Conversation = {
  readonly service: string
  readonly connection: Connection
  readonly method: string
  readonly era: Era
  /** What the caller can do, as raw JSON. */
  readonly capabilities: string
  readonly idText: string | undefined
  readonly border: Border
  readonly inputs: Inputs
  readonly deadline: Deadline
  readonly timeoutMs: number
  readonly background: Background
  /** The upstream has done what it was asked. */
  readonly onAnswered?: () => void
  /** Sends the next round of the call, with what the caller answered. */
  readonly again: (inputResponses: string, requestState: string | undefined) => Promise<Sent | Fault>
}

/** A message for the caller, or a mark in the stream. */
export type Piece = {
  /** JSON-RPC text; empty: a mark only. */
  readonly text: string
  readonly status: number
  readonly eventId?: string | undefined
  readonly retryMs?: number | undefined
  /** Nothing more answers the request of the caller. */
  readonly isLast: boolean
}

export async function* converse(talk: Conversation, first: Sent): AsyncGenerator<Piece, void, void> {
  let sent: Sent | undefined = first
  let { idText } = talk
  talk.deadline.restart(Math.max(talk.timeoutMs, LIMITS.streamTotalMs))
  try {
    while (sent) {
      const next: Next = yield* follow({ ...talk, idText }, sent)
      if (!next) return
      sent = { ...next.sent, beside: first.beside }
      idText = next.idText
    }
  } finally {
    first.beside?.close()
  }
}

type Next = { readonly sent: Sent; readonly idText: string | undefined } | undefined

async function* follow(talk: Conversation, sent: Sent): AsyncGenerator<Piece, Next, void> {
  let { idText } = talk
  let place = sent.place ?? NO_PLACE
  // An upstream that waits for the answer to what it asked has nothing to say.
  let isAsking = false
  const idleMs = (): number => (isAsking ? LIMITS.inputWaitMs : idleMsOf(sent, talk))
  const options = { idText: sent.upstreamIdText, deadline: talk.deadline, idleMs, beside: sent.beside }
  for await (const incoming of readWithBeside(sent.response, options)) {
    if (incoming.place) place = laterPlace(place, incoming.place)
    switch (incoming.is) {
      case 'mark':
        yield* passMark(talk, incoming.place)
        break
      case 'notification': {
        const text = await talk.border.notification(incoming.method, incoming.text)
        if (text !== undefined) yield await pieceOf(talk, text, incoming.place)
        break
      }
      case 'request': {
        const passed: Passed = yield* passRequest(
          { ...talk, idText },
          {
            asked: incoming,
            dialect: sent.dialect,
            upstreamIdText: sent.upstreamIdText,
            place,
          },
        )
        if (passed === 'over') return undefined
        idText = passed.idText
        isAsking ||= passed.isAsked
        break
      }
      case 'answer':
        return yield* passAnswer({ ...talk, idText }, incoming.answer, sent, incoming.place)
      case 'end':
      case 'fault': {
        // A caller that can take up the stream itself is left to do so; it was given the place.
        const eventId = place.eventId && (await talk.border.eventId(place.eventId))
        if (eventId && incoming.is === 'end' && talk.border.comesBack) {
          yield { text: '', status: 200, isLast: true }
          return undefined
        }
        const resumed = await resume(talk, sent, place)
        if (resumed) return { sent: resumed, idText }
        const fault: Fault =
          incoming.is === 'fault'
            ? incoming.fault
            : { is: 'not_mcp', detail: 'the stream ended without an answer' }
        yield faultPiece(talk.service, fault, idText)
        return undefined
      }
    }
  }
  return undefined
}

/** An event that says nothing is no message to older clients, which take it for a broken one. */
async function* passMark({ border }: Conversation, place: Place | undefined): AsyncGenerator<Piece, void> {
  if (!border.comesBack) return
  const eventId = place?.eventId && (await border.eventId(place.eventId))
  if (eventId) yield { text: '', status: 200, eventId, retryMs: place.retryMs, isLast: false }
}

/** The id of the caller's request that is answered from here on, or that the conversation is over. */
type Passed = { readonly idText: string | undefined; readonly isAsked: boolean } | 'over'

async function* passRequest(talk: Conversation, standstill: Standstill): AsyncGenerator<Piece, Passed, void> {
  const { idText, inputs } = talk
  const { asked, dialect } = standstill
  if (asked.method === 'ping') {
    tell(talk, dialect, asked, 'result', '{}')
    return { idText, isAsked: false }
  }
  if (inputs.is === 'park' && takesRequest(talk.capabilities, asked.method)) {
    return yield* parkUntilAnswered(talk, standstill)
  }
  const text = talk.era === 'legacy' ? await talk.border.request(asked) : undefined
  if (text !== undefined) {
    talk.deadline.restart(LIMITS.inputWaitMs)
    yield { text, status: 200, isLast: false }
    return { idText, isAsked: true }
  }
  const error = { code: -32601, message: `Method not found: the client takes no ${asked.method}` }
  tell(talk, dialect, asked, 'error', JSON.stringify(error))
  const capability = talk.era === 'modern' ? capabilityFor(asked.method) : undefined
  if (capability === undefined) return { idText, isAsked: false }
  yield refusalPiece(describeRefusal({ why: 'missing_capability', capability, status: 400 }), idText)
  return 'over'
}

/** Asks until the caller brings an answer; a caller that never comes back ends the call (B109). */
async function* parkUntilAnswered(
  talk: Conversation,
  standstill: Standstill,
): AsyncGenerator<Piece, Passed, void> {
  if (talk.inputs.is !== 'park') return 'over'
  const { asked, dialect } = standstill
  let { idText } = talk
  for (;;) {
    talk.deadline.restart(LIMITS.inputWaitMs)
    const text = inputRequired(idText, standstill, await talk.inputs.park(standstill))
    yield { text, status: 200, isLast: true }
    const back = await talk.inputs.returned()
    if (!back) {
      tell(talk, dialect, asked, 'error', '{"code":-32000,"message":"The client did not answer in time"}')
      return 'over'
    }
    idText = back.idText
    const response = back.inputResponses.get(INPUT_KEY)
    if (response === undefined) continue
    tell(talk, dialect, asked, 'result', response)
    talk.deadline.restart(Math.max(talk.timeoutMs, LIMITS.streamTotalMs))
    return { idText, isAsked: false }
  }
}

/** Legacy upstreams ask one thing at a time on a stream; each is a round of its own. */
export const INPUT_KEY = 'input'

async function* passAnswer(
  talk: Conversation,
  answer: Answer,
  sent: Sent,
  place: Place | undefined,
): AsyncGenerator<Piece, Next, void> {
  const { idText, inputs, era } = talk
  const result = era === 'legacy' && !answer.isError ? resultOf(answer) : undefined
  const isUnfinished = result !== undefined && readText(result, ['resultType']) === 'input_required'
  if (!isUnfinished) {
    talk.onAnswered?.()
    const { text, status } = await describeAnswer(answer, talk, sent.dialect.era)
    const eventId = place?.eventId && (await talk.border.eventId(place.eventId))
    yield { text, status, eventId: eventId || undefined, isLast: true }
    return undefined
  }
  if (inputs.is !== 'ask') {
    yield refusalPiece(
      describeRefusal({ why: 'missing_capability', capability: 'elicitation', status: 200 }),
      idText,
    )
    return undefined
  }
  const question = await inputs.ask(readMember(result, ['inputRequests']) ?? '{}')
  talk.deadline.restart(LIMITS.inputWaitMs)
  for (const text of question.messages) yield { text, status: 200, isLast: false }
  const answers = await question.answers()
  if (answers.is !== 'given') {
    yield answers.is === 'refused'
      ? { text: answerText(idText, 'error', answers.error), status: 200, isLast: true }
      : faultPiece(talk.service, { is: 'timeout', afterMs: LIMITS.inputWaitMs }, idText)
    return undefined
  }
  talk.deadline.restart(talk.timeoutMs)
  const next = await talk.again(answers.inputResponses, readMember(result, ['requestState']))
  if ('response' in next) return { sent: next, idText }
  yield faultPiece(talk.service, next, idText)
  return undefined
}

/** The answer that asks a modern caller for what its upstream wants to know. */
export function inputRequired(
  idText: string | undefined,
  { asked }: Standstill,
  requestState: string,
): string {
  const { method, params = '{}', rest = [] } = asked
  const request = writeObject([['method', JSON.stringify(method)], ['params', params], ...rest])
  const result = writeObject([
    ['resultType', '"input_required"'],
    ['inputRequests', writeObject([[INPUT_KEY, request]])],
    ['requestState', JSON.stringify(requestState)],
  ])
  return answerText(idText, 'result', result)
}

/** Answers a request of the upstream; where its answer goes to is its own endpoint, whatever stream it came on. */
function tell(
  { connection, background }: Conversation,
  dialect: Dialect,
  asked: UpstreamRequest,
  member: 'result' | 'error',
  outcome: string,
): void {
  background(replyTo(connection, dialect, answerText(asked.idText, member, outcome)))
}

/** Sends a message that wants no answer. Whether it arrived is not known to anyone. */
export async function replyTo(connection: Connection, dialect: Dialect, body: string): Promise<void> {
  const deadline = new Deadline(LIMITS.handshakeTimeoutMs)
  const headers = requestHeaders(connection, dialect)
  const sent = await send({ url: dialect.replyUrl ?? connection.url, headers, body }, deadline)
  deadline.end()
  if (sent.ok) discard(sent.value)
}

/**
 * Takes up a call again whose process is gone: its upstream is given the answer that it waits for, and heard from
 * the place that it marked. `undefined`: it marked none, and what came of the call cannot be known.
 */
export async function takeUp(
  talk: Pick<Conversation, 'connection' | 'deadline'>,
  { asked, dialect, upstreamIdText, place }: Standstill,
  response: string,
): Promise<Sent | undefined> {
  const resumed = await resume(talk, { dialect, upstreamIdText }, { ...place, retryMs: 0 })
  if (!resumed) return undefined
  const beside = await listenBeside(talk.connection, dialect)
  await replyTo(talk.connection, dialect, answerText(asked.idText, 'result', response))
  return { ...resumed, beside, leased: sessionOf(dialect) }
}

/** The stream of a call made before, from the event that its reader saw last. */
export const resumeAt = (
  talk: Pick<Conversation, 'connection' | 'deadline'>,
  sent: Trip,
  eventId: string,
): Promise<Sent | undefined> => resume(talk, sent, { ...NO_PLACE, eventId, retryMs: 0 })

/** The stream from where it broke off, where the upstream marked that place (2025-11-25, "Resumability"). */
async function resume(
  { connection, deadline }: Pick<Conversation, 'connection' | 'deadline'>,
  { dialect, upstreamIdText, resumes = 0 }: Trip & Pick<Sent, 'resumes'>,
  place: Place,
): Promise<Sent | undefined> {
  const { eventId } = place
  if (eventId === undefined || dialect.era === 'modern') return undefined
  let { retryMs = LIMITS.retryMs } = place
  while (!deadline.signal.aborted) {
    await wait(Math.min(Math.max(retryMs, resumes === 0 ? 0 : LIMITS.minRetryMs), LIMITS.maxRetryMs))
    const headers = requestHeaders(connection, dialect)
    headers.set('accept', 'text/event-stream')
    headers.set('last-event-id', eventId)
    const sent = await send({ method: 'GET', url: connection.url, headers }, deadline)
    if (!sent.ok) return undefined
    if (sent.value.ok) return { response: sent.value, dialect, upstreamIdText, place, resumes: resumes + 1 }
    discard(sent.value)
    // The upstream has not noticed yet that the stream before this one is gone.
    if (sent.value.status !== CONFLICT) return undefined
    retryMs = Math.max(retryMs, LIMITS.retryMs)
  }
  return undefined
}

const CONFLICT = 409

/**
 * The silence that a service is allowed. Some servers tell on a resumed stream only what they said before it: one
 * that is silent is asked again, less and less often.
 */
const idleMsOf = ({ resumes = 0 }: Sent, { timeoutMs }: Pick<Conversation, 'timeoutMs'>): number =>
  resumes === 0 ? timeoutMs : Math.min(LIMITS.retryMs * 2 ** (resumes - 1), timeoutMs)

async function pieceOf({ border }: Conversation, text: string, place: Place | undefined): Promise<Piece> {
  const eventId = place?.eventId && (await border.eventId(place.eventId))
  return { text, status: 200, eventId: eventId || undefined, isLast: false }
}

const refusalPiece = (wire: ReturnType<typeof describeRefusal>, idText: string | undefined): Piece => ({
  text: errorText(wire, idText),
  status: wire.status,
  isLast: true,
})

const faultPiece = (service: string, fault: Fault, idText: string | undefined): Piece =>
  refusalPiece(describeRefusal(refusalOf(fault, service)), idText)

const answerText = (idText: string | undefined, member: 'result' | 'error', raw: string): string =>
  `{"jsonrpc":"2.0",${idText === undefined ? '' : `"id":${idText},`}"${member}":${raw}}`
