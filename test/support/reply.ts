/**
 * How the fake upstream writes an answer: JSON with its length, JSON in chunks without one, or an event stream,
 * in the framings that the stream format allows.
 */
import type { ServerResponse } from 'node:http'
import { notificationText } from './message.ts'

export type Answers = 'json' | 'chunked' | 'sse'

/** Legal ways to write a stream that readers get wrong. */
export type Framing = {
  readonly lineEnd?: '\n' | '\r\n' | '\r'
  /** Each message over three `data:` lines. */
  readonly splitData?: boolean
  /** A comment before each event. */
  readonly comments?: boolean
  /** So many `notifications/message` before each answer. */
  readonly notifications?: number
}

const JSON_TYPE = 'application/json'
export const STREAM_TYPE = 'text/event-stream'

export class Reply {
  readonly response: ServerResponse
  /** Aborts when the caller is gone, the answer is complete or the upstream stops. */
  readonly signal: AbortSignal
  readonly answers: Answers
  /** Sent with whatever the answer becomes. */
  readonly headers: Record<string, string> = {}
  readonly #framing: Framing
  #events = 0

  constructor(response: ServerResponse, signal: AbortSignal, answers: Answers, framing: Framing) {
    this.response = response
    this.signal = signal
    this.answers = answers
    this.#framing = framing
  }

  get isStream(): boolean {
    return this.answers === 'sse' || this.response.headersSent
  }

  /** Opens the stream; a second time does nothing. */
  openStream(): void {
    if (this.response.headersSent) return
    this.response.writeHead(200, {
      'content-type': STREAM_TYPE,
      'cache-control': 'no-cache',
      ...this.headers,
    })
    this.response.flushHeaders()
  }

  /** One message on the stream, which turns any answer into one. */
  event(text: string): void {
    this.openStream()
    this.response.write(this.frame(text))
  }

  comment(): void {
    this.openStream()
    this.response.write(`: still here${this.#framing.lineEnd ?? '\n'}`)
  }

  /** The last word: an error status and an empty body are never a stream. */
  finish(text: string, status = 200): void {
    if (status === 200 && text !== '' && this.isStream) {
      this.preamble()
      this.event(text)
      this.response.end()
      return
    }
    const type = text === '' ? {} : { 'content-type': JSON_TYPE }
    const isChunked = this.answers === 'chunked' && text !== ''
    const length = isChunked ? {} : { 'content-length': String(Buffer.byteLength(text)) }
    this.response.writeHead(status, { ...type, ...length, ...this.headers })
    if (isChunked) this.response.write(text.slice(0, text.length / 2))
    this.response.end(isChunked ? text.slice(text.length / 2) : text)
  }

  /** The notifications that come before an answer. */
  preamble(): void {
    for (let at = 0; at < (this.#framing.notifications ?? 0); at++) {
      this.event(notificationText('notifications/message', { level: 'info', data: `notification ${at}` }))
    }
  }

  /** One event in the chosen framing. */
  frame(text: string): string {
    const { lineEnd = '\n', splitData, comments } = this.#framing
    // White space is free between the tokens of JSON, and lines of data are joined by a line feed.
    const data = splitData ? ['{', text.slice(1, -1), '}'] : [text]
    const lines = [
      ...(comments ? [': a comment', ''] : []),
      'event: message',
      `id: ${++this.#events}`,
      ...data.map((line) => `data: ${line}`),
      '',
      '',
    ]
    return lines.join(lineEnd)
  }
}
