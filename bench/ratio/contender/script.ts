/** The Workers beside which the gateway runs, each a few lines on the same workerd with the same flags. */

/** The least that a gateway on Workers can do: pass the request on, and the answer back. */
export const BARE = `export default {
  fetch(request, env) {
    return fetch(env.UPSTREAM, request)
  },
}
`

/**
 * What no gateway can do without that checks what passes: read the request, send it on under the few headers that it
 * needs, read the answer. An answer that is large passes unread.
 */
export const READS = `const NAMES = ['content-type', 'accept', 'mcp-protocol-version', 'mcp-session-id', 'mcp-method', 'mcp-name']
const ANSWER_NAMES = ['content-type', 'mcp-session-id']
const MOST_READ_BYTES = 524288
const pick = (headers, names) => {
  const picked = {}
  for (const name of names) {
    const value = headers.get(name)
    if (value !== null) picked[name] = value
  }
  return picked
}
export default {
  async fetch(request, env) {
    if (request.method !== 'POST') return fetch(env.UPSTREAM, request)
    const body = await request.text()
    const answer = await fetch(env.UPSTREAM, { method: 'POST', headers: pick(request.headers, NAMES), body })
    const isLarge = Number(answer.headers.get('content-length')) > MOST_READ_BYTES
    const headers = pick(answer.headers, ANSWER_NAMES)
    return new Response(isLarge ? answer.body : await answer.text(), { status: answer.status, headers })
  },
}
`

/**
 * The least that an answer can cost: the same bytes for everybody, written from where they lie. Of a string or an array
 * each answer has a copy that only the collector frees, which an isolate without garbage of its own never wakes: every
 * answer would touch new memory.
 */
export const STILL = `let blob
const headers = { 'content-type': 'application/json' }
export default {
  fetch(request, env) {
    return new Response((blob ??= new Blob([env.BODY])).stream(), { headers })
  },
}
`
