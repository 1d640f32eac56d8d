/** The fourth document (a load balancer over templates and their instances), command by command. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { curl } from '../support/curl.ts'
import { eventually, type Gateway } from '../support/gateway.ts'
import { addKey } from '../support/key.ts'
import { logIn } from '../support/people.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let stack: Stack
let gateway: Gateway
let servers: Upstream[]
let run: (command: string) => ReturnType<typeof curl>
let agent: string
let limited: { readonly authorization: string }
let unscoped: typeof limited

const startFiles = (): Promise<Upstream> =>
  startUpstream({
    tools: [
      {
        name: 'read_file',
        description: 'Read the contents of a file',
        inputSchema: { type: 'object', properties: { path: { type: 'string', description: 'File path' } } },
      },
    ],
    resources: [{ uri: 'file:///etc/hosts', name: 'hosts', mimeType: 'text/plain' }],
  })

beforeAll(async () => {
  stack = await startStack()
  limited = await addKey(stack, 'limited')
  unscoped = await addKey(stack, undefined, 'user', [])
  // The document's commands show no credential for what agents do.
  gateway = await stack.gateway({ MCP_AUTH: 'open' })
  servers = [await startFiles(), await startFiles(), await startFiles()]
  run = (command) => curl(command, { 'http://localhost:8080': gateway.url, 'your-api-key': agent })
  const made = await gateway.manage('POST', '/api/v1/keys', { name: 'my-app', role: 'user' })
  agent = made.body.key
})
afterAll(async () => {
  await stack.close()
  await Promise.all(servers.map((server) => server.stop()))
})

const register = (template: string, at: number, rest: object = {}) =>
  gateway.manage('POST', '/gateway/register', { template, endpoint: servers[at]?.url, ...rest })
const ids = new Map<string, string>()

describe('document 003, registering (over HTTP, with a credential that manages services)', () => {
  it('registers the first instance of a template as a new service', async () => {
    const { status, body } = await register('filesystem', 0)
    expect(status).toBe(201)
    expect(body).toMatchObject({ template: 'filesystem', endpoint: servers[0]?.url, weight: 1 })
    expect(body.instance_id).toBe(body.instanceId)
    expect(await gateway.toolNames('/mcp/filesystem')).toContain('read_file')
    ids.set('fs-1', body.instanceId)
  })

  it('adds others to it, in the spelling of the document too', async () => {
    const second = await register('filesystem', 1, { weight: 3 })
    const third = await gateway.manage('POST', '/gateway/register', {
      template_name: 'filesystem',
      endpoint: servers[2]?.url,
    })
    expect([second.status, third.status]).toEqual([201, 201])
    const { body } = await gateway.manage('GET', '/api/v1/servers/filesystem/instances')
    expect(body.items.map(({ id, weight }: { id: string; weight: number }) => [id, weight])).toEqual([
      [ids.get('fs-1'), 1],
      [second.body.instanceId, 3],
      [third.body.instanceId, 1],
    ])
    ids.set('fs-2', second.body.instanceId).set('fs-3', third.body.instanceId)
  })

  it('knows an instance that registers once more, and takes its new weight', async () => {
    const again = await register('filesystem', 1)
    expect([again.status, again.body.instanceId, again.body.weight]).toEqual([200, ids.get('fs-2'), 3])
    const heavier = await register('filesystem', 1, { weight: 5 })
    expect([heavier.status, heavier.body.instanceId, heavier.body.weight]).toEqual([200, ids.get('fs-2'), 5])
  })

  it.each<[string, object]>([
    ['template', { endpoint: 'http://127.0.0.1:1' }],
    ['template', { template: 'No Slug', endpoint: 'http://127.0.0.1:1' }],
    ['template', { template: 'health', endpoint: 'http://127.0.0.1:1' }],
    ['endpoint', { template: 'a' }],
    ['endpoint', { template: 'a', endpoint: 'nowhere' }],
    ['endpoint', { template: 'filesystem', endpoint: 'nowhere' }],
    ['weight', { template: 'a', endpoint: 'http://127.0.0.1:1', weight: 0 }],
    ['command', { template: 'a', command: 'python server.py', 'working-dir': '/app' }],
  ])('a bad %s is named', async (field, body) => {
    const answer = await gateway.manage('POST', '/gateway/register', body)
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_body'])
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field)
  })

  it('an endpoint that may not be called is told with the field that named it', async () => {
    const { status, body } = await gateway.manage('POST', '/gateway/register', {
      template: 'filesystem',
      endpoint: 'http://169.254.169.254/',
    })
    expect([status, body.code, body.errors[0].field]).toEqual([422, 'upstream_address_refused', 'endpoint'])
  })
})

describe('document 003, core MCP operations', () => {
  it.each(['Authorization: Bearer your-api-key', 'X-API-Key: your-api-key'])(
    'lists tools with %s',
    async (header) => {
      const { status, body } = await run(`curl -X GET http://localhost:8080/mcp/filesystem/tools/list \\
  -H "${header}"`)
      expect(status).toBe(200)
      const parameters = {
        type: 'object',
        properties: { path: { type: 'string', description: 'File path' } },
      }
      expect(body.count).toBe(body.tools.length)
      expect(body.tools).toContainEqual({
        name: 'read_file',
        description: 'Read the contents of a file',
        parameters,
        inputSchema: parameters,
      })
    },
  )

  it('lists tools with the token of a user who logged in', async () => {
    await gateway.manage('POST', '/api/v1/users', {
      username: 'admin',
      password: 'secure_password',
      role: 'admin',
    })
    const { body } = await logIn(gateway, { username: 'admin', password: 'secure_password' })
    const listed = await run(`curl -X GET http://localhost:8080/mcp/filesystem/tools/list \\
  -H "Authorization: Bearer ${body.token}"`)
    expect([listed.status, listed.body.count]).toEqual([200, 9])
  })

  it('refuses a credential that is wrong even where none is needed (S18)', async () => {
    const { status } = await run(`curl -X GET http://localhost:8080/mcp/filesystem/tools/list \\
  -H "Authorization: Bearer your-jwt-token"`)
    expect(status).toBe(401)
  })

  it('calls a tool', async () => {
    const { status, body } = await run(`curl -X POST http://localhost:8080/mcp/filesystem/tools/call \\
  -H "Content-Type: application/json" \\
  -d '{
    "name": "read_file",
    "arguments": {"path": "/etc/hosts"}
  }'`)
    expect(status).toBe(200)
    expect(body).toMatchObject({ content: expect.any(Array), isError: false })
    const calls = servers.flatMap((server) => server.calls('tools/call'))
    expect(calls.at(-1)?.message?.params).toMatchObject({
      name: 'read_file',
      arguments: { path: '/etc/hosts' },
    })
  })

  it('lists and reads resources', async () => {
    const listed = await run('curl -X GET http://localhost:8080/mcp/filesystem/resources/list')
    expect(listed.body).toMatchObject({ resources: [{ uri: 'file:///etc/hosts', name: 'hosts' }], count: 1 })
    const read = await run(`curl -X POST http://localhost:8080/mcp/filesystem/resources/read \\
  -H "Content-Type: application/json" -d '{"uri": "file:///etc/hosts"}'`)
    expect([read.status, read.body.contents[0].uri]).toEqual([200, 'file:///etc/hosts'])
    const unknown = await run(`curl -X POST http://localhost:8080/mcp/filesystem/resources/read \\
  -H "Content-Type: application/json" -d '{"uri": "file:///etc/shadow"}'`)
    expect(unknown.body).toMatchObject({ status: 400, code: 'upstream_error', reason: '-32602' })
  })

  it('spreads calls over the instances', async () => {
    const before = servers.map((server) => server.calls('tools/call').length)
    for (let at = 0; at < 12; at++) {
      const call = { name: 'echo', arguments: { text: 'hi' } }
      const answer = await gateway.fetch('/mcp/filesystem/tools/call', {
        method: 'POST',
        body: JSON.stringify(call),
      })
      expect(answer.body).toMatchObject({ content: [{ text: 'hi' }], isError: false })
    }
    const calls = servers.map((server, at) => server.calls('tools/call').length - (before[at] ?? 0))
    expect(calls.every((count) => count > 0)).toBe(true)
  })

  it.each(['round_robin', 'least_connections', 'weighted', 'health_based', 'random'])(
    'calls tools under the strategy %s',
    async (loadBalancer) => {
      await gateway.manage('PUT', '/api/v1/servers/filesystem', { loadBalancer })
      const { body } = await gateway.manage('GET', '/gateway/registry')
      expect(body.templates.filesystem.load_balancer.strategy).toBe(loadBalancer)
      const call = { name: 'echo', arguments: { text: loadBalancer } }
      const answer = await gateway.fetch('/mcp/filesystem/tools/call', {
        method: 'POST',
        body: JSON.stringify(call),
      })
      expect(answer.body.content[0].text).toBe(loadBalancer)
    },
  )

  it('a tool that a caller may not use is as if there were none (B96)', async () => {
    const rule = { agentType: 'limited', tool: 'filesystem__read_file' }
    await gateway.manage('PUT', '/api/v1/permissions', { ...rule, allowed: false })
    const listed = await gateway.fetch('/mcp/filesystem/tools/list', { headers: limited })
    expect(listed.body.tools.map(({ name }: { name: string }) => name)).not.toContain('read_file')
    const call = (name: string) =>
      gateway.fetch('/mcp/filesystem/tools/call', {
        method: 'POST',
        headers: limited,
        body: JSON.stringify({ name }),
      })
    const denied = await call('read_file')
    expect([denied.status, denied.body.code]).toEqual([404, 'unknown_tool'])
    expect((await call('daer_file')).text).toBe(denied.text.replaceAll('read_file', 'daer_file'))
    await gateway.manage('DELETE', '/api/v1/permissions', rule)
  })

  it('a toolset is a template too, and what there is not is none', async () => {
    await gateway.manage('POST', '/api/v1/toolsets', { slug: 'reading', tools: ['filesystem__read_file'] })
    const { body } = await run('curl -X GET http://localhost:8080/mcp/reading/tools/list')
    expect([body.count, body.tools[0].name]).toEqual([1, 'read_file'])
    for (const path of ['tools/list', 'resources/list', 'health']) {
      const none = await run(`curl -X GET http://localhost:8080/mcp/nobody/${path}`)
      expect([none.status, none.body.code]).toEqual([404, 'unknown_service'])
    }
  })

  it.each<[string, string, object]>([
    ['tools/call', 'name', {}],
    ['tools/call', 'name', { name: 5 }],
    ['tools/call', 'arguments', { name: 'echo', arguments: [] }],
    ['tools/call', 'odd', { name: 'echo', odd: 1 }],
    ['resources/read', 'uri', {}],
    ['resources/read', 'uri', { uri: '' }],
  ])('%s with a bad %s names it', async (path, field, body) => {
    const answer = await gateway.fetch(`/mcp/filesystem/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    })
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_body'])
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field)
  })
})

describe('document 003, health and statistics', () => {
  it('tells how many instances of a template are there', async () => {
    await servers[2]?.stop()
    // A call finds it gone; the guard hears of it.
    await eventually(15_000, async () => {
      const call = { name: 'echo', arguments: { text: 'hi' } }
      await gateway.fetch('/mcp/filesystem/tools/call', { method: 'POST', body: JSON.stringify(call) })
      const { status, body } = await run('curl -X GET http://localhost:8080/mcp/filesystem/health')
      expect(status).toBe(200)
      expect(body).toEqual({
        template_name: 'filesystem',
        total_instances: 3,
        healthy_instances: 2,
        health_percentage: 66.7,
        instances: {
          [ids.get('fs-1') ?? '']: { healthy: true, status: 'healthy' },
          [ids.get('fs-2') ?? '']: { healthy: true, status: 'healthy' },
          [ids.get('fs-3') ?? '']: { healthy: false, status: 'unhealthy' },
        },
      })
    })
  })

  it('S25 tells a credential that may not even read what it lacks', async () => {
    for (const path of ['health', 'tools/list']) {
      const { status, headers, body } = await gateway.fetch(`/mcp/filesystem/${path}`, { headers: unscoped })
      expect([status, body.code]).toEqual([403, 'insufficient_scope'])
      expect(headers.get('www-authenticate')).toContain('scope="mcp:read"')
    }
  })

  it('answers the health check of the gateway to anybody', async () => {
    await eventually(10_000, async () => {
      const { status, body } = await run('curl http://localhost:8080/gateway/health')
      expect([status, body.status]).toEqual([200, 'ok'])
    })
  })

  it('views registered instances (with a credential, where the command shows none)', async () => {
    expect((await run('curl http://localhost:8080/gateway/registry')).status).toBe(401)
    const { status, body } = await gateway.manage('GET', '/gateway/registry')
    expect(status).toBe(200)
    expect(body.stats).toMatchObject({ total_templates: 1, total_instances: 3 })
    expect(body.templates.filesystem.instances[1]).toEqual({
      id: ids.get('fs-2'),
      template_name: 'filesystem',
      endpoint: servers[1]?.url,
      transport: 'http',
      status: 'healthy',
      weight: 5,
    })
  })

  it('gives detailed statistics, .health_checker among them (with a credential, where the command shows none)', async () => {
    expect((await run('curl http://localhost:8080/gateway/stats')).status).toBe(401)
    const { status, body } = await gateway.manage('GET', '/gateway/stats')
    expect(status).toBe(200)
    expect(body.health_checker).toMatchObject({
      running: true,
      check_interval: 30,
      total_instances: 3,
      healthy_instances: 2,
      unhealthy_instances: 1,
    })
    expect(body.registry.templates.filesystem).toMatchObject({
      total_instances: 3,
      load_balancer_strategy: 'random',
    })
    expect(body.load_balancer.available_strategies).toHaveLength(5)
    expect(body.gateway.total_requests).toBeGreaterThan(12)
  })

  it('gives a page at a time', async () => {
    await register('another', 0)
    const first = await gateway.manage('GET', '/gateway/registry?limit=1')
    expect([Object.keys(first.body.templates), first.body.nextCursor]).toEqual([['filesystem'], '1'])
    const second = await gateway.manage('GET', '/gateway/stats?limit=1&cursor=1')
    expect([Object.keys(second.body.registry.templates), second.body.nextCursor]).toEqual([
      ['another'],
      undefined,
    ])
    expect((await gateway.manage('GET', '/gateway/stats?limit=0')).body.errors[0].field).toBe('limit')
  })
})

describe('document 003, deregistering', () => {
  const deregister = (name: string, template = 'filesystem') =>
    gateway.manage('DELETE', `/gateway/deregister/${template}/${ids.get(name)}`)

  it('takes an instance away, once', async () => {
    const { status, body } = await deregister('fs-3')
    expect(status).toBe(200)
    expect(body).toMatchObject({ success: true, template: 'filesystem', instanceId: ids.get('fs-3') })
    const again = await deregister('fs-3')
    expect([again.status, again.body.code]).toEqual([404, 'unknown_instance'])
    const elsewhere = await deregister('fs-1', 'nobody')
    expect([elsewhere.status, elsewhere.body.code]).toEqual([404, 'unknown_service'])
  })

  it('lets another instance take the place of the first', async () => {
    expect((await deregister('fs-1')).status).toBe(200)
    const { body } = await gateway.manage('GET', '/api/v1/servers/filesystem/instances')
    expect(body.items).toEqual([{ id: ids.get('fs-2'), url: servers[1]?.url, weight: 5 }])
    expect((await gateway.manage('GET', '/api/v1/servers/filesystem')).body.url).toBe(servers[1]?.url)
  })

  it('removes the service with its last instance', async () => {
    expect((await deregister('fs-2')).status).toBe(200)
    const { status, body } = await gateway.fetch('/mcp/filesystem/tools/list')
    expect([status, body.code]).toEqual([404, 'unknown_service'])
  })
})
