/**
 * One end of a stream that is written to whenever there is something to say. A reader that falls too far behind, or
 * reads no more, is let go, so that nobody's slowness is held in memory (F40).
 */
import type { Clock } from './clock.ts'

const encoder = new TextEncoder()

export type Outlet = {
  readonly stream: ReadableStream<Uint8Array>
  /** Aborts when the stream is over, whoever ended it. */
  readonly closed: AbortSignal
  write(text: string): void
  close(): void
}

export type OutletBounds = {
  /** What waits for its reader at most, and one text more. */
  readonly maxHeldBytes: number
  /** A reader who takes nothing of what waits for so long is let go, give or take `idle.everyMs`. */
  readonly unreadMs: number
  /** Said again and again while nothing else is. */
  readonly idle: { readonly everyMs: number; readonly text: string }
  /** The stream closes after so long. */
  readonly totalMs: number
  readonly clock: Clock
}

export function openOutlet({ maxHeldBytes, unreadMs, idle, totalMs, clock }: OutletBounds): Outlet {
  const over = new AbortController()
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  let idling: ReturnType<typeof setInterval> | undefined
  let closing: ReturnType<typeof setTimeout> | undefined
  let writtenBytes = 0
  let taken = { bytes: 0, at: clock() }
  const end = (): void => {
    clearInterval(idling)
    clearTimeout(closing)
    controller = undefined
    over.abort()
  }
  const close = (): void => {
    try {
      controller?.close()
    } catch {
      // The reader was faster.
    }
    end()
  }
  const write = (text: string): void => {
    if (!controller) return
    if (heldBytes(controller) > maxHeldBytes) return close()
    const bytes = encoder.encode(text)
    writtenBytes += bytes.length
    controller.enqueue(bytes)
  }
  const look = (): void => {
    if (!controller) return
    const held = heldBytes(controller)
    const bytes = writtenBytes - held
    if (held === 0 || bytes > taken.bytes) taken = { bytes, at: clock() }
    else if (clock() - taken.at >= unreadMs) {
      controller.error(new Error('The reader takes nothing.'))
      return end()
    }
    write(idle.text)
  }
  const stream = new ReadableStream<Uint8Array>(
    {
      start(started) {
        controller = started
        idling = setInterval(look, idle.everyMs)
        closing = setTimeout(close, totalMs)
      },
      cancel: end,
    },
    { highWaterMark: 0, size: (chunk) => chunk?.byteLength ?? 0 },
  )
  return { stream, closed: over.signal, write, close }
}

/** Without a mark to fill up to, what is wanted is never more than what is missing. */
const heldBytes = ({ desiredSize }: ReadableStreamDefaultController<Uint8Array>): number =>
  -(desiredSize ?? 0)
