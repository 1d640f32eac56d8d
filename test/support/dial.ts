/** What goes wrong at the fake upstream, for which requests and for how many of them. */
import type { ListFault } from './offer.ts'
import type { Seen } from './message.ts'

/** `bytes` count the text inside the answer, decoded. */
export type Fault =
  /** Takes the request, never answers. */
  | { readonly is: 'silent' }
  /** Headers and the first half, then nothing. */
  | { readonly is: 'stall' }
  /** Headers at once, then one byte every `everyMs` (1,000). */
  | { readonly is: 'drip'; readonly everyMs?: number }
  /** This answer instead of its own; a function of the request's id as raw JSON text where that is needed. */
  | {
      readonly is: 'respond'
      readonly status?: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string | ((idText: string) => string | Uint8Array)
      /** In pieces of this size and without a length; whole by default. */
      readonly pieceBytes?: number
    }
  /** These bytes in place of any HTTP, then the end of the connection. */
  | { readonly is: 'raw'; readonly bytes: Uint8Array }
  /** The right answer after `ms`. */
  | { readonly is: 'delay'; readonly ms: number }
  /** Half of the JSON in a body that ends properly. */
  | { readonly is: 'truncated' }
  | { readonly is: 'wrong_id'; readonly id?: unknown }
  /** A stream with two answers to one request; the text of the second is `second`. */
  | { readonly is: 'twice' }
  /** A request to the caller on the stream, whatever the era allows; the right answer follows at once. */
  | {
      readonly is: 'asks'
      readonly method: string
      /** Raw members of the message after its method: `"params":{}` by default. */
      readonly rest?: string
      /** Raw; `"asked-by-fault"` by default. */
      readonly idText?: string
    }
  /** A stream that ends without an answer. */
  | { readonly is: 'no_answer' }
  /** A stream of comments, one every `everyMs` (100), that never ends. */
  | { readonly is: 'comments'; readonly everyMs?: number }
  /** A stream of progress that never ends, no faster than the caller reads it. */
  | { readonly is: 'flood'; readonly progressToken: string }
  /** A right answer in one event of this size. */
  | { readonly is: 'huge_event'; readonly bytes: number }
  /** A right answer of this size, chunked. */
  | { readonly is: 'huge_json'; readonly bytes: number }
  /** The same, compressed. */
  | { readonly is: 'gzip_bomb'; readonly bytes: number }
  /** The connection is reset after so many bytes of the body; without a number before any header. */
  | { readonly is: 'reset'; readonly afterBytes?: number }
  /** The connection ends, without a reset, after so many bytes of the body. */
  | { readonly is: 'cut'; readonly afterBytes: number }
  /** All sessions are forgotten, then the request is served; mostly wanted with `times: 1`. */
  | { readonly is: 'session_lost' }
  | ListFault

export type Setting = Fault & {
  /** JSON-RPC method, or HTTP method of a request without a message; every request by default. */
  readonly for?: string
  /** For the next so many requests; until cleared by default. */
  readonly times?: number
}

export class Dial {
  /**
   * What the tool `raw` answers with: the text of a result, byte for byte. A modern upstream puts the members
   * that its version demands and that are missing before it.
   */
  raw = '{"content":[]}'
  #settings: { readonly setting: Setting; left: number }[] = []

  /** Settings that match the same request are used up in the order in which they were set. Returns its end. */
  set(setting: Setting): () => void {
    const entry = { setting, left: setting.times ?? Number.POSITIVE_INFINITY }
    this.#settings.push(entry)
    return () => void (this.#settings = this.#settings.filter((other) => other !== entry))
  }

  clear(): void {
    this.#settings = []
  }

  /** The fault of this request, which counts as one of its `times`. */
  take({ message, httpMethod }: Seen): Fault | undefined {
    const method = message?.method ?? httpMethod
    const entry = this.#settings.find(
      ({ setting, left }) => left > 0 && (setting.for === undefined || setting.for === method),
    )
    if (entry) entry.left--
    return entry?.setting
  }
}

const status = (code: number, body: string, headers: Record<string, string> = {}): Fault => ({
  is: 'respond',
  status: code,
  body,
  headers: { 'content-type': 'text/plain', ...headers },
})

/**
 * The setting that each row of the fault table names, where one request shows it. F01 and F31's dead one are
 * `stop()`; F10 is F11 with `times: 1`; the tool `ask` of a legacy upstream is F23 that waits for what it is told.
 */
export const ROWS = {
  F03: { is: 'silent' },
  F04: { is: 'stall' },
  F05: { is: 'drip' },
  F06: { is: 'comments' },
  F07: status(500, 'a stack trace of the upstream'),
  F08: status(503, 'down for repairs', { 'retry-after': '7' }),
  F09: status(429, 'too fast', { 'retry-after': '7' }),
  F11: status(401, 'who are you', { 'www-authenticate': 'Bearer realm="upstream"' }),
  F12: status(302, '', { location: 'http://169.254.169.254/latest/meta-data/' }),
  F13: { is: 'respond', headers: { 'content-type': 'text/html' }, body: '<html>welcome</html>' },
  F14: { is: 'truncated' },
  F15: { is: 'wrong_id' },
  F16: { is: 'twice' },
  F17: { is: 'no_answer' },
  F18: { is: 'huge_event', bytes: 2 * 1024 ** 2 },
  F19: { is: 'huge_json', bytes: 50 * 1024 ** 2 },
  F20: { is: 'gzip_bomb', bytes: 50 * 1024 ** 2 },
  F21: { is: 'reset', afterBytes: 10 },
  F22: { is: 'session_lost' },
  F23: { is: 'asks', method: 'sampling/createMessage' },
  F31: { is: 'delay', ms: 300 },
  F32: { is: 'endless_pages' },
  F32b: { is: 'repeated_cursor' },
  F33: { is: 'many_tools', count: 10_000 },
  F34: { is: 'duplicate_tools' },
} as const satisfies Readonly<Record<string, Fault>>
