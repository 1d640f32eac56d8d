/**
 * Texts as a stream for a reader who may be slow, or gone. Nothing is asked for before the reader wants it, and a long
 * text is encoded as it is taken, so that a stream holds one text and one piece of it. One timer a stream, not one a
 * text: it looks at how long nothing has moved.
 */
import type { Clock } from './clock.ts'

const encoder = new TextEncoder()
const PIECE_CHARS = 65_536

export type Outflow = {
  /** The next text, empty ones included. */
  readonly next: () => Promise<{ readonly text: string; readonly isLast: boolean }>
  /** The last text was handed over. */
  readonly onEnd: () => void
  /** The reader went away first, or took nothing for too long. */
  readonly onAbandon: () => void
}

export type OutflowBounds = {
  /** A reader who takes nothing for so long is let go. */
  readonly idleMs: number
  /** Said whenever there was nothing to say for so long, and its reader waits. */
  readonly quiet: { readonly afterMs: number; readonly text: string }
  readonly clock: Clock
}

export function openOutflow(
  { next, onEnd, onAbandon }: Outflow,
  { idleMs, quiet, clock }: OutflowBounds,
): ReadableStream<Uint8Array> {
  let [text, at, isLast, isOver] = ['', 0, false, false]
  let movedAt = clock()
  let timer: ReturnType<typeof setTimeout> | undefined
  const end = (ended: () => void): void => {
    clearTimeout(timer)
    if (!isOver) ended()
    isOver = true
  }
  const look = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    if (isOver) return
    const isRead = (controller.desiredSize ?? 0) > 0
    const stillForMs = clock() - movedAt
    if (isRead && stillForMs >= quiet.afterMs) {
      controller.enqueue(encoder.encode(quiet.text))
      movedAt = clock()
    } else if (!isRead && stillForMs >= idleMs) {
      end(onAbandon)
      controller.error(new Error('The reader takes nothing.'))
      return
    }
    const dueMs = (isRead ? quiet.afterMs : idleMs) - (clock() - movedAt)
    timer = setTimeout(look, Math.min(dueMs, quiet.afterMs), controller)
  }
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      movedAt = clock()
      timer ??= setTimeout(look, Math.min(idleMs, quiet.afterMs), controller)
      while (at === text.length && !isLast) {
        at = 0
        const { text: given, isLast: isLastGiven } = await next()
        text = given
        isLast = isLastGiven
      }
      if (isOver) return
      const start = at
      at = endOfPiece(text, start)
      // What is said while nobody reads does not count as movement.
      if ((controller.desiredSize ?? 0) > 0) movedAt = clock()
      controller.enqueue(encoder.encode(text.slice(start, at)))
      if (!isLast || at < text.length) return
      end(onEnd)
      controller.close()
    },
    cancel: () => end(onAbandon),
  })
}

/** Never between the two halves of a character. */
function endOfPiece(text: string, start: number): number {
  const end = Math.min(start + PIECE_CHARS, text.length)
  const isHalf = end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800
  return isHalf ? end - 1 : end
}
