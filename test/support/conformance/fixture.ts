/**
 * An upstream for the official conformance suites, with both eras on one port and one path: whatever claims the
 * modern era goes to a server made for the request, all else to a legacy session.
 */
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import {
  localhostHostValidation,
  localhostOriginValidation,
  type NodeIncomingMessageLike,
  toNodeHandler,
} from '@modelcontextprotocol/node'
import { classifyInboundRequest, createMcpHandler, type ServerNotifier } from '@modelcontextprotocol/server'
import { createServer } from './server.ts'
import { LegacySessions, refuse } from './sessions.ts'
import { createStates, type Revisions, type Shared } from './state.ts'

export type ConformanceFixture = { readonly url: string; stop(): Promise<void> }

const PATH = '/mcp'
const TELL = {
  tools: (notify: ServerNotifier) => notify.toolsChanged(),
  prompts: (notify: ServerNotifier) => notify.promptsChanged(),
}

/** Listens on 127.0.0.1, on a port of its own. `stop` cuts whatever is open. */
export async function startConformanceFixture(): Promise<ConformanceFixture> {
  const shared: Shared = {
    states: createStates(),
    revisions: { tools: 0, prompts: 0 },
    announce: (list: keyof Revisions) => TELL[list](modern.notify),
  }
  const modern = createMcpHandler(() => createServer(shared))
  const serveModern = toNodeHandler(modern)
  const sessions = new LegacySessions(() => createServer(shared))
  const isLocalHost = localhostHostValidation()
  const isLocalOrigin = localhostOriginValidation()

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!isLocalHost(request, response) || !isLocalOrigin(request, response)) return
    if (request.url !== PATH) return void response.writeHead(404).end()
    const body = request.method === 'POST' ? await json(request) : undefined
    await (isLegacy(request, body)
      ? sessions.serve(request, response, body)
      : serveModern(request as NodeIncomingMessageLike, response, body))
  }

  const server = createHttpServer((request, response) => {
    serve(request, response).catch(() => {
      // Before an answer has begun, only a body that is no JSON fails.
      if (response.headersSent) response.destroy()
      else refuse(response, 400, -32700, 'Parse error')
    })
  })
  // Callers that keep connections decide how long.
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${PATH}`,
    async stop() {
      await Promise.all([modern.close(), sessions.close()])
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function isLegacy({ method, headers }: IncomingMessage, body: unknown): boolean {
  if (method !== 'POST') return true
  const version = headers['mcp-protocol-version']?.toString()
  const mcpMethod = headers['mcp-method']?.toString()
  const inbound = classifyInboundRequest({
    httpMethod: method,
    body,
    ...(version !== undefined && { protocolVersionHeader: version }),
    ...(mcpMethod !== undefined && { mcpMethodHeader: mcpMethod }),
  })
  return inbound.kind === 'legacy'
}
