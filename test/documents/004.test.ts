/** The fifth document (servers, tools, permissions and usage under one API), row by row of its tables. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, type Gateway, STAYS_CLOSED } from '../support/gateway.ts'
import { addKey } from '../support/key.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let stack: Stack
let gateway: Gateway
let upstream: Upstream
let agent: { readonly authorization: string }

beforeAll(async () => {
  stack = await startStack()
  agent = await addKey(stack, 'coder')
  gateway = await stack.gateway()
  upstream = await startUpstream()
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})

const servers = '/api/v1/servers'
const call = (name: string, args: object = {}) =>
  gateway.fetch('/api/v1/tools/call', {
    method: 'POST',
    headers: { ...agent, 'content-type': 'application/json' },
    body: JSON.stringify({ name, arguments: args }),
  })

describe('document 004, servers', () => {
  it('GET /health is the health check', async () => {
    await eventually(10_000, async () => expect((await gateway.fetch('/health')).body.status).toBe('ok'))
  })

  it('POST /api/v1/servers registers one, by its slug as `name`, its settings beside it instead of in `config`', async () => {
    const { status, body } = await gateway.register('search', upstream.url, STAYS_CLOSED)
    expect(status).toBe(201)
    expect(body).toMatchObject({
      id: expect.stringMatching(/^[\da-f-]{36}$/),
      name: 'search',
      transport: 'http',
      status: 'connected',
      lastPingAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    })
  })

  it('a transport that is a process is refused (stdio)', async () => {
    const { status, body } = await gateway.register('local', upstream.url, { transport: 'stdio' })
    expect([status, body.errors[0].field]).toEqual([400, 'transport'])
  })

  it('GET /api/v1/servers lists them', async () => {
    const { body } = await gateway.manage('GET', servers)
    expect(body.items).toMatchObject([{ name: 'search', status: 'connected' }])
  })

  it('GET /api/v1/servers/:id gives details and status, by id and by slug', async () => {
    const bySlug = await gateway.manage('GET', `${servers}/search`)
    const byId = await gateway.manage('GET', `${servers}/${bySlug.body.id}`)
    expect(byId.body).toEqual(bySlug.body)
    expect(bySlug.body.tools.length).toBe(bySlug.body.toolCount)
  })

  it('PUT /api/v1/servers/:id updates it', async () => {
    const { status, body } = await gateway.manage('PUT', `${servers}/search`, { timeoutMs: 4_000 })
    expect([status, body.timeoutMs]).toEqual([200, 4_000])
  })

  it('POST /api/v1/servers/:id/disconnect and /connect take it away and bring it back', async () => {
    const away = await gateway.manage('POST', `${servers}/search/disconnect`)
    expect(away.body.status).toBe('disconnected')
    expect((await call('echo')).body.code).toBe('service_disabled')
    const back = await gateway.manage('POST', `${servers}/search/connect`)
    expect(back.body.status).toBe('connected')
    expect((await call('echo', { text: 'hi' })).status).toBe(200)
  })

  it('a server that does not answer has the status "error"', async () => {
    const gone = await startUpstream()
    await gateway.register('gone', gone.url, { fallbackTools: [{ name: 'later', inputSchema: {} }] })
    await gone.stop()
    await gateway.manage('PUT', `${servers}/gone`, { timeoutMs: 1_000 })
    const { body } = await gateway.manage('GET', `${servers}/gone`)
    expect([body.status, body.statusReason]).toEqual(['error', expect.any(String)])
    await gateway.manage('DELETE', `${servers}/gone`)
  })
})

describe('document 004, tools and permissions', () => {
  it('GET /api/v1/tools lists all tools across servers', async () => {
    const { body } = await gateway.manage('GET', '/api/v1/tools')
    const echo = body.items.find(({ name }: { name: string }) => name === 'echo')
    expect(echo).toMatchObject({
      name: 'echo',
      service: 'search',
      description: 'The tool echo',
      inputSchema: { type: 'object' },
      isEnabled: true,
    })
  })

  it('POST /api/v1/tools/call invokes one', async () => {
    const { status, body } = await call('echo', { text: 'hi' })
    expect([status, body.content[0].text]).toEqual([200, 'hi'])
  })

  it('a tool that is not enabled is not there', async () => {
    await gateway.manage('PATCH', '/api/v1/tools/search/echo', { isEnabled: false })
    expect((await call('echo')).body.code).toBe('unknown_tool')
    await gateway.manage('PATCH', '/api/v1/tools/search/echo', { isEnabled: true })
  })

  it('PUT /api/v1/permissions sets what GET /api/v1/permissions/:agentType gives, by agent type or "*"', async () => {
    const rules = [
      { agentType: '*', tool: 'search/*', allowed: true },
      { agentType: 'coder', tool: 'echo', allowed: false },
    ]
    expect((await gateway.manage('PUT', '/api/v1/permissions', rules)).status).toBe(200)
    const { body } = await gateway.manage('GET', '/api/v1/permissions/coder')
    expect(body.items).toEqual(expect.arrayContaining(rules.map((rule) => expect.objectContaining(rule))))
    expect((await call('echo')).body.code).toBe('unknown_tool')
    await gateway.manage('PUT', '/api/v1/permissions', { ...rules[1], allowed: true })
    expect((await call('echo', { text: 'hi' })).status).toBe(200)
  })
})

describe('document 004, result cache', () => {
  it('gives a result again for as long as the TTL of its tool says', async () => {
    await gateway.manage('PATCH', '/api/v1/tools/search/raw', { cacheTtlSeconds: 60 })
    const before = upstream.calls('tools/call').length
    for (let at = 0; at < 5; at++) expect((await call('raw')).status).toBe(200)
    expect(upstream.calls('tools/call').length - before).toBe(1)
  })
})

describe('document 004, analytics', () => {
  const usage = async (groupBy: string): Promise<any[]> =>
    (await gateway.manage('GET', `/api/v1/analytics/usage?status=success&groupBy=${groupBy}`)).body.items

  it('GET /api/v1/analytics/usage counts the calls above, by tool and by caller', async () => {
    await eventually(15_000, async () => {
      const echo = (await usage('tool')).find(({ tool }) => tool === 'echo')
      expect(echo).toMatchObject({ service: 'search', calls: 3, errors: 0, cached: 0 })
      expect(echo.p50Ms).toBeGreaterThanOrEqual(0)
      expect(await usage('caller')).toMatchObject([
        { caller: expect.any(String), callerType: 'agent', calls: 8, cached: 4 },
      ])
    })
  })

  it('each call has its row: the fields of McpToolUsage, words only where they are captured', async () => {
    const rows = await stack.query(
      "select * from tool_usage where status = 'success' and tool = 'echo' limit 1",
    )
    expect(rows).toMatchObject([{ tool: 'echo', caller_type: 'agent', is_cached: false }])
    expect(rows[0]?.['duration_ms']).toBeGreaterThanOrEqual(0)
  })
})

describe('document 004, removal', () => {
  it('DELETE /api/v1/servers/:id removes a server, once', async () => {
    expect((await gateway.manage('DELETE', `${servers}/search`)).status).toBe(200)
    expect((await gateway.manage('DELETE', `${servers}/search`)).status).toBe(404)
    expect((await gateway.manage('GET', '/api/v1/tools')).body.items).toEqual([])
  })
})
