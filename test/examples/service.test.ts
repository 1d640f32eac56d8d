/** The example services as clients of both eras see them, and as programs of their own. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Service } from '../../examples/service.ts'
import { startShoppingService } from '../../examples/shopping-service/server.ts'
import { startUserService } from '../../examples/user-service/server.ts'
import { findFreePort } from '../../local/port.ts'
import { eventually } from '../support/gateway.ts'

const EXAMPLES = join(import.meta.dirname, '../../examples')
const WHO = { name: 'test', version: '1' }

describe.each([
  { name: 'shopping-service', start: startShoppingService, tool: 'getProductById', id: '123' },
  { name: 'user-service', start: startUserService, tool: 'getUserById', id: '456' },
])('$name', ({ name, start, tool, id }) => {
  let service: Service
  beforeAll(async () => {
    service = await start(0)
  })
  afterAll(() => service.close())

  it.each(['legacy', 'modern'])('serves %s clients', async (era) => {
    const url = new URL('/mcp', service.url)
    const modern = new ModernClient(WHO, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
    const legacy = new Client(WHO)
    if (era === 'modern') await modern.connect(new ModernTransport(url))
    else await legacy.connect(new StreamableHTTPClientTransport(url))
    const client = era === 'modern' ? modern : legacy
    const { tools } = await client.listTools()
    expect(tools).toMatchObject([
      {
        name: tool,
        title: expect.any(String),
        annotations: { readOnlyHint: true },
        inputSchema: { properties: { id: { type: 'string', description: expect.any(String) } } },
        outputSchema: { type: 'object' },
      },
    ])
    const found = await client.callTool({ name: tool, arguments: { id } })
    expect(found.structuredContent).toMatchObject({ id })
    expect(found.content).toEqual([{ type: 'text', text: JSON.stringify(found.structuredContent) }])
    const unknown = await client.callTool({ name: tool, arguments: { id: '999' } })
    expect(unknown).toMatchObject({ isError: true, content: [{ text: expect.stringContaining(id) }] })
    await client.close()
  })

  it('is healthy, and survives paths that make no sense', async () => {
    expect(await (await fetch(`${service.url}/health`)).json()).toEqual({ status: 'ok', service: name })
    expect((await fetch(`${service.url}//`)).status).toBe(404)
    expect((await fetch(`${service.url}/health?now`)).status).toBe(200)
  })

  it('demands its token of every MCP request, not of the health check', async () => {
    const guarded = await start(0, 'secret')
    const call = (authorization: string) =>
      fetch(`${guarded.url}/mcp`, {
        method: 'POST',
        headers: {
          authorization,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
        body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
      })
    expect((await call('Bearer wrong')).status).toBe(401)
    expect((await call('Bearer secret')).status).toBe(200)
    expect((await fetch(`${guarded.url}/health`)).status).toBe(200)
    await guarded.close()
  })

  it('runs alone, and says in one line that its port is taken', async () => {
    const port = await findFreePort()
    const variable = `${name.toUpperCase().replace('-', '_')}_PORT`
    const env = { ...process.env, [variable]: String(port), MCP_BEARER_TOKEN: '' }
    const script = join(EXAMPLES, name, 'server.ts')
    const child = spawn(process.execPath, [script], { env, stdio: 'ignore' })
    await eventually(10_000, async () => {
      expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200)
    })
    const second = promisify(execFile)(process.execPath, [script], { env })
    await expect(second).rejects.toMatchObject({
      code: 1,
      stderr: `${name}: port ${port} is taken. Stop what listens there, or choose another port.\n`,
    })
    child.kill('SIGTERM')
    const [code] = await once(child, 'exit')
    expect(code).toBe(0)
  })
})
