/** The Workers beside which the gateway runs, each a few lines on the same workerd with the same flags. */

/** The least that a gateway on Workers can do: pass the request on, and the answer back. */
export const BARE = `export default {
  fetch(request, env) {
    return fetch(env.UPSTREAM, request)
  },
}
`

/** The least that an answer can cost: the same bytes for everybody. */
export const STILL = `let bytes
const headers = { 'content-type': 'application/json' }
export default {
  fetch(request, env) {
    return new Response((bytes ??= new TextEncoder().encode(env.BODY)), { headers })
  },
}
`
