/** The third document (a resilient gateway for microservices), request by request. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkConfigured } from '../../src/admin/configured.ts'
import { readConfigured } from '../../src/platform/configured.ts'
import { eventually, type Gateway, STAYS_CLOSED } from '../support/gateway.ts'
import { addKey } from '../support/key.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let stack: Stack
let gateway: Gateway
let users: Upstream
let agent: { readonly authorization: string }

beforeAll(async () => {
  stack = await startStack()
  agent = await addKey(stack, 'chatbot')
  gateway = await stack.gateway()
  users = await startUpstream({ tools: [{ name: 'getUser', inputSchema: { type: 'object' } }] })
  await gateway.register('user-service', users.url, {
    ...STAYS_CLOSED,
    rateLimit: { requestsPerMinute: 6_000, burstLimit: 200 },
  })
})
afterAll(async () => {
  await stack.close()
  await users.stop()
})

/** The request of the document, with the changes that a test makes. */
const documented = (changes: object = {}, metadata: object = {}) => ({
  id: 'request-123',
  timestamp: '2025-01-21T10:30:00Z',
  service: 'user-service',
  operation: 'getUser',
  parameters: { userId: '123' },
  metadata: {
    correlationId: 'corr-123',
    timeout: 30_000,
    priority: 'normal',
    agentId: 'chatbot-agent',
    ...metadata,
  },
  ...changes,
})
const send = (body: unknown, headers: Record<string, string> = agent) =>
  gateway.fetch('/mcp/request', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

describe('document 002, quick start', () => {
  const root = join(import.meta.dirname, '../..')
  const example = readFileSync(join(root, '.env.mcp-gateway.example'), 'utf8')

  it('npm run gateway:dev is npm start', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    expect(scripts['gateway:dev']).toBe(scripts.start)
    expect(scripts.gateway).toBe(scripts.serve.replace('run.mjs ', 'run.mjs --env-file-if-exists=.env '))
  })

  it('npm run gateway reads the example, and names what is still to be set', async () => {
    const args = ['local/run.mjs', '--env-file=.env.mcp-gateway.example', 'local/serve.ts']
    const child = spawn(process.execPath, args, { cwd: root, env: { PATH: process.env['PATH'] } })
    let said = ''
    child.stderr.on('data', (chunk) => (said += String(chunk)))
    const [code] = await once(child, 'close')
    const named = ['DATABASE_URL', 'API_KEY', 'MCP_BEARER_TOKEN', 'ENCRYPTION_KEY', 'JWT_SECRET']
    expect([code, said.match(/^\w+(?= is not set)/gm)]).toEqual([1, named])
  })

  it('the services of the example can be configured so', () => {
    const set = new Map(
      Array.from(example.matchAll(/^#? ?(\w+)=(.*)$/gm), ([, name = '', value = '']) => [name, value]),
    )
    const faults: string[] = []
    const configured = readConfigured([...set.keys()], (name) => set.get(name) ?? '', faults)
    expect(checkConfigured(configured)).toMatchObject({
      ok: true,
      value: [
        {
          name: 'my-service',
          auth: { type: 'bearer', token: 'your-bearer-token' },
          timeoutMs: 30_000,
          rateLimit: { requestsPerMinute: 100, burstLimit: 20 },
          circuitBreaker: { failureThreshold: 5, recoveryTimeout: 30_000, halfOpenMaxCalls: 3 },
          retry: { maxAttempts: 3, backoffStrategy: 'exponential', maxDelay: 10_000, jitter: true },
        },
      ],
    })
    expect(faults).toEqual([])
  })
})

describe('document 002, health check', () => {
  it('GET /mcp/health returns gateway and service health; who manages services is told each by name', async () => {
    await eventually(5_000, async () => {
      const anyone = await gateway.fetch('/mcp/health')
      expect([anyone.status, anyone.body.status]).toEqual([200, 'healthy'])
      expect(anyone.body.services.connected).toBe(1)
      expect(anyone.text).not.toContain('user-service')
    })
    const { body } = await gateway.manage('GET', '/mcp/health')
    expect(body.serviceHealth).toMatchObject([{ name: 'user-service', status: 'healthy' }])
  })
})

describe('document 002, service discovery (with a credential that manages services, where it shows none)', () => {
  it('GET /mcp/services lists all services and their status', async () => {
    const { status, body } = await gateway.manage('GET', '/mcp/services')
    expect(status).toBe(200)
    expect(body.items).toMatchObject([{ name: 'user-service', status: 'connected' }])
  })

  it('GET /mcp/services/:serviceName/definition gives the definition of one', async () => {
    const { status, body } = await gateway.manage('GET', '/mcp/services/user-service/definition')
    expect(status).toBe(200)
    expect(body.tools.map(({ name }: { name: string }) => name)).toContain('getUser')
  })

  it('GET /mcp/services/:serviceName/metrics gives circuit breaker and rate limiter', async () => {
    const { status, body } = await gateway.manage('GET', '/mcp/services/user-service/metrics')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      breaker: { state: 'closed' },
      bucket: { requestsPerMinute: 6_000, burstLimit: 200 },
    })
  })

  it('a service that there is not is a problem', async () => {
    for (const path of ['definition', 'metrics']) {
      const { status, body } = await gateway.manage('GET', `/mcp/services/nobody/${path}`)
      expect([status, body.code]).toEqual([404, 'unknown_service'])
    }
  })
})

describe('document 002, MCP request (with an agent’s credential, where it shows none)', () => {
  it('answers the documented request in its envelope', async () => {
    const { status, headers, body } = await send(documented())
    expect(status).toBe(200)
    expect(body).toEqual({
      id: 'request-123',
      status: 'success',
      data: expect.objectContaining({ content: expect.any(Array) }),
      metadata: { correlationId: 'corr-123', processingTimeMs: expect.any(Number) },
    })
    expect(headers.get('x-correlation-id')).toBe('corr-123')
    const { message } = users.calls('tools/call').at(-1) ?? {}
    expect(message?.params).toMatchObject({ name: 'getUser', arguments: { userId: '123' } })
  })

  it('needs no metadata and no parameters, and passes numbers that no double holds', async () => {
    const { id, service, operation } = documented()
    const { body } = await send({ id, service, operation })
    expect(body).toMatchObject({
      status: 'success',
      metadata: { correlationId: expect.stringMatching(/^[\da-f-]{36}$/) },
    })
    await send(
      `{"id":"1","service":"user-service","operation":"echo","parameters":{"n":12345678901234567890}}`,
    )
    expect(users.calls('tools/call').at(-1)?.body).toContain('12345678901234567890')
  })

  it('writes down who asked on whose behalf, and how urgently', async () => {
    await send(documented({}, { correlationId: 'written-down', priority: 'high' }))
    await eventually(10_000, async () => {
      const rows = await stack.query(
        "select detail from audit_log where detail->>'correlationId' = 'written-down'",
      )
      expect(rows).toMatchObject([
        { detail: { agentId: 'chatbot-agent', priority: 'high', agentType: 'chatbot' } },
      ])
    })
  })

  it('writes a refusal down once (S62)', async () => {
    await send(documented({ operation: 'nothing' }, { correlationId: 'refused-once' }))
    await send(documented({ id: 5 }))
    await eventually(10_000, async () => {
      const rows = await stack.query(
        "select action, outcome, detail->>'agentId' as agent from audit_log where outcome in ('unknown_tool', 'invalid_body')",
      )
      expect(rows).toEqual(
        expect.arrayContaining([
          { action: 'mcp.tools/call', outcome: 'unknown_tool', agent: 'chatbot-agent' },
          { action: 'manage.refuse', outcome: 'invalid_body', agent: null },
        ]),
      )
      expect(rows).toHaveLength(2)
    })
  })

  it('does not believe who it says it asks for (S19)', async () => {
    const rule = { agentType: 'chatbot', tool: 'user-service__getUser' }
    await gateway.manage('PUT', '/api/v1/permissions', { ...rule, allowed: false })
    const { status, body } = await send(documented({}, { agentId: 'operator' }))
    expect([status, body.code]).toEqual([404, 'unknown_tool'])
    await gateway.manage('DELETE', '/api/v1/permissions', rule)
  })

  it('waits no longer than metadata.timeout, and lets the upstream go', async () => {
    const { closed } = users
    const slow = documented(
      { operation: 'slow', parameters: { ms: 10_000 } },
      { timeout: 100, correlationId: 'late' },
    )
    const { status, body } = await send(slow)
    expect(status).toBe(504)
    expect(body).toMatchObject({
      id: 'request-123',
      status: 'error',
      code: 'upstream_timeout',
      error: { code: 'upstream_timeout', message: expect.stringContaining('100 ms') },
      metadata: { correlationId: 'late' },
    })
    await eventually(5_000, () => expect(users.closed).toBe(closed + 1))
    await eventually(10_000, async () => {
      const rows = await stack.query("select outcome from audit_log where detail->>'correlationId' = 'late'")
      expect(rows).toEqual([{ outcome: 'cancelled' }])
    })
  })

  it('a caller that waits too short says nothing about the service: its circuit stays closed', async () => {
    await gateway.register('brittle', users.url, {
      circuitBreaker: { failureThreshold: 1, recoveryTimeout: 60_000, halfOpenMaxCalls: 1 },
    })
    const hasty = documented(
      { service: 'brittle', operation: 'slow', parameters: { ms: 5_000 } },
      { timeout: 50 },
    )
    for (let at = 0; at < 3; at++) expect((await send(hasty)).status).toBe(504)
    expect((await send(documented({ service: 'brittle' }))).status).toBe(200)
  })

  it('waits no longer than the operator allows', async () => {
    await gateway.register('hurried', users.url, { ...STAYS_CLOSED, timeoutMs: 150 })
    const slow = { service: 'hurried', operation: 'slow', parameters: { ms: 10_000 } }
    const { status, body } = await send(documented(slow, { timeout: 600_000 }))
    expect([status, body.error.message]).toEqual([504, expect.stringContaining('150 ms')])
  })

  it.each([
    ['service', { service: 'nobody' }, 404, 'unknown_service'],
    ['operation', { operation: 'nothing' }, 404, 'unknown_tool'],
  ])('an unknown %s is a problem in the envelope', async (_, changes, status, code) => {
    const answer = await send(documented(changes))
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/problem+json'])
    expect(answer.body).toMatchObject({
      type: 'about:blank',
      code,
      detail: answer.body.error.message,
      id: 'request-123',
      status: 'error',
      error: { code },
      metadata: { correlationId: 'corr-123' },
    })
  })

  it('a tool that failed has answered', async () => {
    const { status, body } = await send(documented({ operation: 'fail', parameters: { text: 'no luck' } }))
    expect(status).toBe(200)
    expect(body).toMatchObject({
      status: 'error',
      data: { isError: true },
      error: { code: 'tool_error', message: 'no luck' },
    })
  })

  it.each<[string, unknown]>([
    ['id', documented({ id: 5 })],
    ['id', documented({ id: '' })],
    ['timestamp', documented({ timestamp: 'yesterday' })],
    ['service', documented({ service: undefined })],
    ['operation', documented({ operation: ['a'] })],
    ['parameters', documented({ parameters: [] })],
    ['metadata.correlationId', documented({}, { correlationId: 'a b' })],
    ['metadata.timeout', documented({}, { timeout: 0 })],
    ['metadata.timeout', documented({}, { timeout: 600_001 })],
    ['metadata.priority', documented({}, { priority: 'urgent' })],
    ['metadata.agentId', documented({}, { agentId: 'x'.repeat(129) })],
    ['metadata.odd', documented({}, { odd: 1 })],
    ['odd', documented({ odd: 1 })],
  ])('a bad %s is named', async (field, body) => {
    const answer = await send(body)
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_body'])
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field)
  })

  it('S20 asks for a credential before it reads anything', async () => {
    const { status, headers } = await send('[', {})
    expect([status, headers.get('www-authenticate')]).toEqual([401, expect.stringMatching(/^Bearer/)])
  })
})

describe('document 002, CORS', () => {
  it('answers allowed origins, and refuses requests of others', async () => {
    const allowed = await send(documented(), { ...agent, origin: 'https://ok.example' })
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([
      200,
      'https://ok.example',
    ])
    const foreign = await send(documented(), { ...agent, origin: 'https://evil.example' })
    expect([foreign.status, foreign.body.code]).toEqual([403, 'origin_refused'])
    const preflight = await gateway.fetch('/mcp/request', {
      method: 'OPTIONS',
      headers: { origin: 'https://ok.example', 'access-control-request-method': 'POST' },
    })
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([
      204,
      'https://ok.example',
    ])
  })
})
