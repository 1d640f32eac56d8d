/** Answers that the gateway gives itself: ready bytes around an id. */
const encoder = new TextEncoder()
const TAIL = encoder.encode('}')

const JSON_HEADERS = { 'content-type': 'application/json' } as const

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
  new Response(`{"jsonrpc":"2.0","id":${idText},"result":${JSON.stringify(result)}}`, {
    headers: JSON_HEADERS,
  })

/** A notification was taken: nothing to say (streamable HTTP, "Sending messages to the server"). */
export const accepted = (): Response => new Response(null, { status: 202 })
