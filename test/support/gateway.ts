/** A running gateway as its users see it: MCP and management requests with the usual credentials. */
import { readEvents } from './event.ts'

export const API_KEY = 'an-api-key-of-the-tests'
export const TOKEN = 'a-bearer-token-of-the-tests'

export type Answer = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The JSON of the body, or of the first event where it is a stream; `undefined` where there is none. */
  readonly body: any
}

/** For a service that fails on purpose, again and again. */
export const STAYS_CLOSED = {
  circuitBreaker: { failureThreshold: 1_000, recoveryTimeout: 1, halfOpenMaxCalls: 1 },
} as const

const MODERN_META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
}

export class Gateway {
  readonly url: string
  readonly #token: string
  readonly #apiKey: string

  constructor(url: string, token = TOKEN, apiKey = API_KEY) {
    this.url = url
    this.#token = token
    this.#apiKey = apiKey
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, init)
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: readJson(text) }
  }

  /** A management request with the API key. */
  manage(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const init = {
      method,
      headers: { 'x-api-key': this.#apiKey, 'content-type': 'application/json', ...headers },
    }
    return this.fetch(path, body === undefined ? init : { ...init, body: JSON.stringify(body) })
  }

  register(name: string, url: string, rest: object = {}): Promise<Answer> {
    return this.manage('POST', '/api/v1/servers', { name, url, ...rest })
  }

  /** The same service as if it had never been called: with a guard that knows nothing of it. */
  async registerAnew(name: string, url: string, rest: object = {}): Promise<void> {
    await this.manage('DELETE', `/api/v1/servers/${name}`)
    const { status, text } = await this.register(name, url, rest)
    if (status !== 201) throw new Error(`'${name}' was not registered: ${text}`)
  }

  /** A legacy MCP request. */
  rpc(
    method: string,
    params?: unknown,
    { path = '/mcp', id = 1, headers = {} }: RpcOptions = {},
  ): Promise<Answer> {
    return this.post(JSON.stringify({ jsonrpc: '2.0', id, method, params }), { path, headers })
  }

  /** A modern MCP request, with the headers that it needs. */
  modern(
    method: string,
    params: object = {},
    { path = '/mcp', id = 1, headers = {}, meta = {} }: RpcOptions & { readonly meta?: object } = {},
  ): Promise<Answer> {
    const _meta = { ...MODERN_META, ...meta }
    const message = { jsonrpc: '2.0', id, method, params: { ...params, _meta } }
    const name: Record<string, string> = 'name' in params ? { 'mcp-name': String(params.name) } : {}
    const own = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...name }
    return this.post(JSON.stringify(message), { path, headers: { ...own, ...headers } })
  }

  post(
    body: string | Uint8Array<ArrayBuffer>,
    { path = '/mcp', headers = {} }: Omit<RpcOptions, 'id'> = {},
  ): Promise<Answer> {
    const usual = {
      authorization: `Bearer ${this.#token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    }
    return this.fetch(path, { method: 'POST', headers: { ...usual, ...headers }, body })
  }

  /** The public names that an endpoint lists, on all pages. */
  async toolNames(path = '/mcp'): Promise<string[]> {
    const names: string[] = []
    let cursor: string | undefined
    do {
      const { body } = await this.rpc('tools/list', { cursor }, { path })
      names.push(...body.result.tools.map(({ name }: { name: string }) => name))
      cursor = body.result.nextCursor
    } while (cursor !== undefined)
    return names
  }
}

export type RpcOptions = {
  readonly path?: string
  readonly id?: string | number
  readonly headers?: Record<string, string>
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(readEvents(text)[0] ?? text)
  } catch {
    return undefined
  }
}

/** Tries until `check` holds; fails with its last fault when the time is up. */
export async function eventually(timeoutMs: number, check: () => Promise<void> | void): Promise<void> {
  const end = Date.now() + timeoutMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}
