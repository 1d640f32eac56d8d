/**
 * The edge's bound on connections, which plain workerd does not have: at most six requests of one invocation wait for
 * response headers at once, further ones queue without a word.
 */
const CONNECTIONS = 6

type Fetch = (input: string, init?: RequestInit) => Promise<Response>

/** The same `fetch` behind the bound. A request that is given up in the queue never leaves it. */
export function atTheEdge(fetch: Fetch): Fetch {
  const queue: (() => void)[] = []
  let open = 0
  return async (input, init) => {
    if (open === CONNECTIONS) await new Promise<void>((resolve) => queue.push(resolve))
    else open++
    try {
      init?.signal?.throwIfAborted()
      return await fetch(input, init)
    } finally {
      const next = queue.shift()
      if (next) next()
      else open--
    }
  }
}
