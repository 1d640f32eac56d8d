/**
 * A conversation as an event stream. Nothing is read before the caller asks for it; when there is nothing to say
 * for a while, a comment keeps the connection open; a caller that goes away, or reads no more, lets go of everything
 * behind it (F39, F40).
 */
import { systemClock } from '../platform/clock.ts'
import { openOutflow, type Outflow, type OutflowBounds } from '../platform/outflow.ts'
import { LIMITS } from '../protocol/limits.ts'
import { KEEP_ALIVE, STREAM_HEADERS, writeEvent, writeMark } from '../protocol/sse.ts'
import type { Piece } from './conversation.ts'

/** When the caller's request is answered, and when the caller went away first. */
export type StreamEnds = Pick<Outflow, 'onEnd' | 'onAbandon'>

/** How long the gateway waits for callers, and lets them wait without a word. */
export const OUTFLOW: OutflowBounds = {
  idleMs: LIMITS.writeIdleMs,
  quiet: { afterMs: LIMITS.keepAliveMs, text: KEEP_ALIVE },
  clock: systemClock,
}

export function streamPieces(
  pieces: AsyncIterator<Piece, void, void>,
  { onEnd, onAbandon }: StreamEnds,
): Response {
  const next: Outflow['next'] = async () => {
    const piece = await pieces.next()
    return { text: writePiece(piece), isLast: piece.done === true || piece.value.isLast }
  }
  const stream = openOutflow({ next, onEnd, onAbandon }, OUTFLOW)
  return new Response(stream, { headers: STREAM_HEADERS })
}

/** The same where the first piece is all that there is. */
export const wholeStream = (first: IteratorResult<Piece, void>): Response =>
  new Response(writePiece(first), { headers: STREAM_HEADERS })

function writePiece({ done, value }: IteratorResult<Piece, void>): string {
  if (done) return ''
  const { text, eventId, retryMs } = value
  if (text !== '') return writeEvent(text, eventId)
  return eventId === undefined ? '' : writeMark(eventId, retryMs)
}
