/**
 * The gateway that anybody would write first, with the official SDK on Node as its documents show: a server for each
 * request, and a client of its own for each upstream that the request needs. Its argument: the addresses of the
 * upstreams as JSON.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { slugOf } from '../offer.ts'
import { tell } from './part.ts'

const INFO = { name: 'naive', version: '1' }
const addresses: readonly string[] = JSON.parse(process.argv[2] ?? '[]')
const upstreams = new Map(addresses.map((address, service) => [slugOf(service), new URL(address)]))

/** The SDK's own transports are no `Transport` where optional members are taken exactly. */
const asTransport = (transport: object): Transport => transport as Transport

async function ask<T>(url: URL, question: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(INFO)
  await client.connect(asTransport(new StreamableHTTPClientTransport(url)))
  try {
    return await question(client)
  } finally {
    await client.close()
  }
}

function openServer(): Server {
  const server = new Server(INFO, { capabilities: { tools: {} } })
  server.setRequestHandler(ListToolsRequestSchema, async () => {
    const lists = await Promise.all(
      [...upstreams.values()].map((url) => ask(url, (client) => client.listTools())),
    )
    return { tools: lists.flatMap(({ tools }) => tools) }
  })
  server.setRequestHandler(CallToolRequestSchema, async ({ params }) => {
    const url = upstreams.get(params.name.split('_', 1)[0] ?? '')
    if (!url) throw new Error('No such tool')
    return await ask(url, (client) => client.callTool(params))
  })
  return server
}

const listener = createServer((request, response) => {
  const serve = async (): Promise<void> => {
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
    const server = openServer()
    response.on('close', () => void transport.close().then(() => server.close()))
    await server.connect(asTransport(transport))
    await transport.handleRequest(request, response)
  }
  serve().catch((error: unknown) => response.headersSent || response.writeHead(500).end(String(error)))
})
listener.listen(0, '127.0.0.1')
await once(listener, 'listening')
const address = listener.address()
const port = typeof address === 'object' && address ? address.port : 0
await tell({ urls: [`http://127.0.0.1:${port}/mcp`] })
