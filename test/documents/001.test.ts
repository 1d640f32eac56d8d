/** The second document (a service mesh with example services), command by command. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startShoppingService } from '../../examples/shopping-service/server.ts'
import { startUserService } from '../../examples/user-service/server.ts'
import type { Service } from '../../examples/service.ts'
import { curl } from '../support/curl.ts'
import { eventually, type Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'

let stack: Stack
let gateway: Gateway
let services: Service[]
let run: (command: string) => ReturnType<typeof curl>

beforeAll(async () => {
  stack = await startStack()
  const custom = await startUserService(0)
  services = [await startShoppingService(0), await startUserService(0), custom]
  const [shop, users] = services
  gateway = await stack.gateway({
    MCP_BEARER_TOKEN: 'mcp-token-123',
    DEVELOPMENT: 'true',
    MCP_SERVICES: `shopping-service=${shop?.url},user-service=${users?.url}`,
  })
  const hosts = {
    'http://localhost:3001': gateway.url,
    'http://localhost:3002': shop?.url ?? '',
    'http://localhost:3003': users?.url ?? '',
    'http://custom-service:3000': custom.url,
  }
  run = (command) => curl(command, hosts)
  await eventually(10_000, async () =>
    expect((await gateway.fetch('/health')).body.services.connected).toBe(2),
  )
})
afterAll(async () => {
  await stack.close()
  await Promise.all(services.map((service) => service.close()))
})

describe('document 001', () => {
  it.each(['3002', '3003', '3001'])('every service on %s is healthy', async (port) => {
    await eventually(10_000, async () => {
      const { status, body } = await run(`curl http://localhost:${port}/health`)
      expect([status, body.status]).toEqual([200, 'ok'])
    })
  })

  it('rejects a request without a token', async () => {
    const { status, headers } = await run(`curl -X POST http://localhost:3001/mcp \\
  -H "Content-Type: application/json" \\
  -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'`)
    expect(status).toBe(401)
    expect(headers.get('www-authenticate')).toMatch(/^Bearer/)
  })

  it('lists the tools of the services registered at start', async () => {
    const { body } = await run(`curl -X POST http://localhost:3001/mcp \\
  -H "Content-Type: application/json" \\
  -H "Authorization: Bearer mcp-token-123" \\
  -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'`)
    expect(body.result.tools.map(({ name }: { name: string }) => name)).toEqual([
      'getProductById',
      'getUserById',
    ])
  })

  it.each([
    ['getProductById', '123', 'Mechanical keyboard'],
    ['getUserById', '456', 'Grace Hopper'],
  ])('calls %s', async (name, id, expected) => {
    const { status, body } = await run(`curl -X POST http://localhost:3001/mcp \\
  -H "Content-Type: application/json" \\
  -H "Authorization: Bearer mcp-token-123" \\
  -d '{
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {
      "name": "${name}",
      "arguments": {"id": "${id}"}
    }
  }'`)
    expect(status).toBe(200)
    expect(body.result.structuredContent).toMatchObject({ id, name: expected })
  })

  it('registers a new service with the bearer token', async () => {
    const { status, body } = await run(`curl -X POST http://localhost:3001/register \\
  -H "Content-Type: application/json" \\
  -H "Authorization: Bearer mcp-token-123" \\
  -d '{
    "name": "custom-service",
    "url": "http://custom-service:3000"
  }'`)
    expect(status).toBe(201)
    expect(body).toMatchObject({ name: 'custom-service', tools: [{ name: 'getUserById' }] })
    expect(await gateway.toolNames('/mcp/custom-service')).toEqual(['getUserById'])
  })

  it('shows the registered services', async () => {
    const { status, body } = await run(`curl -X POST http://localhost:3001/services \\
  -H "Authorization: Bearer mcp-token-123"`)
    expect(status).toBe(200)
    const rows = body.items.map(({ name, status: state, toolCount }: Record<string, unknown>) => [
      name,
      state,
      toolCount,
    ])
    expect(rows).toEqual([
      ['shopping-service', 'connected', 1],
      ['user-service', 'connected', 1],
      ['custom-service', 'connected', 1],
    ])
  })

  it('the services demand a bearer token of their own where they have one', async () => {
    const guarded = await startShoppingService(0, 's3cret')
    const body = { name: 'guarded', url: guarded.url }
    const headers = { authorization: 'Bearer mcp-token-123' }
    const register = (auth?: object) =>
      gateway.fetch('/register', {
        method: 'POST',
        headers,
        body: JSON.stringify({ ...body, ...(auth ? { auth } : {}) }),
      })
    expect((await register()).body).toMatchObject({ code: 'discovery_failed', reason: 'auth' })
    expect((await register({ type: 'bearer', token: 's3cret' })).status).toBe(201)
    await guarded.close()
  })
})
