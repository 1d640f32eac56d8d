/** Answers that the gateway gives itself: ready bytes around an id. */
const encoder = new TextEncoder()
const TAIL = encoder.encode('}')

/** How long a modern client may keep what depends on the registry: the bound within which a change is seen here. */
export const VIEW_TTL_MS = 5_000

/** Made once: a response takes twice as long to make with an object of strings. */
export const JSON_HEADERS = new Headers({ 'content-type': 'application/json' })

/** `{"jsonrpc":"2.0","id":…,"result":…}` around a result that is already bytes. One copy, nothing parsed. */
export function answerWithBytes(idText: string, result: Uint8Array): Response {
  const head = encoder.encode(`{"jsonrpc":"2.0","id":${idText},"result":`)
  const body = new Uint8Array(head.length + result.length + TAIL.length)
  body.set(head)
  body.set(result, head.length)
  body.set(TAIL, head.length + result.length)
  return new Response(body, { headers: JSON_HEADERS })
}

export const answerWith = (idText: string, result: unknown): Response =>
  answerWithText(idText, JSON.stringify(result))

/** The same around a result that is already JSON text. */
export const answerWithText = (idText: string, result: string): Response =>
  new Response(`{"jsonrpc":"2.0","id":${idText},"result":${result}}`, { headers: JSON_HEADERS })

/** A notification was taken: nothing to say (streamable HTTP, "Sending messages to the server"). */
export const accepted = (): Response => new Response(null, { status: 202 })
