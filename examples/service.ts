/**
 * What both example services share: an MCP server of both eras on `POST /mcp`, `GET /health`, and the bearer
 * token that `MCP_BEARER_TOKEN` demands when it is set.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, type McpServer } from '@modelcontextprotocol/server'

export type ServiceOptions = {
  readonly name: string
  /** 0: any free port. */
  readonly port: number
  readonly createMcpServer: () => McpServer
  /** Demanded of every MCP request when given. */
  readonly token?: string | undefined
}

export type Service = { readonly url: string; close(): Promise<void> }

/** Listens on 127.0.0.1. Rejects with one line when the port is taken. */
export async function startService({ name, port, createMcpServer, token }: ServiceOptions): Promise<Service> {
  const serveMcp = toNodeHandler(createMcpHandler(createMcpServer))
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const [path] = (request.url ?? '').split('?', 1)
    if (path === '/health') return send(response, 200, { status: 'ok', service: name })
    if (path !== '/mcp') return send(response, 404, { error: 'not_found' })
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) {
      response.setHeader('www-authenticate', 'Bearer')
      return send(response, 401, { error: 'unauthorized' })
    }
    // Node's types let a request lack what every request on a server has.
    return void serveMcp(
      Object.assign(request, { method: request.method ?? '', url: request.url ?? '' }),
      response,
    )
  })
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (error) {
    const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
    if (!isTaken) throw error
    throw new Error(`${name}: port ${port} is taken. Stop what listens there, or choose another port.`, {
      cause: error,
    })
  }
  const address = server.address()
  const taken = typeof address === 'object' && address ? address.port : port
  return {
    url: `http://127.0.0.1:${taken}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Runs a service as a program of its own: until its parent or the operator ends it. */
export async function runService(options: ServiceOptions): Promise<void> {
  try {
    const token = process.env['MCP_BEARER_TOKEN'] === '' ? undefined : process.env['MCP_BEARER_TOKEN']
    const service = await startService({ ...options, token })
    console.log(`${options.name} listens on ${service.url}`)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(0))
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
