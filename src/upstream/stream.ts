/**
 * A conversation as an event stream. Nothing is read before the caller asks for it; when there is nothing to say
 * for a while, a comment keeps the connection open; a caller that goes away lets go of everything behind it.
 */
import { within } from '../platform/deadline.ts'
import { LIMITS } from '../protocol/limits.ts'
import { KEEP_ALIVE, STREAM_HEADERS, writeEvent, writeMark } from '../protocol/sse.ts'
import type { Piece } from './conversation.ts'

const encoder = new TextEncoder()

export type StreamEnds = {
  /** The caller's request is answered. */
  readonly onEnd: () => void
  /** The caller went away first. */
  readonly onAbandon: () => void
}

export function streamPieces(
  pieces: AsyncIterator<Piece, void, void>,
  { onEnd, onAbandon }: StreamEnds,
): Response {
  let next: Promise<IteratorResult<Piece, void>> | undefined
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      next ??= pieces.next()
      const piece = await within(LIMITS.keepAliveMs, next)
      if (piece) next = undefined
      controller.enqueue(encoder.encode(piece ? writePiece(piece) : KEEP_ALIVE))
      if (!piece || !(piece.done || piece.value.isLast)) return
      onEnd()
      controller.close()
    },
    cancel: onAbandon,
  })
  return new Response(stream, { headers: STREAM_HEADERS })
}

function writePiece({ done, value }: IteratorResult<Piece, void>): string {
  if (done) return ''
  const { text, eventId, retryMs } = value
  if (text !== '') return writeEvent(text, eventId)
  return eventId === undefined ? '' : writeMark(eventId, retryMs)
}
