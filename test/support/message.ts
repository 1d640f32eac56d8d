/** JSON-RPC as the fake upstream reads and writes it: routed by its parsed form, answered as raw text. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

export type Id = string | number
export type JsonObject = Readonly<Record<string, unknown>>

export type Message = {
  readonly id: Id | undefined
  readonly method: string | undefined
  readonly params: JsonObject
  readonly meta: JsonObject
  /** Of an answer to a request of ours: its `result` or `error`. */
  readonly outcome: unknown
}

/** One request as it arrived. */
export type Seen = {
  readonly httpMethod: string
  /** With its query string. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** The body, byte for byte. */
  readonly body: string
  /** Absent where the body is no single JSON object. */
  readonly message: Message | undefined
  /** Epoch milliseconds. */
  readonly at: number
}

/** What a request comes to: the raw text of a `result`, or an error with the status that carries it. */
export type Outcome =
  | { readonly result: string }
  | { readonly error: { code: number; message: string; data?: unknown }; readonly status: number }

export const failure = (status: number, code: number, message: string, data?: unknown): Outcome => ({
  error: data === undefined ? { code, message } : { code, message, data },
  status,
})

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const objectOr = (value: unknown): JsonObject => (isObject(value) ? value : {})

/** The whole request, as soon as its last byte is here. */
export async function readRequest(request: IncomingMessage): Promise<Seen> {
  const at = Date.now()
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  const body = Buffer.concat(chunks).toString()
  const { method: httpMethod = '', url: path = '', headers } = request
  return { httpMethod, path, headers, body, message: readMessage(body), at }
}

/** `undefined` for what is no single JSON object. */
function readMessage(body: string): Message | undefined {
  const value = parse(body)
  if (!isObject(value)) return undefined
  const { id, method } = value
  const params = objectOr(value['params'])
  return {
    id: typeof id === 'string' || typeof id === 'number' ? id : undefined,
    method: typeof method === 'string' ? method : undefined,
    params,
    meta: objectOr(params['_meta']),
    outcome: value['result'] ?? value['error'],
  }
}

/** The text of an answer; `id` as raw JSON text, `null` where the request had none. */
export function answerText(idText: string, outcome: Outcome): string {
  const member =
    'result' in outcome ? `"result":${outcome.result}` : `"error":${JSON.stringify(outcome.error)}`
  return `{"jsonrpc":"2.0","id":${idText},${member}}`
}

export const notificationText = (method: string, params: JsonObject = {}): string =>
  JSON.stringify({ jsonrpc: '2.0', method, params })

/** The raw result of a tool that says `text`. */
export const textResult = (text: string): string =>
  `{"content":[{"type":"text","text":${JSON.stringify(text)}}]}`

/** The value of a JSON text; `undefined` where it is none. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
