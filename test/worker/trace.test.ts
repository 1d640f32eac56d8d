/** What travels beside a call: its name and its trace, to upstreams of both eras, into records, and back to the caller. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { eventually, type Gateway, API_KEY } from '../support/gateway.ts'
import { modernCall } from '../support/modern-call.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = `00-${TRACE_ID}-00f067aa0ba902b7-01`
const TRACE = { traceparent: PARENT, tracestate: 'congo=t61rcWkgMzE,rojo=00f067aa0ba902b7' }
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const KINDS = {
  legacy: { era: 'legacy' },
  modern: { era: 'modern' },
  stateful: { era: 'legacy', stateful: true },
} as const
type Kind = keyof typeof KINDS
const kinds: readonly Kind[] = ['legacy', 'modern', 'stateful']

let stack: Stack
let gateway: Gateway
let said = ''
const upstreams = new Map<string, Upstream>()
beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway({ LOG_LEVEL: 'debug' }, { sink: (text) => (said += text) })
  for (const kind of kinds) {
    const upstream = await startUpstream(KINDS[kind])
    upstreams.set(kind, upstream)
    expect((await gateway.register(kind, upstream.url)).status).toBe(201)
    expect((await gateway.register(`${kind}-trusted`, upstream.url, { trusted: true })).status).toBe(201)
  }
})
afterAll(async () => {
  await stack.close()
  await Promise.all([...upstreams.values()].map((upstream) => upstream.stop()))
})
afterEach(() => upstreams.forEach((upstream) => upstream.dial.clear()))

const ECHO = { name: 'echo', arguments: { text: 'x' } }
const lastOf = (kind: Kind) => upstreams.get(kind)?.calls('tools/call').at(-1) ?? expect.fail()
const metaOf = (kind: Kind) => JSON.parse(lastOf(kind).body).params._meta ?? {}

/** A call of each era, with these headers and this in `_meta`. */
const callers = {
  legacy: (kind: string, headers: Record<string, string>, meta?: object) =>
    gateway.rpc('tools/call', meta ? { ...ECHO, _meta: meta } : ECHO, { path: `/mcp/${kind}`, headers }),
  modern: (kind: string, headers: Record<string, string>, meta: object = {}) =>
    gateway.modern('tools/call', ECHO, { path: `/mcp/${kind}`, headers, meta }),
} as const
const cells = (['legacy', 'modern'] as const).flatMap((caller) => kinds.map((kind) => ({ caller, kind })))

describe.each(cells)('of a $caller caller to a $kind upstream', ({ caller, kind }) => {
  const call = callers[caller]

  it('a trace in headers goes on in headers and in `_meta`', async () => {
    expect((await call(kind, TRACE)).body.result.content[0].text).toBe('x')
    expect(lastOf(kind).headers).toMatchObject(TRACE)
    expect(metaOf(kind)).toMatchObject(TRACE)
  })

  it('a trace in `_meta` goes on in both, and counts before that in headers', async () => {
    const other = PARENT.replace('00f067aa', '11111111')
    await call(kind, { traceparent: other, tracestate: 'a=1' }, { ...TRACE, baggage: 'k=v' })
    expect(lastOf(kind).headers).toMatchObject({ ...TRACE, baggage: 'k=v' })
    expect(metaOf(kind)).toMatchObject({ ...TRACE, baggage: 'k=v' })
  })

  it('a name goes on in both, and comes back', async () => {
    const id = `corr-${caller}-${kind}`
    const { headers } = await call(kind, { 'x-correlation-id': id }, { progressToken: 7 })
    expect(headers.get('x-correlation-id')).toBe(id)
    expect(lastOf(kind).headers['x-correlation-id']).toBe(id)
    expect(metaOf(kind)).toMatchObject({ 'switchyard/correlationId': id })
  })

  it('a name that is ours goes on in a header alone, and no trace is begun', async () => {
    const { headers } = await call(kind, {})
    const id = headers.get('x-correlation-id')
    expect(id).toMatch(UUID)
    expect(lastOf(kind).headers['x-correlation-id']).toBe(id)
    expect(Object.keys(lastOf(kind).headers)).not.toContain('traceparent')
    expect(Object.keys(metaOf(kind))).not.toContain('switchyard/correlationId')
  })

  it.each([
    ['that is malformed', { traceparent: 'x', tracestate: 'a=1' }],
    ['of zeros', { traceparent: `00-${'0'.repeat(32)}-${'0'.repeat(16)}-00` }],
  ])('S19 a trace %s is dropped from headers and `_meta`, and the call goes', async (_, trace) => {
    for (const [headers, meta] of [
      [trace, undefined],
      [{}, trace],
    ] as const) {
      expect((await call(kind, headers, meta)).body.result.content[0].text).toBe('x')
      for (const key of ['traceparent', 'tracestate']) {
        expect(Object.keys(lastOf(kind).headers)).not.toContain(key)
        expect(Object.keys(metaOf(kind))).not.toContain(key)
      }
    }
  })

  it('S47 a state of 10 KB, or one that would be a header of its own, is dropped alone', async () => {
    for (const tracestate of [
      `a=${'x'.repeat(10_240)}`,
      'a=1\r\nx-api-key: stolen',
      'a=1\n{"level":"info"}',
    ]) {
      expect((await call(kind, {}, { traceparent: PARENT, tracestate })).status).toBe(200)
      const { headers } = lastOf(kind)
      expect(headers['traceparent']).toBe(PARENT)
      for (const key of ['tracestate', 'x-api-key']) expect(Object.keys(headers)).not.toContain(key)
      expect(Object.keys(metaOf(kind))).not.toContain('tracestate')
    }
  })

  it('S19 baggage in headers goes on to a trusted service alone', async () => {
    await call(kind, { baggage: 'user=ada' })
    expect(Object.keys(lastOf(kind).headers)).not.toContain('baggage')
    await call(`${kind}-trusted`, { baggage: 'user=ada' })
    expect(lastOf(kind).headers['baggage']).toBe('user=ada')
    expect(metaOf(kind)).toMatchObject({ baggage: 'user=ada' })
  })
})

describe('a call that may wait for its caller', () => {
  it('carries both, and gives its name back', async () => {
    const init = modernCall('echo', { capabilities: { elicitation: { form: {} } }, arguments: { text: 'x' } })
    const headers = { ...init.headers, ...TRACE, 'x-correlation-id': 'parked-1' }
    const answer = await gateway.fetch('/mcp/legacy', { ...init, headers })
    expect(answer.headers.get('x-correlation-id')).toBe('parked-1')
    expect(lastOf('legacy').headers).toMatchObject({ ...TRACE, 'x-correlation-id': 'parked-1' })
  })
})

describe('the name of a request', () => {
  it('stands in the audit and in the usage of each call', async () => {
    const ids = cells.map(({ caller, kind }) => `corr-${caller}-${kind}`).toSorted()
    await eventually(8_000, async () => {
      const rows = await stack.query(
        `select detail->>'correlationId' as id from audit_log where detail->>'correlationId' like 'corr-%' order by 1`,
      )
      expect(rows.map(({ id }) => id)).toEqual(ids)
    })
    const rows = await stack.query(
      `select correlation_id as id from tool_usage where correlation_id like 'corr-%' order by 1`,
    )
    expect(rows.map(({ id }) => id)).toEqual(ids)
  })

  it.each<[string, string, RequestInit]>([
    ['/health', 'of health', {}],
    ['/mcp', 'of one without a credential', { method: 'POST', body: '{}' }],
    ['/nowhere', 'that leads nowhere', {}],
    ['/api/v1/servers', 'of the management API', { headers: { 'x-api-key': API_KEY } }],
    ['/api/v1/servers/none', 'that it refuses', { headers: { 'x-api-key': API_KEY } }],
    ['/openapi.json', 'of its description', {}],
    ['/sse', 'to the older transport', {}],
  ])('comes back from %s, %s', async (path, _, init) => {
    const { headers } = await gateway.fetch(path, init)
    expect(headers.get('x-correlation-id')).toMatch(UUID)
    const named = { ...init, headers: { ...init.headers, 'x-correlation-id': 'mine:1' } }
    expect((await gateway.fetch(path, named)).headers.get('x-correlation-id')).toBe('mine:1')
  })

  it('is one of ours where the caller’s could not be written down anywhere', async () => {
    for (const odd of ['a b', 'a"b', 'x'.repeat(129), '<script>']) {
      const { headers } = await gateway.rpc('tools/list', {}, { headers: { 'x-correlation-id': odd } })
      expect(headers.get('x-correlation-id')).toMatch(UUID)
    }
  })

  it('stands in the audit of refusals, by MCP and by the management API', async () => {
    const unknown = await gateway.rpc('tools/call', { name: 'nope' })
    const missing = await gateway.manage('GET', '/api/v1/servers/none')
    const ids = [unknown, missing].map(({ headers }) => headers.get('x-correlation-id'))
    await eventually(8_000, async () => {
      const rows = await stack.query(
        `select outcome, detail->>'correlationId' as id from audit_log where outcome in ('unknown_tool', 'unknown_service')`,
      )
      expect(rows.map(({ id }) => id)).toEqual(expect.arrayContaining(ids))
    })
  })

  it('stands in the audit and in the log of writes', async () => {
    const writes: readonly [action: string, method: string, path: string, body?: object][] = [
      ['service.disconnect', 'POST', '/api/v1/servers/stateful/disconnect'],
      ['service.connect', 'POST', '/api/v1/servers/stateful/connect'],
      ['user.create', 'POST', '/api/v1/users', { username: 'ada', password: 'a password', role: 'user' }],
      ['key.create', 'POST', '/api/v1/keys', { name: 'a key', role: 'user' }],
      ['toolset.create', 'POST', '/api/v1/toolsets', { slug: 'some', tools: ['legacy/*'] }],
      ['permission.put', 'PUT', '/api/v1/permissions', { agentType: 'x', tool: 'y', allowed: true }],
    ]
    for (const [action, method, path, body] of writes) {
      const named = { 'x-correlation-id': `write-${action}` }
      const { status } = await gateway.manage(method, path, body, named)
      expect([action, status < 300]).toEqual([action, true])
    }
    const rows = await stack.query(
      `select action, detail->>'correlationId' as id from audit_log where detail->>'correlationId' like 'write-%' order by created_at`,
    )
    expect(rows.map(({ id }) => id)).toEqual(writes.map(([action]) => `write-${action}`))
    for (const { action, id } of rows) {
      const told = said.split('\n').filter((line) => line.includes(`"correlationId":"${id}"`))
      expect(told.map((line) => JSON.parse(line))).toMatchObject([
        { level: 'info', event: 'written', action, outcome: 'done', actor: expect.any(String) },
      ])
    }
  })

  it('of a call without MCP is that of the call', async () => {
    const body = { name: 'legacy__echo', arguments: { text: 'x' } }
    const { headers, status } = await gateway.manage('POST', '/api/v1/tools/call', body)
    expect(status).toBe(200)
    expect(lastOf('legacy').headers['x-correlation-id']).toBe(headers.get('x-correlation-id'))
  })

  it('may be said and read by pages that are allowed', async () => {
    const origin = 'https://ok.example'
    const { headers } = await gateway.rpc('tools/list', {}, { headers: { origin } })
    expect(headers.get('access-control-expose-headers')).toContain('x-correlation-id')
    const managed = await gateway.manage('GET', '/api/v1/servers', undefined, { origin })
    expect(managed.headers.get('access-control-expose-headers')?.toLowerCase()).toContain('x-correlation-id')
    const asked = { origin, 'access-control-request-method': 'POST' }
    const preflight = await gateway.fetch('/mcp', { method: 'OPTIONS', headers: asked })
    for (const name of ['x-correlation-id', 'traceparent', 'tracestate', 'baggage'])
      expect(preflight.headers.get('access-control-allow-headers')).toContain(name)
  })
})

describe('the log', () => {
  const lines = (): any[] =>
    said.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))
  const lineOf = async (id: string | null): Promise<any> => {
    let found: any[] = []
    await eventually(3_000, () => {
      found = lines().filter(({ correlationId, event }) => correlationId === id && event !== 'attempt_failed')
      expect(found).toHaveLength(1)
    })
    return found[0]
  }
  const call = (rest: object, headers: Record<string, string> = {}) =>
    gateway.rpc('tools/call', rest, { path: '/mcp/legacy', headers: { ...TRACE, ...headers } })
  const idOf = ({ headers }: { headers: Headers }): string | null => headers.get('x-correlation-id')

  it('has one line for a call that was answered, at debug', async () => {
    expect(await lineOf(idOf(await call(ECHO)))).toEqual({
      level: 'debug',
      event: 'call_done',
      service: 'legacy',
      method: 'tools/call',
      tool: 'echo',
      outcome: 'done',
      durationMs: expect.any(Number),
      correlationId: expect.any(String),
      traceId: TRACE_ID,
    })
  })

  it('has one for a call that failed, louder where the service did it', async () => {
    const own = await lineOf(idOf(await call({ name: 'rpc-error', arguments: { message: 'secret text' } })))
    expect(own).toMatchObject({ level: 'info', event: 'call_failed', outcome: 'error', traceId: TRACE_ID })
    expect(own.code).toEqual(expect.any(Number))
    upstreams
      .get('legacy')
      ?.dial.set({ is: 'respond', status: 500, body: 'secret text', for: 'tools/call', times: 1 })
    const broken = await lineOf(idOf(await call(ECHO)))
    expect(broken).toMatchObject({ level: 'warn', event: 'call_failed', outcome: 'upstream_bad_answer' })
    expect(said).not.toContain('secret text')
  })

  it('has one for what was refused', async () => {
    const refused = await lineOf(idOf(await call({ name: 'nope', arguments: { text: 'secret text' } })))
    expect(refused).toMatchObject({
      level: 'info',
      event: 'request_refused',
      outcome: 'unknown_tool',
      target: 'nope',
      traceId: TRACE_ID,
    })
    const managed = await gateway.manage('GET', '/api/v1/servers/none?token=secret')
    expect(await lineOf(idOf(managed))).toMatchObject({
      event: 'management_refused',
      outcome: 'unknown_service',
      target: 'GET /api/v1/servers/none',
      status: 404,
    })
    expect(said).not.toContain('secret')
  })
})
