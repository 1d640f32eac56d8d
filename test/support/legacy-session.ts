/** A legacy session as raw HTTP, for what its SDK would not send, or would not show. */
import { readEvents } from './event.ts'
import { type Answer, type Gateway, TOKEN } from './gateway.ts'

export type SessionOptions = {
  readonly path?: string
  readonly token?: string
  readonly capabilities?: object
}

export class LegacySession {
  readonly headers: Readonly<Record<string, string>>
  readonly #gateway: Gateway
  readonly #path: string

  constructor(gateway: Gateway, path: string, headers: Readonly<Record<string, string>>) {
    this.#gateway = gateway
    this.#path = path
    this.headers = headers
  }

  /** Sends a message and waits for the end of what it is answered; `headers` replace those of the session. */
  post(body: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const init = { method: 'POST', headers: { ...this.headers, ...headers }, body }
    return this.#gateway.fetch(this.#path, init)
  }

  /** Sends a message; gives each message that it is answered, as raw text, as soon as it is there. */
  async *follow(body: string): AsyncGenerator<string, void, void> {
    const init = { method: 'POST', headers: this.headers, body }
    const response = await fetch(`${this.#gateway.url}${this.#path}`, init)
    const decoder = new TextDecoder()
    let text = ''
    let given = 0
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true })
      const events = readEvents(text)
      for (const event of events.slice(given)) yield event
      given = events.length
    }
    if (given === 0) yield text
  }
}

export async function openLegacySession(
  gateway: Gateway,
  options: SessionOptions = {},
): Promise<LegacySession> {
  const { path = '/mcp', token = TOKEN, capabilities = {} } = options
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  }
  const params = { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 'test', version: '1' } }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 'begin', method: 'initialize', params })
  const begun = await gateway.fetch(path, { method: 'POST', headers, body })
  const id = begun.headers.get('mcp-session-id') ?? ''
  const session = new LegacySession(gateway, path, {
    ...headers,
    'mcp-session-id': id,
    'mcp-protocol-version': '2025-11-25',
  })
  await session.post('{"jsonrpc":"2.0","method":"notifications/initialized"}')
  return session
}
