/**
 * What an upstream says in one HTTP answer, message by message: notifications and requests on the way, then the
 * answer. Bounded and checked (F06, F13–F21); a fault is the last thing said, never thrown.
 */
import type { ByteBudget, Hold } from '../platform/budget.ts'
import { type Deadline, within } from '../platform/deadline.ts'
import { cut, stringAt } from '../protocol/json.ts'
import { LIMITS } from '../protocol/limits.ts'
import { holdText } from '../protocol/memory.ts'
import { PieceReader } from '../protocol/pieces.ts'
import { type RawMembers, unknownMembers } from '../protocol/message.ts'
import { EventReader, type ServerEvent } from '../protocol/sse.ts'
import { type Answer, bodyOf, faultOfBody, isIdAt, readAnswer, readMembers, readResponse } from './answer.ts'
import type { Fault } from './fault.ts'

/** A place in a stream from which it can be resumed (2025-11-25, "Resumability and Redelivery"). */
export type Place = {
  readonly eventId: string | undefined
  readonly retryMs: number | undefined
  /** It was marked with nothing said, by which a server invites its reader to let go and come back. */
  readonly isInvited: boolean
}

export const NO_PLACE: Place = { eventId: undefined, retryMs: undefined, isInvited: false }

/** The place after both; an invitation holds for the whole stream. */
export const laterPlace = (known: Place, next: Place): Place => ({
  eventId: next.eventId ?? known.eventId,
  retryMs: next.retryMs ?? known.retryMs,
  isInvited: known.isInvited || next.isInvited,
})

export type UpstreamRequest = {
  readonly method: string
  /** Its id as JSON text. */
  readonly idText: string
  /** `params` as raw JSON; absent where it gave none. */
  readonly params?: string
  /** Members that no version knows, raw. */
  readonly rest?: RawMembers
}

export type Incoming = { readonly place?: Place } & (
  | { readonly is: 'answer'; readonly answer: Answer }
  | { readonly is: 'notification'; readonly method: string; readonly text: string }
  | ({ readonly is: 'request' } & UpstreamRequest)
  | { readonly is: 'mark' }
  /** The stream is over and held no answer. */
  | { readonly is: 'end' }
  | { readonly is: 'fault'; readonly fault: Fault }
)

export type ReadOptions = {
  /** The id that the answer must carry; `undefined`: any, since the stream is not of one request. */
  readonly idText: string | undefined
  readonly deadline: Deadline
  readonly budget: ByteBudget
  /** Silence after which a stream is given up, asked before each wait. */
  readonly idleMs?: () => number
  /** Lets go of the stream at once, whatever is awaited of it. */
  readonly letGo?: AbortSignal
}

/** Ends after an answer, a fault or the end of the stream; leaving early lets go of the upstream. */
export async function* readIncoming(
  response: Response,
  options: ReadOptions,
): AsyncGenerator<Incoming, void, void> {
  const body = bodyOf(response)
  if (!body.ok) return yield { is: 'fault', fault: body.error }
  if (body.value === 'stream' && response.body) return yield* readStream(response.body, options)
  const answer = await readAnswer(response, options.idText, options.deadline, options.budget)
  if (!answer.ok) return yield { is: 'fault', fault: answer.error }
  try {
    yield { is: 'answer', answer: answer.value }
  } finally {
    answer.value.hold?.release()
  }
}

async function* readStream(
  body: ReadableStream<Uint8Array>,
  { idText, deadline, budget, idleMs = () => LIMITS.streamIdleMs, letGo }: ReadOptions,
): AsyncGenerator<Incoming, void, void> {
  const source = new PieceReader(body)
  const cancel = (): void => void source.cancel().catch(() => undefined)
  letGo?.addEventListener('abort', cancel, { once: true })
  const events = new EventReader()
  const decoder = new TextDecoder()
  const hold = budget.open(deadline.signal)
  let bytes = 0
  try {
    for (;;) {
      const read = source.read()
      const afterMs = idleMs()
      const piece = await (Number.isFinite(afterMs) ? within(afterMs, read) : read)
      if (!piece) return yield { is: 'fault', fault: { is: 'timeout', afterMs } }
      if (piece.done) return yield { is: 'end' }
      bytes += piece.value.length
      for (const event of events.read(decoder.decode(piece.value, { stream: true }))) {
        const incoming = readEvent(event, idText, bytes)
        if (!incoming) continue
        yield incoming.is === 'answer' && hold.bytes > 0 ? held(incoming, hold) : incoming
        if (incoming.is === 'answer' && idText !== undefined) return
      }
      if (events.held > LIMITS.eventBytes) {
        return yield { is: 'fault', fault: { is: 'too_large', limitBytes: LIMITS.eventBytes } }
      }
      if (!holdText(hold, events.held)) return yield { is: 'fault', fault: { is: 'overloaded' } }
    }
  } catch (error) {
    yield { is: 'fault', fault: faultOfBody(deadline, error) }
  } finally {
    hold.release()
    cancel()
  }
}

const held = (incoming: Extract<Incoming, { is: 'answer' }>, hold: Hold): Incoming => ({
  ...incoming,
  answer: { ...incoming.answer, hold },
})

/** Messages of other requests, and what is no message at all, are passed over (F16–F18, S43, S44). */
function readEvent(event: ServerEvent, idText: string | undefined, bytes: number): Incoming | undefined {
  const isSilent = event.data.trim() === ''
  const place = placeOf(event, isSilent)
  if (isSilent) return place && { is: 'mark', ...place }
  const members = readMembers(event.data)
  if (!members || stringAt(event.data, members.get('jsonrpc')) !== '2.0') return undefined
  const method = stringAt(event.data, members.get('method'))
  if (method === undefined) {
    const answer = readResponse(event.data, members, idText, bytes)
    return answer.ok ? { is: 'answer', answer: answer.value, ...place } : undefined
  }
  const [id, params] = [members.get('id'), members.get('params')]
  if (!id) return { is: 'notification', method, text: event.data, ...place }
  if (!isIdAt(event.data, id)) return undefined
  return {
    is: 'request',
    method,
    idText: cut(event.data, id),
    ...(params && { params: cut(event.data, params) }),
    ...unknownMembers(event.data, members),
    ...place,
  }
}

function placeOf({ id, retry }: ServerEvent, isSilent: boolean): { readonly place: Place } | undefined {
  const eventId = id === '' ? undefined : id
  const retryMs = retry !== undefined && /^\d+$/.test(retry) ? Number(retry) : undefined
  if (eventId === undefined && retryMs === undefined) return undefined
  return { place: { eventId, retryMs, isInvited: isSilent && eventId !== undefined } }
}
