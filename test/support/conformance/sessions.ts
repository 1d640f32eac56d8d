/** The legacy era of the fixture: sessions, each with a server and a store of events of its own. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node'
import { isInitializeRequest, type McpServer } from '@modelcontextprotocol/server'
import { SessionEvents } from './events.ts'

/** Short, so that a suite that waits for it stays quick. */
const RETRY_MS = 500

export class LegacySessions {
  readonly #open = new Map<string, NodeStreamableHTTPServerTransport>()
  readonly #createServer: () => McpServer

  constructor(createServer: () => McpServer) {
    this.#createServer = createServer
  }

  async serve(request: IncomingMessage, response: ServerResponse, body: unknown): Promise<void> {
    const id = request.headers['mcp-session-id']
    const transport = typeof id === 'string' ? this.#open.get(id) : await this.#begin(body)
    if (transport) return await transport.handleRequest(request, response, body)
    if (id === undefined) refuse(response, 400, -32000, 'A session is needed')
    else refuse(response, 404, -32000, 'No such session')
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((transport) => transport.close()))
  }

  async #begin(body: unknown): Promise<NodeStreamableHTTPServerTransport | undefined> {
    if (!isInitializeRequest(body)) return undefined
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      eventStore: new SessionEvents(),
      retryInterval: RETRY_MS,
      onsessioninitialized: (id) => void this.#open.set(id, transport),
      onsessionclosed: (id) => void this.#open.delete(id),
    })
    await this.#createServer().connect(transport)
    return transport
  }
}

export function refuse(response: ServerResponse, status: number, code: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } }))
}
