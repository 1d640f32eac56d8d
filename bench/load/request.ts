/** The requests of which the load is made: those of a stateless client of 2026-07-28. */
import { TOKEN } from '../../test/support/gateway.ts'
import type { Load, Shot } from './plan.ts'

const VERSION = '2026-07-28'

/** Any request; `name`: of the tool or the address of the resource that it is about. */
function shotAt(url: string, method: string, params: object = {}, name?: string): Shot {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': VERSION,
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'load', version: '1' },
    ...('_meta' in params && typeof params._meta === 'object' ? params._meta : {}),
  }
  return {
    url,
    headers: {
      authorization: `Bearer ${TOKEN}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': VERSION,
      'mcp-method': method,
      ...(name === undefined ? {} : { 'mcp-name': name }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } }),
  }
}

export const callShot = (url: string, name: string, args: object = {}): Shot =>
  shotAt(url, 'tools/call', { name, arguments: args }, name)

export const PROGRESS_TOKEN = 'steps'

/** A call whose upstream tells of every step, and so answers by a stream. */
export const streamShot = (url: string, name: string, args: object = {}): Shot =>
  shotAt(url, 'tools/call', { name, arguments: args, _meta: { progressToken: PROGRESS_TOKEN } }, name)

export const listShot = (url: string): Shot => shotAt(url, 'tools/list')

export const readShot = (url: string, uri: string): Shot => shotAt(url, 'resources/read', { uri }, uri)

/** A service as the mixed load needs it: where it is asked, and what it has. */
export type Target = { readonly url: string; readonly tool: string; readonly uri: string }

export type Span = { readonly ratePerSecond: number; readonly fromMs: number; readonly forMs: number }

/** 70 % calls, 20 % lists, 10 % reads, spread evenly over the targets; kinds `call`, `list` and `read`. */
export function mixed(targets: readonly Target[], { ratePerSecond, fromMs, forMs }: Span): Load[] {
  const rate = ratePerSecond / targets.length
  return targets.flatMap(({ url, tool, uri }): Load[] => [
    { kind: 'call', shot: callShot(url, tool, { text: 'hi' }), ratePerSecond: 0.7 * rate, fromMs, forMs },
    { kind: 'list', shot: listShot(url), ratePerSecond: 0.2 * rate, fromMs, forMs },
    { kind: 'read', shot: readShot(url, uri), ratePerSecond: 0.1 * rate, fromMs, forMs },
  ])
}
