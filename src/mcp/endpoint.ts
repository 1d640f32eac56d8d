/** Which MCP endpoint a request is at: everything, one service, or one toolset; or that there is none. */
import { sayNo } from '../protocol/refusal.ts'
import type { Endpoint, Snapshot } from '../registry/snapshot.ts'

/** A service and a toolset never share a name; were there a race, the service had it. */
export function endpointOf(
  request: Request,
  name: string | undefined,
  snapshot: Snapshot,
): Endpoint | undefined {
  if (name !== undefined) {
    if (snapshot.service(name)) return { is: 'service', name }
    return snapshot.toolset(name) ? { is: 'toolset', slug: name } : undefined
  }
  const hasQuery = request.url.includes('?')
  const names =
    hasQuery && new URL(request.url).searchParams.get('names') === 'prefixed' ? 'prefixed' : 'bare'
  return { is: 'all', names }
}

/** No JSON-RPC: there is no MCP endpoint here (B05). */
export const unknownEndpoint = (): Response =>
  sayNo(Response.json({ error: 'not_found' }, { status: 404 }), 'unknown_endpoint')

/** To clients of the older transport (2024-11-05, "HTTP with SSE"), in a sentence that they can show. */
export const goneEndpoint = (): Response =>
  Response.json({ error: 'gone', error_description: USE_STREAMABLE_HTTP }, { status: 410 })

const USE_STREAMABLE_HTTP =
  'This gateway does not serve the older HTTP+SSE transport: set the transport to streamable HTTP and the URL to /mcp.'
