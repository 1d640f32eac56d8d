/**
 * Server-sent events: framing only (WHATWG HTML, "Server-sent events"). Text in, events out; an event's data
 * is re-framed when it leaves, so nothing inside it can pose as an event of ours (S43).
 */
export type ServerEvent = {
  /** Empty where the event only marks a place from which to resume. */
  readonly data: string
  readonly id?: string
  /** Milliseconds to wait before a reconnection, as sent. */
  readonly retry?: string
  readonly event?: string
}

/** Reads events out of pieces of text cut anywhere. Comments, unknown fields and events that say nothing are
 * dropped. */
export class EventReader {
  #rest = ''
  #data: string[] = []
  #size = 0
  #id: string | undefined
  #retry: string | undefined
  #event: string | undefined
  #skipLineFeed = false

  /** Characters held back: of a line without end and of an event without end. */
  get held(): number {
    return this.#rest.length + this.#size
  }

  /** The events that this piece completes, in order. Linear in the pieces: what is held back is not looked at again. */
  read(piece: string): ServerEvent[] {
    if (piece === '') return []
    const events: ServerEvent[] = []
    let start = this.#skipLineFeed && piece.startsWith('\n') ? 1 : 0
    this.#skipLineFeed = false
    for (const end of linesOf(piece)) {
      if (end < start) continue
      const event = this.#readLine(this.#rest + piece.slice(start, end))
      this.#rest = ''
      if (event) events.push(event)
      const isPair = piece.charCodeAt(end) === 13 && piece.charCodeAt(end + 1) === 10
      start = end + (isPair ? 2 : 1)
      // A carriage return at the very end may be the first half of a pair.
      this.#skipLineFeed = start === piece.length && piece.charCodeAt(end) === 13
    }
    this.#rest += piece.slice(start)
    return events
  }

  #readLine(line: string): ServerEvent | undefined {
    if (line === '') return this.#complete()
    const colon = line.indexOf(':')
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line.charCodeAt(colon + 1) === 32 ? colon + 2 : colon + 1)
    if (field === 'data') {
      this.#data.push(value)
      this.#size += value.length + 1
    } else if (field === 'id') this.#id = value
    else if (field === 'retry') this.#retry = value
    else if (field === 'event') this.#event = value
    return undefined
  }

  #complete(): ServerEvent | undefined {
    const event: ServerEvent = {
      data: this.#data.join('\n'),
      ...(this.#id === undefined ? {} : { id: this.#id }),
      ...(this.#retry === undefined ? {} : { retry: this.#retry }),
      ...(this.#event === undefined ? {} : { event: this.#event }),
    }
    this.#data = []
    this.#size = 0
    this.#id = undefined
    this.#retry = undefined
    this.#event = undefined
    return event.data === '' && event.id === undefined && event.retry === undefined ? undefined : event
  }
}

/** One event that carries a JSON text. Line breaks in the text become further `data:` lines. */
export const writeEvent = (data: string, id?: string): string =>
  `event: message\n${id === undefined ? '' : `id: ${id}\n`}data: ${foldLines(data)}\n\n`

/** A place in the stream from which its reader can resume, and how long to wait before doing so. */
export const writeMark = (id: string, retryMs: number | undefined): string =>
  `id: ${id}\n${retryMs === undefined ? '' : `retry: ${retryMs}\n`}data: \n\n`

/** Says nothing, and keeps whatever stands between the two ends from closing the connection. */
export const KEEP_ALIVE = ': keep-alive\n\n'

const foldLines = (data: string): string =>
  /[\r\n]/.test(data) ? data.split(/\r\n|\r|\n/).join('\ndata: ') : data

export const STREAM_HEADERS = new Headers({
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
})

/** Where lines end: the places of every line feed and carriage return, in order. */
function* linesOf(text: string): Generator<number> {
  const breaks = /[\r\n]/g
  for (let found = breaks.exec(text); found; found = breaks.exec(text)) yield found.index
}
