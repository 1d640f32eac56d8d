/**
 * The door of a legacy upstream (≤ 2025-11-25), as SDK v1 servers keep it: the handshake, sessions, versions,
 * and what a modern request is told there.
 */
import { randomUUID } from 'node:crypto'
import { failure, type JsonObject, type Outcome, type Seen } from './message.ts'

export const LEGACY_VERSIONS: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']
export const SERVER_INFO = { name: 'fake-upstream', version: '1.0.0' } as const

const SUPPORTED = `supported versions: ${LEGACY_VERSIONS.join(', ')}`

export class LegacyDoor {
  readonly isStateful: boolean
  readonly #sessions = new Set<string>()

  constructor(isStateful: boolean) {
    this.isStateful = isStateful
  }

  get sessions(): number {
    return this.#sessions.size
  }

  forgetSessions(): void {
    this.#sessions.clear()
  }

  endSession(seen: Seen): void {
    this.#sessions.delete(String(seen.headers['mcp-session-id']))
  }

  /** The refusal of a request before its method is looked at. */
  refuse(seen: Seen): Outcome | undefined {
    const { headers, message, httpMethod } = seen
    if (httpMethod === 'POST') {
      const accept = headers.accept ?? ''
      if (!accept.includes('application/json') || !accept.includes('text/event-stream')) {
        const both = 'Client must accept both application/json and text/event-stream'
        return failure(406, -32000, `Not Acceptable: ${both}`)
      }
      if (!(headers['content-type'] ?? '').includes('application/json'))
        return failure(415, -32000, 'Unsupported Media Type: Content-Type must be application/json')
      if (!message) return failure(400, -32700, 'Parse error: Invalid JSON')
    }
    if (message?.method === 'initialize') return undefined
    return this.#refuseSession(headers['mcp-session-id']) ?? refuseVersion(headers['mcp-protocol-version'])
  }

  /** The answer to `initialize`, and the id of the session that it opened. */
  initialize(params: JsonObject, capabilities: JsonObject, instructions: string | undefined) {
    const asked = String(params['protocolVersion'])
    const protocolVersion = LEGACY_VERSIONS.includes(asked) ? asked : LEGACY_VERSIONS[0]
    const result = { protocolVersion, capabilities, serverInfo: SERVER_INFO, instructions }
    const sessionId = this.isStateful ? randomUUID() : undefined
    if (sessionId !== undefined) this.#sessions.add(sessionId)
    return { outcome: { result: JSON.stringify(result) }, sessionId }
  }

  #refuseSession(sessionId: string | string[] | undefined): Outcome | undefined {
    if (!this.isStateful) return undefined
    if (this.#sessions.has(String(sessionId))) return undefined
    if (sessionId !== undefined) return failure(404, -32001, 'Session not found')
    const reason = this.#sessions.size === 0 ? 'Server not initialized' : 'Mcp-Session-Id header is required'
    return failure(400, -32000, `Bad Request: ${reason}`)
  }
}

function refuseVersion(version: string | string[] | undefined): Outcome | undefined {
  if (version === undefined || LEGACY_VERSIONS.includes(String(version))) return undefined
  return failure(400, -32000, `Bad Request: Unsupported protocol version: ${String(version)} (${SUPPORTED})`)
}
