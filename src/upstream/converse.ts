/**
 * One call as a conversation: what the upstream says on the way to its answer is passed on, what it asks is put
 * to the caller, a stream that breaks off is resumed where the upstream offers that. The call itself is never
 * sent twice; a modern upstream that asked for input is sent the next round of the same call.
 */
import { readText } from '../protocol/edit.ts'
import { LIMITS } from '../protocol/limits.ts'
import { type Answer, resultOf } from './answer.ts'
import { type Passed, passInputRequired, passRequest } from './ask.ts'
import { readWithBeside } from './beside.ts'
import { type Conversation, faultPiece, type Piece, type Pieces, type Sent } from './conversation.ts'
import { describeAnswer } from './deliver.ts'
import type { Fault } from './fault.ts'
import { laterPlace, NO_PLACE, type Place } from './incoming.ts'
import { idleMsOf, resume } from './resume.ts'

export async function* converse(talk: Conversation, first: Sent): Pieces {
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
  const { deadline, connection } = talk
  const { upstreamIdText: asked, beside } = sent
  const options = { idText: asked, deadline, idleMs, beside, budget: connection.budget }
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
        const { dialect, upstreamIdText } = sent
        const standstill = { asked: incoming, dialect, upstreamIdText, place }
        const passed: Passed = yield* passRequest({ ...talk, idText }, standstill)
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

async function* passAnswer(
  talk: Conversation,
  answer: Answer,
  sent: Sent,
  place: Place | undefined,
): AsyncGenerator<Piece, Next, void> {
  const result = talk.era === 'legacy' && !answer.isError ? resultOf(answer) : undefined
  const isUnfinished = result !== undefined && readText(result, ['resultType']) === 'input_required'
  if (!isUnfinished) {
    talk.onAnswered?.()
    const { text, status } = await describeAnswer(answer, talk, sent.dialect.era)
    const eventId = place?.eventId && (await talk.border.eventId(place.eventId))
    const sealedId = eventId || undefined
    yield { text, status, eventId: sealedId, hold: answer.hold, isLast: true, answer }
    return undefined
  }
  const next: Sent | undefined = yield* passInputRequired(talk, result)
  return next && { sent: next, idText: talk.idText }
}

async function pieceOf({ border }: Conversation, text: string, place: Place | undefined): Promise<Piece> {
  const eventId = place?.eventId && (await border.eventId(place.eventId))
  return { text, status: 200, eventId: eventId || undefined, isLast: false }
}
