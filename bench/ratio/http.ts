/**
 * HTTP/1.1 messages from the bytes of a connection, requests and responses alike: as little of it as both ends of
 * the benchmark need, so that what stands between them is what is measured. Expects well-formed messages.
 */

export type HttpMessage = {
  /** First line and headers. */
  readonly head: string
  readonly body: Buffer
}

const EMPTY = Buffer.alloc(0)
const HEAD_END = '\r\n\r\n'
const LINE_END = '\r\n'

export class HttpReader {
  readonly #take: (message: HttpMessage) => void
  #rest: Buffer = EMPTY
  #expects: 'head' | 'body' | 'size' | 'gap' | 'end' = 'head'
  #head = ''
  #parts: Buffer[] = []
  #left = 0
  #isChunked = false

  constructor(take: (message: HttpMessage) => void) {
    this.#take = take
  }

  push(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    while (this.#step());
  }

  /** Whether there was enough for one more step. */
  #step(): boolean {
    if (this.#expects === 'head') return this.#readHead()
    if (this.#expects === 'body') return this.#readBody()
    if (this.#expects === 'size') return this.#readSize()
    if (this.#rest.length < LINE_END.length) return false
    this.#rest = this.#rest.subarray(LINE_END.length)
    if (this.#expects === 'gap') this.#expects = 'size'
    else this.#finish()
    return true
  }

  #readHead(): boolean {
    const at = this.#rest.indexOf(HEAD_END)
    if (at < 0) return false
    this.#head = this.#rest.toString('latin1', 0, at)
    this.#rest = this.#rest.subarray(at + HEAD_END.length)
    this.#isChunked = /\r\ntransfer-encoding: *chunked/i.test(this.#head)
    if (this.#isChunked) {
      this.#expects = 'size'
      return true
    }
    this.#left = Number(headerOf(this.#head, 'content-length') ?? 0)
    if (this.#left > 0) this.#expects = 'body'
    else this.#finish()
    return true
  }

  #readBody(): boolean {
    if (this.#rest.length === 0) return false
    const part = this.#rest.subarray(0, this.#left)
    this.#parts.push(part)
    this.#rest = this.#rest.subarray(part.length)
    this.#left -= part.length
    if (this.#left > 0) return true
    if (this.#isChunked) this.#expects = 'gap'
    else this.#finish()
    return true
  }

  #readSize(): boolean {
    const at = this.#rest.indexOf(LINE_END)
    if (at < 0) return false
    this.#left = parseInt(this.#rest.toString('latin1', 0, at), 16)
    this.#rest = this.#rest.subarray(at + LINE_END.length)
    this.#expects = this.#left > 0 ? 'body' : 'end'
    return true
  }

  #finish(): void {
    const [first = EMPTY] = this.#parts
    const body = this.#parts.length > 1 ? Buffer.concat(this.#parts) : first
    this.#parts = []
    this.#expects = 'head'
    this.#take({ head: this.#head, body })
  }
}

/** The value of a header; `name` in lower case. */
export function headerOf(head: string, name: string): string | undefined {
  const at = head.toLowerCase().indexOf(`\r\n${name}:`)
  if (at < 0) return undefined
  const start = at + name.length + 3
  const end = head.indexOf(LINE_END, start)
  return head.slice(start, end < 0 ? undefined : end).trim()
}

export const isStream = (head: string): boolean =>
  headerOf(head, 'content-type')?.startsWith('text/event-stream') ?? false
