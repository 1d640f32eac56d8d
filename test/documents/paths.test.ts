/** Every path that users rely on: served to who may use it, and to nobody else. Rows build on those before them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { operations } from '../../src/admin/api/operations.ts'
import type { Operation } from '../../src/admin/operation.ts'
import { API_KEY, type Gateway, STAYS_CLOSED } from '../support/gateway.ts'
import { addKey } from '../support/key.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

type Row = {
  readonly method: string
  /** `{name}` stands for what a row before has kept under this name. */
  readonly path: string
  readonly body?: object
  readonly status: number
  /** A member of the answer that later rows name, and under which name. */
  readonly keeps?: readonly [member: string, name: string]
  readonly isPublic?: true
}

const row = (method: string, path: string, body?: object, status = 200): Row =>
  body === undefined ? { method, path, status } : { method, path, status, body }
const get = (path: string): Row => row('GET', path)
const post = (path: string, body?: object, status = 200): Row => row('POST', path, body, status)
const keeping = (kept: Row, member: string, name = member): Row => ({ ...kept, keeps: [member, name] })
const open = (each: Row): Row => ({ ...each, isPublic: true })

const servers = '/api/v1/servers'
const credentials = { username: 'ada', password: 'a long password' }

const CANONICAL: readonly Row[] = [
  open(get('/health')),
  keeping(post(servers, { name: 'one', url: '{upstream}', ...STAYS_CLOSED }, 201), 'id', 'server'),
  get(servers),
  get(`${servers}/one`),
  get(`${servers}/{server}`),
  row('PUT', `${servers}/one`, { timeoutMs: 5_000 }),
  post(`${servers}/one/disconnect`),
  post(`${servers}/one/connect`),
  post(`${servers}/one/refresh`),
  get(`${servers}/one/definition`),
  get(`${servers}/one/metrics`),
  get(`${servers}/one/health`),
  keeping(post(`${servers}/one/instances`, { url: '{upstream}?two', weight: 2 }, 201), 'id', 'instance'),
  get(`${servers}/one/instances`),
  row('DELETE', `${servers}/one/instances/{instance}`),
  get('/api/v1/tools'),
  post('/api/v1/tools/call', { name: 'echo', arguments: { text: 'hi' } }),
  row('PATCH', '/api/v1/tools/one/echo', { timeoutMs: 4_000 }),
  row('PUT', '/api/v1/permissions', { agentType: 'coder', tool: 'one/*', allowed: false }),
  get('/api/v1/permissions/coder'),
  post('/api/v1/toolsets', { slug: 'set', tools: ['one/*'] }, 201),
  get('/api/v1/toolsets'),
  get('/api/v1/toolsets/set'),
  row('PUT', '/api/v1/toolsets/set', { tools: ['echo'] }),
  row('DELETE', '/api/v1/toolsets/set'),
  keeping(post('/api/v1/users', { ...credentials, role: 'user' }, 201), 'id', 'user'),
  get('/api/v1/users'),
  open(post('/api/v1/auth/login', credentials)),
  row('DELETE', '/api/v1/users/{user}'),
  keeping(post('/api/v1/keys', { name: 'bot', role: 'user' }, 201), 'id', 'key'),
  get('/api/v1/keys'),
  row('DELETE', '/api/v1/keys/{key}'),
  get('/api/v1/analytics/usage'),
  get('/api/v1/audit'),
  get('/metrics'),
  get('/api/v1/analytics/usage?groupBy=caller'),
  open(get('/openapi.json')),
  open(get('/docs')),
  open(get('/redoc')),
  row('DELETE', `${servers}/one`),
]

const OLDER: readonly Row[] = [
  post('/register', { name: 'two', url: '{upstream}' }, 201),
  row('PUT', '/update/two'),
  post('/services'),
  post('/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  open(get('/mcp/health')),
  get('/mcp/services'),
  get('/mcp/services/two/definition'),
  get('/mcp/services/two/metrics'),
  post('/mcp/request', { id: '1', service: 'two', operation: 'echo', parameters: { text: 'hi' } }),
  get('/mcp/two/tools/list'),
  post('/mcp/two/tools/call', { name: 'echo', arguments: { text: 'hi' } }),
  get('/mcp/two/resources/list'),
  post('/mcp/two/resources/read', { uri: 'file:///a' }),
  get('/mcp/two/health'),
  open(get('/gateway/health')),
  get('/gateway/stats'),
  get('/gateway/registry'),
  keeping(
    post('/gateway/register', { template: 'two', endpoint: '{upstream}?two', weight: 2 }, 201),
    'instanceId',
    'added',
  ),
  row('DELETE', '/gateway/deregister/two/{added}'),
  row('DELETE', '/delete/two'),
]

/** Whoever uses tools may use these; what belongs to somebody is behind them. */
const FOR_AGENTS = /^\/(mcp$|mcp\/request|mcp\/two\/|api\/v1\/(keys|tools$|tools\/call))/

let stack: Stack
let agent: { readonly authorization: string }
let gateway: Gateway
let upstream: Upstream
const kept = new Map<string, string>()

beforeAll(async () => {
  stack = await startStack()
  agent = await addKey(stack, 'coder')
  gateway = await stack.gateway()
  upstream = await startUpstream({ resources: [{ uri: 'file:///a', name: 'a' }] })
  kept.set('upstream', upstream.url)
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})

const filled = (text: string): string => text.replace(/\{(\w+)\}/g, (whole, name) => kept.get(name) ?? whole)

async function send({ method, path, body }: Row, headers: Record<string, string>) {
  const init = { method, headers: { 'content-type': 'application/json', ...headers } }
  const text = body && filled(JSON.stringify(body))
  return await gateway.fetch(filled(path), text === undefined ? init : { ...init, body: text })
}

/** The operation that a row is of, where it is described as one. */
function operationOf({ method, path }: Row): Operation | undefined {
  const [plain = ''] = filled(path).split('?', 1)
  const fitting = Object.values(operations).filter(
    (each: Operation) =>
      each.method === method.toLowerCase() &&
      new RegExp(`^${each.path.replace(/:\w+/g, '[^/]+')}$`).test(plain),
  )
  return fitting.find((each) => each.path === plain) ?? fitting[0]
}

describe.each([
  ['canonical', CANONICAL],
  ['older', OLDER],
] as const)('the %s paths', (_, rows) => {
  it.each(rows)('$method $path', async (each) => {
    if (!each.isPublic) {
      const unknown = await send(each, {})
      expect(unknown.status).toBe(401)
      expect(unknown.headers.get('www-authenticate')).toMatch(/^Bearer/)
    }
    if (!each.isPublic && !FOR_AGENTS.test(each.path)) {
      const refused = await send(each, agent)
      expect([refused.status, refused.body.code]).toEqual([403, 'forbidden'])
    }
    const { status, text, body } = await send(each, each.isPublic ? {} : { 'x-api-key': API_KEY })
    expect([status, text]).toEqual([each.status, text])
    const described = operationOf(each)
    const answer = described?.answerType === undefined ? body : text
    expect(described?.answer.safeParse(answer).error).toBeUndefined()
    expect(described === undefined).toBe(['/mcp', '/openapi.json', '/docs', '/redoc'].includes(each.path))
    if (each.keeps) kept.set(each.keeps[1], body[each.keeps[0]])
  })
})

it('what is described as older is among them', () => {
  const shape = (path: string): string => path.replace(/\/(:\w+|\{\w+\}|two)(?=\/|$)/g, '/*')
  const tried = new Set(OLDER.map(({ method, path }) => `${method} ${shape(path)}`))
  const described = Object.values(operations).filter((each) => 'isDeprecated' in each)
  expect(described.length).toBeGreaterThan(15)
  for (const { method, path } of described) expect(tried).toContain(`${method.toUpperCase()} ${shape(path)}`)
})
