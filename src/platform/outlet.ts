/**
 * One end of a stream that is written to whenever there is something to say. A reader that falls too far behind is
 * let go, so that nobody's slowness is held in memory.
 */
const encoder = new TextEncoder()

export type Outlet = {
  readonly stream: ReadableStream<Uint8Array>
  /** Aborts when the stream is over, whoever ended it. */
  readonly closed: AbortSignal
  write(text: string): void
  close(): void
}

export type OutletBounds = {
  /** What waits for its reader at most. */
  readonly maxHeldBytes: number
  /** Said again and again while nothing else is. */
  readonly idle: { readonly everyMs: number; readonly text: string }
  /** The stream closes after so long. */
  readonly totalMs: number
}

export function openOutlet({ maxHeldBytes, idle, totalMs }: OutletBounds): Outlet {
  const over = new AbortController()
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  let idling: ReturnType<typeof setInterval> | undefined
  let closing: ReturnType<typeof setTimeout> | undefined
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
    const isBehind = (controller.desiredSize ?? 0) < -maxHeldBytes
    if (isBehind) return close()
    controller.enqueue(encoder.encode(text))
  }
  const stream = new ReadableStream<Uint8Array>(
    {
      start(started) {
        controller = started
        idling = setInterval(() => write(idle.text), idle.everyMs)
        closing = setTimeout(close, totalMs)
      },
      cancel: end,
    },
    { highWaterMark: 0, size: (chunk) => chunk?.byteLength ?? 0 },
  )
  return { stream, closed: over.signal, write, close }
}
