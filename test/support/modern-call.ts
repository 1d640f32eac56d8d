/** Requests of a modern client as raw HTTP, for what its SDK would not send. */
import { META, MODERN_VERSION } from '../../src/protocol/version.ts'
import { TOKEN } from './gateway.ts'

export type ModernCall = {
  readonly id?: string | number
  readonly method?: string
  readonly capabilities?: object
  readonly arguments?: object
  /** Further members of `params`: a state, responses. */
  readonly rest?: object
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The call of a tool; or another method, with the name under the member that it has there. */
export function modernCall(name: string, call: ModernCall = {}): RequestInit & { readonly body: string } {
  const { id = 1, method = 'tools/call', capabilities = {}, rest = {}, token = TOKEN, headers = {} } = call
  const meta = {
    [META.version]: MODERN_VERSION,
    [META.capabilities]: capabilities,
    [META.clientInfo]: { name: 'test', version: '1' },
  }
  const named = method === 'resources/read' ? { uri: name } : { name }
  const given = method === 'resources/read' ? {} : { arguments: call.arguments ?? {} }
  const params = { ...named, ...given, ...rest, _meta: meta }
  return {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': MODERN_VERSION,
      'mcp-method': method,
      'mcp-name': name,
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id, method, params }),
  }
}
