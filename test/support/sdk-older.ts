/** The upstream on SDK v1 once more, on the older transport: two endpoints, a stream for each session. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { createServer, newShared, type Served, type Shared, upstreamOf } from './sdk-legacy.ts'
import { listenOn, type SdkUpstream } from './sdk-upstream.ts'

type Session = Served & { readonly transport: SSEServerTransport }

/** `streams`: how many are open. */
export async function startOlderServer(): Promise<SdkUpstream & { readonly streams: () => number }> {
  const shared = newShared()
  const sessions = new Map<string, Session>()
  const { url, close } = await listenOn(
    (request, response) => void serve(request, response, shared, sessions),
  )
  const at = new URL('/sse', url).href
  return { ...upstreamOf(shared, sessions), url: at, close, streams: () => sessions.size }
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  shared: Shared,
  sessions: Map<string, Session>,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost')
  if (request.method === 'GET' && pathname === '/sse') {
    const transport = new SSEServerTransport('/message', response)
    const session = { ...createServer(shared), transport }
    sessions.set(transport.sessionId, session)
    response.once('close', () => sessions.delete(transport.sessionId))
    return await session.server.connect(transport as Transport)
  }
  const session = sessions.get(searchParams.get('sessionId') ?? '')
  if (request.method === 'POST' && pathname === '/message' && session)
    return await session.transport.handlePostMessage(request, response)
  response.writeHead(404).end()
}
