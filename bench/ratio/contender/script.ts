/** The Workers beside which the gateway runs, each a few lines on the same workerd with the same flags. */

/** The least that a gateway on Workers can do: pass the request on, and the answer back. */
export const BARE = `export default {
  fetch(request, env) {
    return fetch(env.UPSTREAM, request)
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
