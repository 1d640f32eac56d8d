/** How tools are used: one row for each call, counted over the management API. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, eventually, type Gateway, type RpcOptions, STAYS_CLOSED } from '../support/gateway.ts'
import { bearer, by, makeKey, makeOrganisation, makeUser, tokenOf } from '../support/people.ts'
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

const call = (name: string, args?: object, options: RpcOptions = {}) =>
  gateway.rpc('tools/call', { name, ...(args && { arguments: args }) }, options)
const usage = (query = '', credential?: string) =>
  gateway.manage('GET', `/api/v1/analytics/usage${query}`, undefined, credential ? by(credential) : {})
const rowOf = async (correlationId: string) => {
  const [row] = await stack.query(`select * from tool_usage where correlation_id = '${correlationId}'`)
  return row
}
/** What became of one call, and its row, which is stored soon after it. */
type Recorded = { readonly answer: Answer; readonly row: () => Promise<Readonly<Record<string, any>>> }

async function record(
  correlationId: string,
  name: string,
  args?: object,
  options: RpcOptions = {},
): Promise<Recorded> {
  const headers = { 'x-correlation-id': correlationId, ...options.headers }
  const answer = await call(name, args, { path: '/mcp/one', ...options, headers })
  const row = async () => {
    await eventually(10_000, async () => expect(await rowOf(correlationId)).toBeDefined())
    return (await rowOf(correlationId)) ?? {}
  }
  return { answer, row }
}

describe('a call of a tool is recorded', () => {
  beforeAll(async () => {
    await gateway.registerAnew('one', upstream.url, { ...STAYS_CLOSED, timeoutMs: 300 })
  })

  it('with how it ended, and what of it is no secret', async () => {
    const cases = [
      ['success', 'echo', { text: 'é' }],
      ['error', 'fail', { text: 'no' }],
      ['error', 'rpc-error', {}],
      ['timeout', 'slow', { ms: 2_000 }],
    ] as const
    const calls = await Promise.all(cases.map(([, tool, args]) => record(`as-${tool}`, tool, args)))
    for (const [at, [status, tool, args]] of cases.entries()) {
      const row = await calls[at]?.row()
      expect(row).toMatchObject({
        tool,
        status,
        caller_id: 'bearer-token',
        caller_type: 'agent',
        is_cached: false,
        request_bytes: Buffer.byteLength(JSON.stringify(args)),
        input: null,
        output: null,
      })
      expect(row?.['duration_ms']).toBeGreaterThanOrEqual(status === 'timeout' ? 300 : 0)
    }
  })

  it('with the bytes of its answer: as a value, as a stream, and passed on unread', async () => {
    const streaming = await startUpstream({ era: 'legacy', answers: 'sse' })
    await gateway.registerAnew('two', streaming.url)
    const calls = await Promise.all([
      record('value', 'big', { bytes: 1_000 }),
      record('unread', 'big', { bytes: 100_000 }),
      record('stream', 'fail', { text: 'x'.repeat(1_000) }, { path: '/mcp/two' }),
    ])
    const [value, unread, stream] = await Promise.all(calls.map(({ row }) => row()))
    const [, , streamed] = calls
    expect(value?.['response_bytes']).toBe(Buffer.byteLength(calls[0].answer.text))
    expect(unread?.['response_bytes']).toBe(Buffer.byteLength(calls[1].answer.text))
    expect(streamed.answer.headers.get('content-type')).toBe('text/event-stream')
    expect(stream?.['status']).toBe('error')
    // The frames of two streams differ by a few bytes.
    expect(Math.abs(stream?.['response_bytes'] - Buffer.byteLength(streamed.answer.text))).toBeLessThan(100)
    await streaming.stop()
  })

  it('as what its caller is: a person who logged in, an agent with a key, a skill', async () => {
    await makeUser(gateway, 'ada', { role: 'user' })
    const callers = {
      user: await tokenOf(gateway, 'ada'),
      agent: (await makeKey(gateway, { role: 'user' })).key,
      skill: (await makeKey(gateway, { role: 'user', agentType: 'skill' })).key,
    }
    const calls = await Promise.all(
      Object.entries(callers).map(async ([type, credential]) => ({
        type,
        row: (await record(`by-${type}`, 'echo', {}, { headers: bearer(credential) })).row,
      })),
    )
    for (const { type, row } of calls) expect((await row())['caller_type']).toBe(type)
  })

  it('as refused where the tool is known and may not be called', async () => {
    const { key } = await makeKey(gateway, { role: 'user', agentType: 'barred' })
    const rule = { agentType: 'barred', tool: 'one/*', allowed: false }
    expect((await gateway.manage('PUT', '/api/v1/permissions', rule)).status).toBe(200)
    const { key: reader } = await makeKey(gateway, { role: 'user', scopes: ['mcp:read'] })
    const calls = [
      await record('permission', 'echo', {}, { headers: bearer(key) }),
      await record('scope', 'echo', {}, { headers: bearer(reader) }),
    ]
    await gateway.manage('PATCH', '/api/v1/tools/one/big', { isEnabled: false })
    calls.push(await record('switched-off', 'big'))
    calls.push(await record('switched-off-of-all', 'one__big', {}, { path: '/mcp' }))
    await gateway.manage('POST', '/api/v1/servers/one/disconnect')
    calls.push(await record('disabled', 'echo'))
    await gateway.manage('POST', '/api/v1/servers/one/connect')
    const rateLimit = { requestsPerMinute: 1, burstLimit: 1 }
    await gateway.registerAnew('limited', upstream.url, { rateLimit })
    expect((await call('echo', {}, { path: '/mcp/limited' })).status).toBe(200)
    const limited = await record('too-many', 'echo', {}, { path: '/mcp/limited' })
    const rows = await Promise.all(calls.map(({ row }) => row()))
    for (const row of rows)
      expect(row).toMatchObject({ status: 'refused', duration_ms: null, response_bytes: null })
    expect(rows.map(({ tool }) => tool)).toEqual(['echo', 'echo', 'big', 'big', 'echo'])
    expect((await limited.row())['status']).toBe('refused')
  })

  it('not at all where there is no such tool', async () => {
    await call('no-such-tool', {}, { headers: { 'x-correlation-id': 'nothing' } })
    const inLog = () => gateway.manage('GET', '/api/v1/audit?outcome=unknown_tool&target=no-such-tool')
    await eventually(10_000, async () => expect((await inLog()).body.items).toHaveLength(1))
    expect(await rowOf('nothing')).toBeUndefined()
  })
})

describe('usage is counted', () => {
  const HOUR_MS = 3_600_000
  const START = Date.parse('2026-03-01T10:00:00Z')
  const at = (ms: number): string => new Date(START + ms).toISOString()
  const WINDOW = `from=${at(0)}&to=${at(3 * HOUR_MS)}`
  const insert = (organisation: string, service: string, rows: string) =>
    stack.query(`insert into tool_usage (id, organisation_id, service_id, tool, caller_id, caller_type, duration_ms,
      status, is_cached, request_bytes, response_bytes, created_at)
      select gen_random_uuid(), '${organisation}', (select id from services where organisation_id = 'default' and name = '${service}'
        order by created_at desc limit 1), tool, caller, type, ms, status, cached, 10, 100,
        timestamptz '${at(0)}' + step * interval '1 minute' from ${rows}`)
  let other: string

  beforeAll(async () => {
    other = await makeOrganisation(gateway, 'other')
    await gateway.registerAnew('counted', upstream.url)
    await gateway.registerAnew('removed', upstream.url)
    const columns = 'as given (tool, caller, type, ms, status, cached, step)'
    await insert(
      'default',
      'counted',
      `(select 'echo', 'a', 'agent', n, 'success', n <= 10, n from generate_series(1, 100) n) ${columns}`,
    )
    await insert(
      'default',
      'counted',
      `(values ('fail', 'a', 'agent', 5, 'error', false, 0), ('fail', 'b', 'user', 300, 'timeout', false, 60),
        ('fail', 'b', 'user', null::int, 'refused', false, 120)) ${columns}`,
    )
    await insert('default', 'removed', `(values ('echo', 'b', 'user', 7, 'success', false, 179)) ${columns}`)
    await insert('other', 'counted', `(values ('theirs', 'z', 'agent', 1, 'success', false, 5)) ${columns}`)
    // Just outside of the window.
    await insert(
      'default',
      'counted',
      `(values ('echo', 'a', 'agent', 1, 'success', false, -1), ('echo', 'a', 'agent', 1, 'success', false, 180)) ${columns}`,
    )
    await gateway.manage('DELETE', '/api/v1/servers/removed')
  })

  it('by tool, the most called first, with how calls ended and how long they took', async () => {
    const { status, body } = await usage(`?${WINDOW}`)
    expect([status, body.from, body.to]).toEqual([200, at(0), at(3 * HOUR_MS)])
    expect(body.items).toEqual([
      {
        service: 'counted',
        tool: 'echo',
        calls: 100,
        errors: 0,
        timeouts: 0,
        refused: 0,
        cached: 10,
        requestBytes: 1_000,
        responseBytes: 10_000,
        p50Ms: 50.5,
        p95Ms: 95.1,
        p99Ms: 99,
      },
      {
        service: 'counted',
        tool: 'fail',
        calls: 3,
        errors: 2,
        timeouts: 1,
        refused: 1,
        cached: 0,
        requestBytes: 30,
        responseBytes: 300,
        p50Ms: 152.5,
        p95Ms: 285.3,
        p99Ms: 297.1,
      },
      {
        service: 'removed',
        tool: 'echo',
        calls: 1,
        errors: 0,
        timeouts: 0,
        refused: 0,
        cached: 0,
        requestBytes: 10,
        responseBytes: 100,
        p50Ms: 7,
        p95Ms: 7,
        p99Ms: 7,
      },
    ])
  })

  const counted = async (query: string, names: readonly string[]) =>
    (await usage(`?${WINDOW}&${query}`)).body.items.map((item: any) => [
      ...names.map((name) => item[name]),
      item.calls,
    ])

  it('by service, by caller, and by hour', async () => {
    expect(await counted('groupBy=service', ['service'])).toEqual([
      ['counted', 103],
      ['removed', 1],
    ])
    expect(await counted('groupBy=caller', ['caller', 'callerType'])).toEqual([
      ['a', 'agent', 101],
      ['b', 'user', 3],
    ])
    expect(await counted('groupBy=hour', ['hour'])).toEqual([
      ['2026-03-01T10:00:00Z', 60],
      ['2026-03-01T11:00:00Z', 42],
      ['2026-03-01T12:00:00Z', 2],
    ])
  })

  it('as far as it is asked for', async () => {
    expect(await counted('service=removed', ['tool'])).toEqual([['echo', 1]])
    expect(await counted('tool=echo&groupBy=service', ['service'])).toEqual([
      ['counted', 100],
      ['removed', 1],
    ])
    expect(await counted('caller=b&groupBy=caller', ['caller'])).toEqual([['b', 3]])
    expect(await counted('status=refused', ['tool', 'p50Ms'])).toEqual([['fail', null, 1]])
    expect(await counted('service=nowhere', ['tool'])).toEqual([])
  })

  it.each(['tool', 'service', 'caller', 'hour'])('page by page, each %s once', async (groupBy) => {
    const whole = (await usage(`?${WINDOW}&groupBy=${groupBy}`)).body.items
    const seen: unknown[] = []
    let cursor: string | undefined
    do {
      const next = cursor === undefined ? WINDOW : `cursor=${encodeURIComponent(cursor)}`
      const { body } = await usage(`?${next}&groupBy=${groupBy}&limit=1`)
      expect([body.from, body.to]).toEqual([at(0), at(3 * HOUR_MS)])
      seen.push(...body.items)
      cursor = body.nextCursor
    } while (cursor !== undefined)
    expect(seen).toEqual(whole)
  })

  it('of one organisation for its own operators alone', async () => {
    const theirs = (await usage(`?${WINDOW}`, other)).body.items
    expect(theirs.map(({ tool }: { tool: string }) => tool)).toEqual(['theirs'])
    expect(JSON.stringify((await usage(`?${WINDOW}`)).body)).not.toContain('theirs')
    const { key } = await makeKey(gateway, { role: 'user' })
    expect((await usage('', key)).status).toBe(403)
  })

  it('of the last day where nothing else is said', async () => {
    const { body } = await usage()
    expect(Date.parse(body.to) - Date.parse(body.from)).toBe(24 * HOUR_MS)
    expect(Math.abs(Date.parse(body.to) - Date.now())).toBeLessThan(60_000)
  })

  it.each([
    ['from', 'from=yesterday'],
    ['from', 'from=2026-13-01T00:00:00Z'],
    ['from', 'from=0000-01-01T00:00:00Z'],
    ['from', 'from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z'],
    ['to', 'to=9999-12-31T23:59:59-14:00'],
    ['to', 'to=1970-01-01T00:00:00Z'],
    ['groupBy', 'groupBy=day'],
    ['status', 'status=done'],
    ['tool', 'tool='],
    ['tool', `tool=${'x'.repeat(257)}`],
    ['service', 'service=%00'],
    ['caller', 'caller=a%0Ab'],
    ['limit', 'limit=0'],
    ['limit', 'limit=1001'],
    ['cursor', 'cursor=x'],
    ['cursor', 'cursor=1.2.3.%2500'],
    ['cursor', 'cursor=1.2.3.%25ff'],
    ['cursor', 'cursor=1.999999999999999.3.a'],
    ['group', 'group=tool'],
  ])('not where %s is wrong: %s', async (field, query) => {
    const { status, body } = await usage(`?${query}`)
    expect([status, body.code, body.errors[0].field]).toEqual([400, 'invalid_query', field])
  })
})
