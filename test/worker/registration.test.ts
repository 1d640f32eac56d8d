/** Services through the management API: what is stored, what is refused and why, and that a refusal stores nothing. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ROWS } from '../support/dial.ts'
import { type Answer, eventually, type Gateway, TOKEN } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let stack: Stack
let gateway: Gateway
let upstream: Upstream

beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  upstream = await startUpstream({ era: 'legacy' })
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})
beforeEach(() => upstream.dial.clear())

let count = 0
const fresh = (): string => `service-${++count}`

function expectProblem(answer: Answer, status: number, code: string): void {
  expect([answer.status, answer.body.code]).toEqual([status, code])
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.body).toMatchObject({
    type: 'about:blank',
    status,
    title: expect.any(String),
    detail: expect.any(String),
  })
}

const exists = async (name: string): Promise<boolean> =>
  (await gateway.manage('GET', `/api/v1/servers/${name}`)).status === 200

describe('registering', () => {
  it('answers with the whole service and the tools discovered', async () => {
    const name = fresh()
    const { status, body, headers } = await gateway.register(name, upstream.url, {
      timeoutMs: 5_000,
      headers: { 'X-Team': 'a' },
    })
    expect(status).toBe(201)
    expect(headers.get('etag')).toMatch(/^".+"$/)
    expect(body).toMatchObject({
      id: expect.any(String),
      name,
      url: upstream.url,
      status: 'connected',
      era: 'legacy',
      timeoutMs: 5_000,
      toolCount: 8,
    })
    expect(body.tools.map((tool: { name: string }) => tool.name)).toContain('echo')
    expect(Date.parse(body.createdAt)).toBeGreaterThan(0)
  })

  it('takes everything that a service can have', async () => {
    const rest = {
      transport: 'http',
      instances: [{ url: upstream.url, weight: 3 }],
      loadBalancer: 'round_robin',
      auth: { type: 'bearer', token: 'hunter2' },
      timeoutMs: 30_000,
      rateLimit: { requestsPerMinute: 100, burstLimit: 20 },
      circuitBreaker: { failureThreshold: 5, recoveryTimeout: 30_000, halfOpenMaxCalls: 3 },
      retry: {
        maxAttempts: 3,
        backoffStrategy: 'exponential',
        initialDelay: 1_000,
        maxDelay: 10_000,
        jitter: true,
      },
      cacheTtlSeconds: 0,
      fallbackTools: [],
      headers: { 'X-Team': 'a' },
    }
    const { status, text, body } = await gateway.register(fresh(), upstream.url, rest)
    expect(status).toBe(201)
    expect(text).not.toContain('hunter2')
    expect(body).toMatchObject({
      hasCredential: true,
      rateLimit: rest.rateLimit,
      instances: [{ url: upstream.url, weight: 3 }],
    })
    expect(upstream.requests.at(-1)?.headers).toMatchObject({
      authorization: 'Bearer hunter2',
      'x-team': 'a',
    })
  })

  it('a url without a path means /mcp on that host', async () => {
    const { body } = await gateway.register(fresh(), `http://127.0.0.1:${upstream.port}`)
    expect(body.url).toBe(upstream.url)
  })

  it('a name that is taken is a 409', async () => {
    const name = fresh()
    await gateway.register(name, upstream.url)
    expectProblem(await gateway.register(name, upstream.url), 409, 'duplicate_name')
  })

  it('of two registrations of one name at once, one wins', async () => {
    const name = fresh()
    const answers = await Promise.all([
      gateway.register(name, upstream.url),
      gateway.register(name, upstream.url),
    ])
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409])
  })

  it('follows every page and keeps every byte of a tool', async () => {
    const odd =
      '{"name":"odd","inputSchema":{"type":"object","z":1,"a":2},"big":12345678901234567890,"x-vendor":[1.50]}'
    const paged = await startUpstream({ era: 'legacy', pageSize: 2, tools: [odd] })
    const name = fresh()
    const { body, text } = await gateway.register(name, paged.url)
    expect(body.tools.length).toBe(9)
    expect(text).toContain(odd)
    expect((await gateway.rpc('tools/list', undefined, { path: `/mcp/${name}` })).text).toContain(odd)
    expect((await gateway.manage('GET', `/api/v1/servers/${name}/definition`)).text).toContain(odd)
    await paged.stop()
  })
})

describe('bad input', () => {
  it.each<[string, object]>([
    ['name', { name: 'Bad_Name', url: 'https://a.example' }],
    ['name', { name: 'health', url: 'https://a.example' }],
    ['name', { url: 'https://a.example' }],
    ['name', { name: 7, url: 'https://a.example' }],
    ['url', { name: 'a' }],
    ['url', { name: 'a', url: 'nope' }],
    ['url', { name: 'a', url: '' }],
    ['url', { name: 'a', url: `https://a.example/${'x'.repeat(3_000)}` }],
    ['colour', { name: 'a', url: 'https://a.example', colour: 'red' }],
    [
      'rateLimit.perDay',
      { name: 'a', url: 'https://a.example', rateLimit: { requestsPerMinute: 1, burstLimit: 1, perDay: 1 } },
    ],
    [
      'rateLimit.burstLimit',
      { name: 'a', url: 'https://a.example', rateLimit: { requestsPerMinute: 1, burstLimit: 0 } },
    ],
    ['timeoutMs', { name: 'a', url: 'https://a.example', timeoutMs: 0 }],
    ['transport', { name: 'a', url: 'https://a.example', transport: 'stdio' }],
    ['auth.token', { name: 'a', url: 'https://a.example', auth: { type: 'bearer' } }],
    ['auth.token', { name: 'a', url: 'https://a.example', auth: { type: 'bearer', token: 'a\r\nb: c' } }],
    ['headers.Mcp-Name', { name: 'a', url: 'https://a.example', headers: { 'Mcp-Name': 'x' } }],
    ['command', { name: 'a', url: 'https://a.example', command: 'sh' }],
  ])('%s is named in a 400 (%j)', async (field, body) => {
    const answer = await gateway.manage('POST', '/api/v1/servers', body)
    expectProblem(answer, 400, 'invalid_body')
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field)
  })

  it.each(['{', '[]', '"x"', '7', 'null'])('a body of %s is a 400', async (raw) => {
    const init = { method: 'POST', headers: { 'x-api-key': 'an-api-key-of-the-tests' }, body: raw }
    expectProblem(await gateway.fetch('/api/v1/servers', init), 400, 'invalid_body')
  })

  it('S01-S05 addresses are refused where private ones are not allowed, and nothing is fetched', async () => {
    const closed = await stack.gateway({ ALLOW_PRIVATE_UPSTREAMS: undefined })
    const before = upstream.requests.length
    for (const url of [
      upstream.url,
      'https://127.0.0.1/',
      'https://localhost/',
      'https://[::1]/',
      'https://u:p@a.example/',
      'ftp://a.example/',
    ]) {
      const name = fresh()
      const answer = await closed.register(name, url)
      expectProblem(answer, 422, 'upstream_address_refused')
      expect(answer.body.reason).toMatch(/^(scheme|address|name|credentials)$/)
      expect(answer.text).not.toContain('u:p')
      expect(await exists(name)).toBe(false)
    }
    expect(upstream.requests.length).toBe(before)
  })

  it.each(['cursor=x', 'limit=0', 'limit=1001', 'limit=-1'])('a list with ?%s is a 400', async (query) =>
    expectProblem(await gateway.manage('GET', `/api/v1/servers?${query}`), 400, 'invalid_query'),
  )
})

describe('an upstream that cannot be used', () => {
  const refused = async (url: string, reason: string): Promise<void> => {
    const name = fresh()
    const answer = await gateway.register(name, url)
    expectProblem(answer, 502, 'discovery_failed')
    expect(answer.body.reason).toBe(reason)
    expect(await exists(name)).toBe(false)
  }
  it('connection: nothing listens', () => refused('http://127.0.0.1:9/mcp', 'connection'))
  it('tls: no TLS is spoken there', () => refused(upstream.url.replace('http', 'https'), 'tls'))
  it('status', async () => {
    upstream.dial.set(ROWS.F07)
    await refused(upstream.url, 'status')
  })
  it('auth', async () => {
    upstream.dial.set(ROWS.F11)
    await refused(upstream.url, 'auth')
  })
  it.each([
    ['a web page', 'text/html', '<html>'],
    ['JSON that is no JSON-RPC', 'application/json', '{"hello":"world"}'],
    ['no JSON', 'application/json', 'hello'],
  ])('not_mcp: %s', async (_, type, body) => {
    upstream.dial.set({ is: 'respond', headers: { 'content-type': type }, body })
    await refused(upstream.url, 'not_mcp')
  })
  it('connection: a socket that talks something else', async () => {
    const odd = createServer((socket) => socket.end('220 smtp ready\r\n')).listen(0, '127.0.0.1')
    await once(odd, 'listening')
    const address = odd.address()
    await refused(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`, 'connection')
    odd.close()
  })
  it('timeout', { timeout: 30_000 }, async () => {
    upstream.dial.set(ROWS.F03)
    await refused(upstream.url, 'timeout')
  })
  it.each(['F32', 'F32b'] as const)('%s a list without end', async (row) => {
    const before = upstream.calls('tools/list').length
    upstream.dial.set(ROWS[row])
    await refused(upstream.url, 'not_mcp')
    expect(upstream.calls('tools/list').length - before).toBeLessThanOrEqual(50)
  })
  it('F33 more than 1,000 tools are cut', async () => {
    const many = await startUpstream({ era: 'legacy', pageSize: 100 })
    many.dial.set(ROWS.F33)
    expect((await gateway.register(fresh(), many.url)).body.toolCount).toBe(1_000)
    await many.stop()
  })
})

describe('changing', () => {
  it('merges the fields given and discovers anew', async () => {
    const name = fresh()
    await gateway.register(name, upstream.url, { timeoutMs: 5_000 })
    upstream.offer.tools.push('{"name":"later","inputSchema":{"type":"object"}}')
    const { status, body } = await gateway.manage('PUT', `/api/v1/servers/${name}`, {
      headers: { 'X-Team': 'b' },
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({ timeoutMs: 5_000, headers: { 'X-Team': '[secret]' } })
    expect(upstream.requests.at(-1)?.headers).toMatchObject({ 'x-team': 'b' })
    expect(body.tools.map((tool: { name: string }) => tool.name)).toContain('later')
    upstream.offer.tools.pop()
  })

  it('takes away what is null: what holds then is the default', async () => {
    const name = fresh()
    const settings = {
      timeoutMs: 5_000,
      loadBalancer: 'random',
      rateLimit: { requestsPerMinute: 100, burstLimit: 20 },
      circuitBreaker: { failureThreshold: 5, recoveryTimeout: 30_000, halfOpenMaxCalls: 3 },
      retry: {
        maxAttempts: 3,
        backoffStrategy: 'linear',
        initialDelay: 1_000,
        maxDelay: 10_000,
        jitter: true,
      },
      cacheTtlSeconds: 5,
      trusted: true,
      pinDefinitions: true,
      headers: { 'x-team': 'a' },
      fallbackTools: [{ name: 'spare', inputSchema: {} }],
    }
    expect((await gateway.register(name, upstream.url, settings)).body).toMatchObject({
      ...settings,
      headers: { 'x-team': '[secret]' },
    })
    const nothing = Object.fromEntries(Object.keys(settings).map((key) => [key, null]))
    const { status, body } = await gateway.manage('PUT', `/api/v1/servers/${name}`, nothing)
    expect(status).toBe(200)
    expect(Object.keys(settings).filter((key) => key in body)).toEqual([])
    expect(upstream.requests.at(-1)?.headers).not.toHaveProperty('x-team')
    expectProblem(await gateway.manage('PUT', `/api/v1/servers/${name}`, { url: null }), 400, 'invalid_body')
  })

  it('to an address that does not work changes nothing', async () => {
    const name = fresh()
    await gateway.register(name, upstream.url)
    expectProblem(
      await gateway.manage('PUT', `/api/v1/servers/${name}`, { url: 'http://127.0.0.1:9/' }),
      502,
      'discovery_failed',
    )
    expect((await gateway.manage('GET', `/api/v1/servers/${name}`)).body).toMatchObject({
      url: upstream.url,
      status: 'connected',
    })
  })

  it('a refresh that fails keeps the last good catalogue and shows the reason', async () => {
    const name = fresh()
    await gateway.register(name, upstream.url)
    upstream.dial.set(ROWS.F08)
    expectProblem(await gateway.manage('POST', `/api/v1/servers/${name}/refresh`), 502, 'discovery_failed')
    const { body } = await gateway.manage('GET', `/api/v1/servers/${name}`)
    expect(body).toMatchObject({
      status: 'error',
      statusReason: expect.stringContaining('HTTP 503'),
      toolCount: 8,
    })
    upstream.dial.clear()
    expect((await gateway.manage('POST', `/api/v1/servers/${name}/refresh`)).body).toMatchObject({
      status: 'connected',
    })
  })

  it('cannot rename', async () => {
    const name = fresh()
    await gateway.register(name, upstream.url)
    expectProblem(
      await gateway.manage('PUT', `/api/v1/servers/${name}`, { name: 'other' }),
      400,
      'invalid_body',
    )
  })

  it('disconnects and connects: not listed, calls refused, catalogue kept', async () => {
    const name = fresh()
    await gateway.register(name, upstream.url)
    expect((await gateway.manage('POST', `/api/v1/servers/${name}/disconnect`)).body).toMatchObject({
      status: 'disconnected',
      toolCount: 8,
    })
    expect(await gateway.toolNames('/mcp?names=prefixed')).not.toContain(`${name}__echo`)
    const { body } = await gateway.rpc('tools/call', { name: `${name}__echo`, arguments: {} })
    expect(body.error).toMatchObject({ code: -31523, message: expect.stringContaining('disabled') })
    expect((await gateway.manage('POST', `/api/v1/servers/${name}/connect`)).body.status).toBe('connected')
    expect(await gateway.toolNames('/mcp?names=prefixed')).toContain(`${name}__echo`)
  })

  it('deletes softly: gone for everyone, the name free, a second time 404', async () => {
    const name = fresh()
    await gateway.register(name, upstream.url)
    expect((await gateway.manage('DELETE', `/api/v1/servers/${name}`)).status).toBe(200)
    expectProblem(await gateway.manage('DELETE', `/api/v1/servers/${name}`), 404, 'unknown_service')
    expectProblem(await gateway.manage('GET', `/api/v1/servers/${name}`), 404, 'unknown_service')
    expect((await gateway.rpc('tools/list', undefined, { path: `/mcp/${name}` })).status).toBe(404)
    expect((await gateway.register(name, upstream.url)).status).toBe(201)
  })
})

describe('bare names', () => {
  it('stay with the service that got them first, and come free when it is deleted', async () => {
    const [first, second] = [fresh(), fresh()]
    const one = await startUpstream({
      era: 'legacy',
      tools: ['{"name":"unique","inputSchema":{"type":"object"}}'],
    })
    await gateway.register(first, one.url)
    await gateway.register(second, one.url)
    expect(await gateway.toolNames()).toEqual(expect.arrayContaining(['unique', `${second}__unique`]))
    await gateway.manage('DELETE', `/api/v1/servers/${first}`)
    expect(await gateway.toolNames()).not.toContain('unique')
    await gateway.manage('POST', `/api/v1/servers/${second}/refresh`)
    expect(await gateway.toolNames()).toContain('unique')
    await one.stop()
  })
})

describe('who may manage', () => {
  it('S20 nobody without a credential, on any path', async () => {
    for (const [method, path] of [
      ['GET', '/api/v1/servers'],
      ['POST', '/api/v1/servers'],
      ['DELETE', '/api/v1/servers/x'],
      ['GET', '/api/v1/nope'],
      ['POST', '/register'],
      ['POST', '/services'],
      ['PUT', '/update/x'],
      ['DELETE', '/delete/x'],
    ] as const) {
      expect((await gateway.fetch(path, { method })).status).toBe(401)
      expect((await gateway.fetch(path, { method, headers: { 'x-api-key': 'wrong' } })).status).toBe(401)
    }
  })
  it('the bearer token only where MCP_TOKEN_MANAGES says so', async () => {
    const strict = await stack.gateway({ MCP_TOKEN_MANAGES: undefined })
    const headers = { authorization: `Bearer ${TOKEN}` }
    expectProblem(await strict.fetch('/api/v1/servers', { headers }), 403, 'forbidden')
    expect((await gateway.fetch('/api/v1/servers', { headers })).status).toBe(200)
  })
})

describe('a service that is away when it is registered', () => {
  it('is accepted with fallback tools, shows the reason, and is discovered when it returns', async () => {
    const late = await startUpstream({ era: 'legacy' })
    await late.stop()
    const name = fresh()
    const fallbackTools = [{ name: 'fallback', description: 'Later', inputSchema: { type: 'object' } }]
    const { status, body } = await gateway.register(name, late.url, { fallbackTools })
    expect([status, body.status]).toEqual([201, 'error'])
    expect(body.statusReason).toMatch(/Connection failed/)
    expect(await gateway.toolNames(`/mcp/${name}`)).toEqual(['fallback'])
    const away = await gateway.rpc(
      'tools/call',
      { name: 'fallback', arguments: {} },
      { path: `/mcp/${name}` },
    )
    expect(away.body.error).toMatchObject({ code: -31501, data: { upstream: name } })
    await late.start()
    await gateway.rpc('tools/call', { name: 'fallback', arguments: {} }, { path: `/mcp/${name}` })
    await eventually(5_000, async () => expect(await gateway.toolNames(`/mcp/${name}`)).toContain('echo'))
    expect((await gateway.manage('GET', `/api/v1/servers/${name}`)).body).toMatchObject({
      status: 'connected',
      toolCount: 8,
    })
    await late.stop()
  })
})

describe('MCP_SERVICES', () => {
  it('registers at start, with credentials', async () => {
    const demanding = await startUpstream({
      era: 'legacy',
      auth: { header: 'authorization', value: 'Bearer s3cret' },
    })
    const configured = await stack.gateway({
      MCP_SERVICES: `from-env, other-env=${upstream.url}`,
      MCP_SERVICE_FROM_ENV_URL: demanding.url,
      MCP_SERVICE_FROM_ENV_AUTH_TYPE: 'bearer',
      MCP_SERVICE_FROM_ENV_TOKEN: 's3cret',
    })
    await eventually(10_000, async () => {
      const names = (await configured.manage('GET', '/api/v1/servers')).body.items.map(
        (item: { name: string }) => item.name,
      )
      expect(names).toEqual(expect.arrayContaining(['from-env', 'other-env']))
    })
    const { body } = await configured.rpc(
      'tools/call',
      { name: 'echo', arguments: { text: 'hi' } },
      { path: '/mcp/from-env' },
    )
    expect(body.result.content[0].text).toBe('hi')
    await demanding.stop()
  })
})

describe('settings', () => {
  it.each<[string, Record<string, string | undefined>]>([
    ['API_KEY', { API_KEY: undefined }],
    ['ENCRYPTION_KEY', { ENCRYPTION_KEY: 'c2hvcnQ=' }],
    ['MCP_BEARER_TOKEN', { MCP_BEARER_TOKEN: 'mcp-token-123' }],
    ['MCP_AUTH', { MCP_AUTH: 'closed' }],
  ])('F71 a deployment with a bad %s answers 503 on every route but /health', async (_, change) => {
    const broken = await stack.gateway(change)
    expect((await broken.fetch('/health')).body).toMatchObject({ status: 'degraded' })
    for (const path of ['/mcp', '/api/v1/servers', '/nope'])
      expect((await broken.fetch(path)).status).toBe(503)
  })
})

describe('instances', () => {
  it('are listed, added and removed, and keep their ids', async () => {
    const [name, path] = [fresh(), '/api/v1/servers/']
    const { body: service } = await gateway.register(name, upstream.url)
    const instances = `${path}${name}/instances`
    const list = async () => (await gateway.manage('GET', instances)).body.items
    expect(await list()).toEqual([{ id: service.id, url: upstream.url, weight: 1 }])
    const added = await gateway.manage('POST', instances, { url: `${upstream.url}?two`, weight: 3 })
    expect(added.status).toBe(201)
    expect(added.body).toEqual({ id: expect.any(String), url: `${upstream.url}?two`, weight: 3 })
    const other = await gateway.manage('POST', instances, { url: `${upstream.url}?three` })
    expect((await list()).map(({ id }: { id: string }) => id)).toEqual([
      service.id,
      added.body.id,
      other.body.id,
    ])
    expectProblem(
      await gateway.manage('POST', instances, { url: `${upstream.url}?two` }),
      400,
      'invalid_body',
    )
    expect((await gateway.manage('DELETE', `${instances}/${added.body.id}`)).body.items).toHaveLength(2)
    expectProblem(await gateway.manage('DELETE', `${instances}/${added.body.id}`), 404, 'unknown_instance')
    expectProblem(await gateway.manage('DELETE', `${instances}/${service.id}`), 404, 'unknown_instance')
    expectProblem(await gateway.manage('GET', `${path}nobody/instances`), 404, 'unknown_service')
  })
})
