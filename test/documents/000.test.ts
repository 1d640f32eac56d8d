/** The first document (federation with Postgres and Redis), command by command. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startShoppingService } from '../../examples/shopping-service/server.ts'
import { startUserService } from '../../examples/user-service/server.ts'
import { curl } from '../support/curl.ts'
import { eventually, type Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'

let stack: Stack
let gateway: Gateway
let close: () => Promise<unknown>
let run: (command: string) => ReturnType<typeof curl>

beforeAll(async () => {
  stack = await startStack()
  // The document's MCP endpoint asks for no credential; its management does.
  gateway = await stack.gateway({ API_KEY: 'mcp-api-key-123', DEVELOPMENT: 'true', MCP_AUTH: 'open' })
  const [shop, users] = await Promise.all([startShoppingService(0), startUserService(0)])
  close = () => Promise.all([shop.close(), users.close()])
  const hosts = {
    'http://localhost:3001': gateway.url,
    'http://localhost:3002': shop.url,
    'http://localhost:3003': users.url,
  }
  run = (command) => curl(command, hosts)
})
afterAll(async () => {
  await stack.close()
  await close()
})

const version = async (): Promise<number> => (await gateway.fetch('/health')).body.registryVersion

describe('document 000', () => {
  it('registers user-service', async () => {
    const { status, body } = await run(`curl -X POST http://localhost:3001/register \\
  -H "Content-Type: application/json" \\
  -H "X-API-Key: mcp-api-key-123" \\
  -d '{
    "name": "user-service",
    "url": "http://localhost:3003"
  }'`)
    expect(status).toBe(201)
    expect(body).toMatchObject({
      name: 'user-service',
      status: 'connected',
      tools: [{ name: 'getUserById' }],
    })
  })

  it('registers shopping-service, and the registry version moves on', async () => {
    const before = await version()
    const { status } = await run(`curl -X POST http://localhost:3001/register \\
  -H "Content-Type: application/json" \\
  -H "X-API-Key: mcp-api-key-123" \\
  -d '{
    "name": "shopping-service", 
    "url": "http://localhost:3002"
  }'`)
    expect(status).toBe(201)
    expect(await version()).toBeGreaterThan(before)
  })

  it('keeps the version as a timestamp in Redis under mcp:registry:version', async () => {
    const headers = { authorization: 'Bearer redis-token' }
    const response = await fetch(`${stack.redisUrl}/get/mcp:registry:version`, { headers })
    const { result } = JSON.parse(await response.text())
    expect(Math.abs(Date.now() - Number(result))).toBeLessThan(60_000)
  })

  it('refuses a registration without or with a wrong key', async () => {
    const register = `curl -X POST http://localhost:3001/register -H "Content-Type: application/json" -d '{"name":"x","url":"http://localhost:3003"}'`
    expect((await run(register)).status).toBe(401)
    expect((await run(`${register} -H "X-API-Key: wrong"`)).status).toBe(401)
  })

  it('speaks MCP at /mcp without a credential', async () => {
    const { body } = await run(
      `curl -X POST http://localhost:3001/mcp -H "Content-Type: application/json" -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'`,
    )
    expect(body.result.tools.map(({ name }: { name: string }) => name)).toEqual([
      'getUserById',
      'getProductById',
    ])
  })

  it('lists the tools for a client of the official SDK', async () => {
    const client = new Client({ name: 'cli', version: '1' })
    await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`)))
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual([
      'getUserById',
      'getProductById',
    ])
    await client.close()
  })

  it('updates a service: fetches its tools again', async () => {
    const { status, body } = await run(`curl -X PUT http://localhost:3001/update/user-service \\
  -H "X-API-Key: mcp-api-key-123"`)
    expect(status).toBe(200)
    expect(body).toMatchObject({ name: 'user-service', tools: [{ name: 'getUserById' }] })
  })

  it('answers the health check', async () => {
    await eventually(10_000, async () => {
      const { status, body } = await run('curl http://localhost:3001/health')
      expect(status).toBe(200)
      expect(body).toMatchObject({ status: 'ok', services: { connected: 2 } })
    })
  })

  it('deletes a service softly', async () => {
    const { status } = await run(`curl -X DELETE http://localhost:3001/delete/user-service \\
  -H "X-API-Key: mcp-api-key-123"`)
    expect(status).toBe(200)
    expect(await gateway.toolNames()).toEqual(['getProductById'])
    const rows = await stack.query(
      `select name, deleted_at is not null as deleted from services where name = 'user-service'`,
    )
    expect(rows).toEqual([{ name: 'user-service', deleted: true }])
  })
})
