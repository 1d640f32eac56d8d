/** The Worker under test as a caller sees it, from inside the runtime. */
import { exports } from 'cloudflare:workers'

const GATEWAY = 'https://gateway.example'
const HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  authorization: 'Bearer a-bearer-token-of-the-tests',
}

/** What tests look into: the members that they expect are there, or they fail. */
type Answer = any

export async function register(
  name: string,
  url: string,
  rest: object = {},
): Promise<{ readonly id: string }> {
  const response = await exports.default.fetch(`${GATEWAY}/api/v1/servers`, {
    method: 'POST',
    headers: { ...HEADERS, 'x-api-key': 'an-api-key-of-the-tests' },
    body: JSON.stringify({ name, url, ...rest }),
  })
  if (!response.ok) throw new Error(`${name} was not registered: ${await response.text()}`)
  return await response.json()
}

/** Lets everybody use this tool, or nobody. */
export async function permit(tool: string, allowed: boolean): Promise<void> {
  const response = await exports.default.fetch(`${GATEWAY}/api/v1/permissions`, {
    method: 'PUT',
    headers: { ...HEADERS, 'x-api-key': 'an-api-key-of-the-tests' },
    body: JSON.stringify({ agentType: '*', tool, allowed }),
  })
  if (!response.ok) throw new Error(`the rule was not stored: ${await response.text()}`)
}

/** The answer to one modern request for a named thing. */
export async function callModern(
  method: string,
  params: Readonly<Record<string, unknown>> & { readonly name: string },
  clientCapabilities: object,
): Promise<Answer> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': clientCapabilities,
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  }
  const headers = {
    ...HEADERS,
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    'mcp-name': params.name,
  }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } })
  const response = await exports.default.fetch(`${GATEWAY}/mcp`, { method: 'POST', headers, body })
  const text = await response.text()
  return JSON.parse(text.startsWith('{') ? text : (text.match(/^data: (\{.*"id":1.*\})$/m)?.[1] ?? 'null'))
}

/** A legacy session. */
export async function openSession(capabilities: object): Promise<Session> {
  const clientInfo = { name: 'test', version: '1' }
  const params = { protocolVersion: '2025-11-25', capabilities, clientInfo }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params })
  const response = await exports.default.fetch(`${GATEWAY}/mcp`, { method: 'POST', headers: HEADERS, body })
  await response.text()
  const headers = {
    ...HEADERS,
    'mcp-session-id': response.headers.get('mcp-session-id') ?? '',
    'mcp-protocol-version': '2025-11-25',
  }
  return {
    async call(method, sent) {
      const message = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: sent })
      const answer = await exports.default.fetch(`${GATEWAY}/mcp`, { method: 'POST', headers, body: message })
      return await answer.json()
    },
    listen: (lastEventId) =>
      exports.default.fetch(`${GATEWAY}/mcp`, {
        headers: { ...headers, ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) },
      }),
    end: async () => (await exports.default.fetch(`${GATEWAY}/mcp`, { method: 'DELETE', headers })).status,
  }
}

export type Session = {
  call(method: string, params: object): Promise<Answer>
  /** The listening stream, from the event after this one. */
  listen(lastEventId?: string): Promise<Response>
  /** Gives the status. */
  end(): Promise<number>
}
