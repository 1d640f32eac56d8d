/** What one client says over its connection: the greeting of a legacy client, then requests of either era. */
import type { Contender } from '../contender/contender.ts'
import { headerOf, type HttpMessage } from '../http.ts'
import { Connection } from './connection.ts'

const LEGACY = '2025-06-18'
const MODERN = '2026-07-28'
const INFO = '{"name":"bench","version":"1"}'
const META = `"_meta":{"io.modelcontextprotocol/protocolVersion":"${MODERN}","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":${INFO}}`

export class Conversation {
  readonly #connection: Connection
  readonly #isModern: boolean
  #head: string

  private constructor(connection: Connection, head: string, isModern: boolean) {
    this.#connection = connection
    this.#head = head
    this.#isModern = isModern
  }

  static async open(contender: Contender, isModern: boolean): Promise<Conversation> {
    const url = new URL(contender.url)
    const headers = {
      Host: url.host,
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      ...contender.headers,
    }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    const head = `POST ${url.pathname} HTTP/1.1\r\n${lines.join('')}`
    const conversation = new Conversation(await Connection.open(url), head, isModern)
    if (isModern) conversation.#head += `MCP-Protocol-Version: ${MODERN}\r\n`
    else if (contender.isGreeted) await conversation.#greet()
    return conversation
  }

  /** `members`: of `params`, as JSON. `name`: of what it is about. */
  ask(id: number, method: string, members: string, name?: string): Promise<HttpMessage> {
    const params = this.#isModern ? `${members}${members && ','}${META}` : members
    const names = this.#isModern ? `Mcp-Method: ${method}\r\n${name ? `Mcp-Name: ${name}\r\n` : ''}` : ''
    return this.#connection.send(
      `${this.#head}${names}Content-Length: `,
      `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":{${params}}}`,
    )
  }

  close(): void {
    this.#connection.close()
  }

  async #greet(): Promise<void> {
    const members = `"protocolVersion":"${LEGACY}","capabilities":{},"clientInfo":${INFO}`
    const { head, body } = await this.ask(0, 'initialize', members)
    if (!body.includes('"protocolVersion"'))
      throw new Error(`The greeting was answered by ${body.toString()}`)
    const session = headerOf(head, 'mcp-session-id')
    if (session !== undefined) this.#head += `Mcp-Session-Id: ${session}\r\n`
    this.#head += `MCP-Protocol-Version: ${LEGACY}\r\n`
    const notification = '{"jsonrpc":"2.0","method":"notifications/initialized"}'
    await this.#connection.send(`${this.#head}Content-Length: `, notification)
  }
}
