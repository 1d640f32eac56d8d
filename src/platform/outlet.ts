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

export function openOutlet(
  maxHeldBytes: number,
  idle: { readonly everyMs: number; readonly text: string },
): Outlet {
  const over = new AbortController()
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  let timer: ReturnType<typeof setInterval> | undefined
  const end = (): void => {
    clearInterval(timer)
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
        timer = setInterval(() => write(idle.text), idle.everyMs)
      },
      cancel: end,
    },
    { highWaterMark: 0, size: (chunk) => chunk?.byteLength ?? 0 },
  )
  return { stream, closed: over.signal, write, close }
}
