/**
 * What both local endpoints share: one HTTP listener with a bounded body, a comparison of secrets
 * that takes the same time whatever is wrong, and the hooks by which tests count requests and
 * take the endpoint's health away. Knows nothing of SQL or Redis.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'

/** The largest request body: what Neon takes. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024

/** What goes wrong with one request, instead of (or, for a delay alone, before) its answer. */
export interface Fault {
  readonly delayMs?: number
  readonly status?: number
  /** Of the answer with that status; JSON or not. */
  readonly body?: string
  readonly hang?: boolean
  readonly destroy?: boolean
}

/** Hooks for tests: `observe` sees every request's path, `fault` decides its fate. */
export interface Hooks {
  readonly observe?: ((path: string) => void) | undefined
  readonly fault?: ((path: string) => Fault | undefined) | undefined
}

/** One request; `readBody` gives undefined when the body is over the limit. */
export interface Call {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  readonly readBody: () => Promise<Buffer | undefined>
}

/** One answer; `body` is JSON text. */
export interface Answer {
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Endpoint {
  readonly port: number
  /** Stops listening and cuts every connection, also those with a request in flight. */
  close(): Promise<void>
}

/** True when both are equal, in a time that does not tell where they differ. */
export const isSameSecret = (given: string, expected: string): boolean =>
  timingSafeEqual(createHash('sha256').update(given).digest(), createHash('sha256').update(expected).digest())

const readBody = async (request: IncomingMessage): Promise<Buffer | undefined> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue
    bytes += chunk.length
    // The rest is read and dropped: a client that is still sending would not see the answer.
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk)
    else chunks.length = 0
  }
  return bytes <= MAX_BODY_BYTES ? Buffer.concat(chunks) : undefined
}

const send = (response: ServerResponse, { status, body, headers }: Answer): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(body)
}

const failure = (status: number, message: string): Answer => ({
  status,
  body: JSON.stringify({ message, error: message }),
})

/**
 * Listens on `host:port` (0 is any free port) and answers each request with `answer`.
 * Rejects in one clear line when the port is taken. What `answer` throws becomes a 500.
 */
export const startEndpoint = async (
  { host, port, observe, fault }: Hooks & { host: string; port: number },
  answer: (call: Call) => Promise<Answer>,
): Promise<Endpoint> => {
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(`http://endpoint${request.url ?? '/'}`)
    observe?.(url.pathname)
    const failing = fault?.(url.pathname)
    if (failing?.delayMs) await wait(failing.delayMs, undefined, { ref: false })
    if (failing?.hang) return
    if (failing?.destroy) return void request.socket.destroy()
    if (failing?.status) {
      const { status, body } = failing
      return send(response, body === undefined ? failure(status, 'fault') : { status, body })
    }
    const { method = 'GET', headers } = request
    send(response, await answer({ method, url, headers, readBody: () => readBody(request) }))
  }

  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => {
      if (response.headersSent || request.socket.destroyed) return void request.socket.destroy()
      send(response, failure(500, error instanceof Error ? error.message : String(error)))
    })
  })

  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const isTaken = cause.code === 'EADDRINUSE'
      reject(isTaken ? new Error(`Port ${port} on ${host} is already taken`, { cause }) : cause)
    })
    server.listen(port, host, resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No TCP address')

  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
