/**
 * A fake upstream: real HTTP, raw JSON, no SDK, so that it can also say what no SDK would. `dial` makes it
 * faulty, per JSON-RPC method, until it is turned back.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

export type Options = {
  readonly era?: 'legacy' | 'modern' | 'both'
  readonly isStateful?: boolean
  readonly answers?: 'json' | 'sse'
  /** Raw JSON texts of further tools. */
  readonly tools?: readonly string[]
  readonly pageSize?: number
  /** Demanded of every request. */
  readonly auth?: { readonly header: string; readonly value: string }
}

export type Seen = {
  readonly httpMethod: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  readonly method: string | undefined
}

/** What goes wrong instead of an answer; `undefined` lets the request through. */
export type Fault = (
  request: IncomingMessage,
  response: ServerResponse,
  message: Message,
) => void | Promise<void>

type Message = { id?: string | number; method?: string; params?: Record<string, any> }

const LEGACY = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']
const schema = '{"type":"object","properties":{"text":{"type":"string"}}}'
const TOOLS = ['echo', 'raw', 'slow', 'fail', 'ask', 'headers', 'big'].map(
  (name) => `{"name":"${name}","description":"The ${name} tool","inputSchema":${schema}}`,
)

export class FakeServer {
  readonly seen: Seen[] = []
  /** By JSON-RPC method; `*` for every request. */
  readonly dial = new Map<string, Fault>()
  /** Answers that the caller broke off. */
  brokenOff = 0
  tools: string[]
  /** The raw result text that the tool `raw` answers with. */
  rawResult = '{"content":[]}'
  port = 0
  #server: Server
  #sessions = new Set<string>()
  readonly #options: Options

  constructor(options: Options) {
    this.#options = options
    this.tools = [...TOOLS, ...(options.tools ?? [])]
    this.#server = this.#create()
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/mcp`
  }

  calls(method: string): Seen[] {
    return this.seen.filter((seen) => seen.method === method)
  }

  async start(): Promise<this> {
    this.#server = this.#create()
    this.#server.listen(this.port, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    this.port = typeof address === 'object' && address ? address.port : 0
    return this
  }

  /** Nothing listens any more, sessions are forgotten; `start` comes back on the same port. */
  async stop(): Promise<void> {
    this.#sessions.clear()
    this.#server.closeAllConnections()
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** As after a restart: every session is unknown. */
  forgetSessions(): void {
    this.#sessions.clear()
  }

  #create(): Server {
    return createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) =>
        response.destroy(error instanceof Error ? error : undefined),
      )
    })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString()
    const message: Message = body === '' ? {} : JSON.parse(body)
    this.seen.push({
      httpMethod: request.method ?? '',
      headers: request.headers,
      body,
      method: message.method,
    })
    response.on('close', () => {
      if (!response.writableEnded) this.brokenOff++
    })
    const fault = this.dial.get(message.method ?? '') ?? this.dial.get('*')
    if (fault) return await fault(request, response, message)
    const { auth, isStateful, era = 'legacy' } = this.#options
    if (auth && request.headers[auth.header] !== auth.value)
      return end(response, 401, '', { 'www-authenticate': 'Bearer' })
    if (request.method !== 'POST') return end(response, request.method === 'DELETE' ? 200 : 405, '')
    const isModern = message.params?.['_meta']?.['io.modelcontextprotocol/protocolVersion'] !== undefined
    if (isModern ? era === 'legacy' : era === 'modern') return this.#refuseEra(response, message)
    if (isStateful && !isModern && message.method !== 'initialize') {
      const session = request.headers['mcp-session-id']
      if (session === undefined)
        return fail(response, 400, message, -32000, 'Bad Request: Mcp-Session-Id header is required')
      if (!this.#sessions.has(String(session)))
        return fail(response, 404, message, -32001, 'Session not found')
    }
    if (message.id === undefined) return end(response, 202, '')
    await this.#answer(request, response, message, isModern)
  }

  #refuseEra(response: ServerResponse, message: Message): void {
    const isLegacy = this.#options.era !== 'modern'
    return isLegacy
      ? fail(response, 400, message, -32000, 'Bad Request: Server not initialized')
      : fail(response, 404, message, -32601, 'Method not found')
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    message: Message,
    isModern: boolean,
  ): Promise<void> {
    const headers: Record<string, string> = {}
    if (message.method === 'initialize' && this.#options.isStateful) {
      const session = randomUUID()
      this.#sessions.add(session)
      headers['mcp-session-id'] = session
    }
    const result = await this.#resultOf(request, response, message)
    if (result === undefined) return
    const complete =
      isModern && !result.includes('"resultType"')
        ? result.replace('{', '{"resultType":"complete",').replace(',}', '}')
        : result
    this.reply(response, `{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},"result":${complete}}`, headers)
  }

  /** One answer, as JSON or as the last event of a stream. */
  reply(response: ServerResponse, text: string, headers: Record<string, string> = {}): void {
    if (this.#options.answers !== 'sse')
      return end(response, 200, text, { 'content-type': 'application/json', ...headers })
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream', ...headers })
    response.end(`event: message\nid: ${randomUUID()}\ndata: ${text}\n\n`)
  }

  async #resultOf(
    request: IncomingMessage,
    response: ServerResponse,
    message: Message,
  ): Promise<string | undefined> {
    const { method, params = {} } = message
    switch (method) {
      case 'initialize': {
        const asked = String(params['protocolVersion'])
        const protocolVersion = LEGACY.includes(asked) ? asked : LEGACY[0]
        return JSON.stringify({
          protocolVersion,
          capabilities: { tools: {} },
          serverInfo: { name: 'fake', version: '1' },
        })
      }
      case 'server/discover':
        return '{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"ttlMs":1000,"cacheScope":"public"}'
      case 'ping':
        return '{}'
      case 'tools/list':
        return this.#page(params['cursor'])
      case 'tools/call':
        return await this.#call(request, response, message)
      default:
        fail(response, 200, message, -32601, 'Method not found')
        return undefined
    }
  }

  #page(cursor: unknown): string {
    const start = cursor === undefined ? 0 : Number(cursor)
    const size = this.#options.pageSize ?? this.tools.length
    const next = start + size < this.tools.length ? `,"nextCursor":"${start + size}"` : ''
    return `{"tools":[${this.tools.slice(start, start + size).join(',')}]${next}}`
  }

  async #call(
    request: IncomingMessage,
    response: ServerResponse,
    message: Message,
  ): Promise<string | undefined> {
    const { name, arguments: given = {}, _meta: meta } = message.params ?? {}
    switch (name) {
      case 'raw':
        return this.rawResult
      case 'fail':
        return '{"content":[{"type":"text","text":"it failed"}],"isError":true}'
      case 'headers':
        return textResult(JSON.stringify(request.headers))
      case 'big':
        return textResult('x'.repeat(Number(given['bytes'])))
      case 'ask':
        sendEvent(response, '{"jsonrpc":"2.0","id":"q1","method":"sampling/createMessage","params":{}}')
        return textResult('asked')
      case 'slow':
        for (let progress = 1; progress <= 3; progress++) {
          const params = { progressToken: meta?.['progressToken'], progress, total: 3 }
          if (params.progressToken !== undefined) {
            sendEvent(response, JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params }))
          }
          await new Promise((resolve) => setTimeout(resolve, Number(given['ms'] ?? 30) / 3).unref())
          if (response.destroyed) return undefined
        }
        return textResult('done')
      default:
        if (!this.tools.some((tool) => JSON.parse(tool).name === name)) {
          fail(response, 200, message, -32602, `Unknown tool: ${name}`)
          return undefined
        }
        return textResult(String(given['text'] ?? name))
    }
  }
}

export const startServer = (options: Options = {}): Promise<FakeServer> => new FakeServer(options).start()

export const textResult = (text: string): string =>
  `{"content":[{"type":"text","text":${JSON.stringify(text)}}]}`

export function end(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-length': String(Buffer.byteLength(text)), ...headers })
  response.end(text)
}

function sendEvent(response: ServerResponse, data: string): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(`: a comment\n\nevent: message\ndata: ${data}\n\n`)
}

function fail(response: ServerResponse, status: number, message: Message, code: number, text: string): void {
  const body = JSON.stringify({ jsonrpc: '2.0', id: message.id ?? null, error: { code, message: text } })
  end(response, status, body, { 'content-type': 'application/json' })
}
