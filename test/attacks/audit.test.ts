/** S62: whatever is asked leaves one record, of who, what, and with what outcome; it can be read afterwards. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { API_KEY, type Answer, eventually, type Gateway, STAYS_CLOSED } from '../support/gateway.ts'
import { modernCall } from '../support/modern-call.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let stack: Stack
let gateway: Gateway
let upstream: Upstream
beforeAll(async () => {
  ;[stack, upstream] = await Promise.all([startStack(), startUpstream({ era: 'legacy' })])
  gateway = await stack.gateway()
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})

type Item = {
  readonly id: string
  readonly time: string
  readonly actor: string
  readonly action: string
  readonly target: string
  readonly outcome: string
  readonly detail: Readonly<Record<string, unknown>>
}

/** Everything in the log, oldest first, page by page. */
async function log(query = ''): Promise<Item[]> {
  const items: Item[] = []
  let cursor = ''
  do {
    const { status, body } = await gateway.manage('GET', `/api/v1/audit?limit=7${query}${cursor}`)
    expect(status).toBe(200)
    items.push(...body.items)
    cursor = body.nextCursor === undefined ? '' : `&cursor=${body.nextCursor}`
  } while (cursor !== '')
  return items.toReversed()
}

const call = (name: string, path = '/mcp', args: object = { text: 'x' }, headers = {}): Promise<Answer> =>
  gateway.rpc('tools/call', { name, arguments: args }, { path, headers })

/** What was done, and the record that it must leave: actor, action, target, outcome. */
type Deed = readonly [act: () => Promise<unknown>, record: readonly [string, string, string, string]]

const TOKEN = 'bearer-token'

/** A call that could be asked something, and so runs in an object of its own. */
const callApart = (path: string): Promise<Answer> =>
  gateway.fetch(path, modernCall('echo', { capabilities: { elicitation: { form: {} } } }))

const deeds: readonly Deed[] = [
  [() => gateway.register('one', upstream.url), ['api-key', 'service.register', 'one', 'done']],
  [
    () => gateway.register('limited', upstream.url, { rateLimit: { requestsPerMinute: 1, burstLimit: 1 } }),
    ['api-key', 'service.register', 'limited', 'done'],
  ],
  [
    () =>
      gateway.register('broken', upstream.url, {
        circuitBreaker: { failureThreshold: 1, recoveryTimeout: 60_000, halfOpenMaxCalls: 1 },
      }),
    ['api-key', 'service.register', 'broken', 'done'],
  ],
  [() => gateway.register('off', upstream.url, STAYS_CLOSED), ['api-key', 'service.register', 'off', 'done']],
  [
    () => gateway.manage('POST', '/api/v1/servers/off/disconnect'),
    ['api-key', 'service.disconnect', 'off', 'done'],
  ],
  [
    () => gateway.register('one', upstream.url),
    ['api-key', 'manage.refuse', 'POST /api/v1/servers', 'duplicate_name'],
  ],
  [
    () => gateway.manage('PUT', '/api/v1/servers/one', { nonsense: 1 }),
    ['api-key', 'manage.refuse', 'PUT /api/v1/servers/one', 'invalid_body'],
  ],
  [
    () =>
      gateway.fetch('/api/v1/audit?secret=1', {
        headers: { authorization: 'Bearer a-bearer-token-of-the-tests' },
      }),
    [TOKEN, 'manage.refuse', 'GET /api/v1/audit', 'forbidden'],
  ],
  [() => call('echo', '/mcp/one'), [TOKEN, 'mcp.tools/call', 'one/echo', 'done']],
  [() => call('echo', '/mcp/one'), [TOKEN, 'mcp.tools/call', 'one/echo', 'done']],
  [() => call('rpc-error', '/mcp/one', {}), [TOKEN, 'mcp.tools/call', 'one/rpc-error', 'error']],
  [
    () => gateway.rpc('resources/read', { uri: 'test://static/one?token=s#f' }, { path: '/mcp/one' }),
    [TOKEN, 'mcp.resources/read', 'test://static/one', 'unknown_resource'],
  ],
  [
    () => gateway.rpc('prompts/get', { name: 'nope' }, { path: '/mcp/one' }),
    [TOKEN, 'mcp.prompts/get', 'nope', 'unknown_prompt'],
  ],
  [() => call('nope'), [TOKEN, 'mcp.tools/call', 'nope', 'unknown_tool']],
  [() => gateway.rpc('tools/call', { name: 7 }), [TOKEN, 'mcp.tools/call', '/mcp', 'invalid_params']],
  [() => gateway.rpc('tools/list', { cursor: 'x' }), [TOKEN, 'mcp.tools/list', '/mcp', 'invalid_cursor']],
  [() => gateway.rpc('no/such'), [TOKEN, 'mcp.no/such', '/mcp', 'unknown_method']],
  [() => gateway.post('{'), [TOKEN, 'mcp.POST', '/mcp', 'parse_error']],
  [
    () => gateway.post('{}', { headers: { 'content-type': 'text/plain' } }),
    [TOKEN, 'mcp.POST', '/mcp', 'media'],
  ],
  [() => call('echo', '/mcp/none'), [TOKEN, 'mcp.tools/call', 'echo', 'unknown_endpoint']],
  [() => call('echo', '/mcp/off'), [TOKEN, 'mcp.tools/call', 'echo', 'service_disabled']],
  [() => call('echo', '/mcp/limited'), [TOKEN, 'mcp.tools/call', 'limited/echo', 'done']],
  [() => call('echo', '/mcp/limited'), [TOKEN, 'mcp.tools/call', 'limited/echo', 'rate_limited']],
  [
    async () => {
      upstream.dial.set({ is: 'reset', for: 'tools/call', times: 1 })
      await call('echo', '/mcp/broken')
    },
    [TOKEN, 'mcp.tools/call', 'broken/echo', 'upstream_unreachable'],
  ],
  [() => call('echo', '/mcp/broken'), [TOKEN, 'mcp.tools/call', 'broken/echo', 'upstream_open']],
  [
    () => call('echo', '/mcp', {}, { authorization: 'Bearer wrong' }),
    ['unknown', 'auth.refuse', 'gateway', 'invalid'],
  ],
  [
    () => gateway.fetch('/mcp', { method: 'POST', body: '{}' }),
    ['unknown', 'auth.refuse', 'gateway', 'missing'],
  ],
  [
    () => gateway.rpc('ping', {}, { headers: { origin: 'https://evil.example' } }),
    ['unknown', 'auth.refuse', 'gateway', 'origin_refused'],
  ],
  [() => gateway.manage('DELETE', '/api/v1/servers/off'), ['api-key', 'service.delete', 'off', 'done']],
  [
    () => gateway.manage('POST', '/api/v1/tools/call', { name: 'nope' }),
    ['api-key', 'mcp.tools/call', 'nope', 'unknown_tool'],
  ],
  [
    () => gateway.manage('POST', '/api/v1/tools/call', { name: 7 }),
    ['api-key', 'manage.refuse', 'POST /api/v1/tools/call', 'invalid_body'],
  ],
  [
    () => gateway.manage('POST', '/api/v1/tools/call', { name: 'one__echo', arguments: { text: 'x' } }),
    ['api-key', 'mcp.tools/call', 'one/echo', 'done'],
  ],
  [
    () => gateway.manage('POST', '/api/v1/auth/login', { username: 'nobody', password: 'a-wrong-password' }),
    ['unknown', 'auth.refuse', 'gateway', 'invalid_login'],
  ],
  [() => callApart('/mcp/one'), [TOKEN, 'mcp.tools/call', 'one/echo', 'done']],
  [() => callApart('/mcp/limited'), [TOKEN, 'mcp.tools/call', 'limited/echo', 'rate_limited']],
]

it('S62 every call, refusal, failed authentication and write leaves exactly one record', async () => {
  for (const [act] of deeds) await act()
  // Nothing is called, refused or changed.
  for (const method of ['tools/list', 'ping']) expect((await gateway.rpc(method)).status).toBe(200)
  const wanted = deeds.map(([, record]) => record.join(' | ')).toSorted()
  const found = async () =>
    (await log()).map(({ actor, action, target, outcome }) => [actor, action, target, outcome].join(' | '))
  await eventually(15_000, async () => expect(await found()).toHaveLength(wanted.length))
  await stack.quiet()
  expect((await found()).toSorted()).toEqual(wanted)
})

it('S62 a record says when, under which name, and the digest of the arguments, which are nowhere', async () => {
  const before = Date.now()
  const args = { text: 'canary-in-arguments' }
  const hash = createHash('sha256').update(JSON.stringify(args)).digest('hex').slice(0, 32)
  await call('echo', '/mcp/one', args, { 'x-correlation-id': 'my-call' })
  await call('nope', '/mcp/one', args, { 'x-correlation-id': 'my-refusal' })
  const large = { text: 'y'.repeat(200_000) }
  await call('echo', '/mcp/one', large, { 'x-correlation-id': 'my-large-call' })
  const largeHash = createHash('sha256').update(JSON.stringify(large)).digest('hex').slice(0, 32)
  await eventually(10_000, async () => {
    const items = await log(`&from=${new Date(before).toISOString()}`)
    const known = new Map(items.map((item) => [item.detail['correlationId'], item]))
    expect(known.get('my-call')?.detail).toMatchObject({ argsHash: hash })
    expect(known.get('my-refusal')?.detail).toMatchObject({ argsHash: hash })
    expect(known.get('my-large-call')?.detail).toMatchObject({ argsHash: largeHash })
    expect(Date.parse(known.get('my-call')?.time ?? '')).toBeGreaterThanOrEqual(before)
  })
  const rows = await stack.query(`select (audit_log.*)::text || (tool_usage.*)::text as row
    from audit_log left join tool_usage using (id)`)
  expect(JSON.stringify(rows)).not.toContain('canary-in-arguments')
})

it('S62 wrong credentials are one record with a count, whatever they say of where they come from (S19)', async () => {
  const failed = async (): Promise<number> => {
    const items = await log('&action=auth.&outcome=invalid')
    return items.reduce((sum, { detail }) => sum + Number(detail['count']), 0)
  }
  const before = await failed()
  for (let at = 0; at < 60; at++) {
    await gateway.fetch('/api/v1/servers', {
      headers: { 'x-api-key': `wrong-${at}`, 'cf-connecting-ip': `192.0.2.${at}` },
    })
  }
  await eventually(10_000, async () => expect(await failed()).toBe(before + 60))
  const items = await log('&action=auth.&outcome=invalid')
  // The minute may end in between.
  expect(items.length).toBeLessThanOrEqual(3)
  expect(JSON.stringify(items)).not.toContain('192.0.2')
})

it('is filtered by each of its fields, and shown to those alone who manage everything', async () => {
  const services = await log('&action=service.')
  expect(new Set(services.map(({ action }) => action))).toEqual(
    new Set(['service.register', 'service.disconnect', 'service.delete']),
  )
  expect(await log('&action=service.delete&actor=api-key&outcome=done&target=off')).toHaveLength(1)
  expect(await log('&actor=nobody')).toEqual([])
  expect(await log(`&to=${services[0]?.time}`)).toEqual([])
  expect(await log('&from=2999-01-01T00:00:00Z')).toEqual([])
  await stack.query(`insert into organisations (id, name) values ('other', 'other')`)
  await stack.query(`insert into audit_log (id, organisation_id, actor, action, target, outcome)
    values (gen_random_uuid(), 'other', 'x', 'service.of-another', 'x', 'done')`)
  expect(await log('&action=service.of-another')).toEqual([])
})

it.each([
  ['from=yesterday', 'from'],
  ['to=1', 'to'],
  ['limit=0', 'limit'],
  ['limit=x', 'limit'],
  ['cursor=x', 'cursor'],
  ['actor=', 'actor'],
  ['target=%00', 'target'],
  ['nonsense=1', 'nonsense'],
])('a query with %s is a 400 that names the field', async (query, field) => {
  const { status, body } = await gateway.fetch(`/api/v1/audit?${query}`, {
    headers: { 'x-api-key': API_KEY },
  })
  expect([status, body.code, body.errors[0].field]).toEqual([400, 'invalid_query', field])
})
