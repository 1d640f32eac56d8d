/** F59, F42: usage is exact, whatever Postgres and the objects that hold records go through meanwhile. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDatabase } from '../../src/storage/database.ts'
import { Patience } from '../../src/storage/patience.ts'
import { RecordStore } from '../../src/storage/record.ts'
import { UsageStore } from '../../src/storage/usage.ts'
import { openPglite } from '../../local/postgres/pglite.ts'
import { openPostgres } from '../../local/postgres/postgres.ts'
import { createDatabase, describeEngines } from '../local/engines.ts'
import { type Answer, eventually, type Gateway, STAYS_CLOSED } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const CALLS = 1_000
/** Of which call on Postgres is away, and back. */
const [AWAY_FROM, BACK_FROM] = [333, 667]
const AT_ONCE = 20
const ISOLATES = 3
const TIMED_OUT = -31_504

describeEngines('with PGlite', 'TEST_DATABASE_URL', (url) => {
  let stack: Stack
  let gateways: readonly Gateway[]
  let first: Gateway
  let legacy: Upstream
  let modern: Upstream
  let dataDirectory: string
  let database: Awaited<ReturnType<typeof createDatabase>> | undefined
  const start = async (): Promise<void> => {
    gateways = await stack.gateways({}, { dataDirectory, isolates: ISOLATES })
    first = gateways[0] ?? expect.fail()
  }
  beforeAll(async () => {
    dataDirectory = await mkdtemp(join(tmpdir(), 'usage-'))
    database = url === undefined ? undefined : await createDatabase(url)
    const { url: own } = database ?? {}
    stack = await startStack(() => (own === undefined ? openPglite() : openPostgres(own)))
    legacy = await startUpstream({ era: 'legacy' })
    modern = await startUpstream({ era: 'modern', answers: 'sse' })
    await start()
  })
  afterAll(async () => {
    await stack.close()
    await database?.drop()
    await Promise.all([legacy.stop(), modern.stop()])
    await rm(dataDirectory, { recursive: true, force: true })
  })

  /** Calls by service, tool and what became of them, as their callers saw it. */
  const seen = new Map<string, number>()
  const count = (service: string, tool: string, status: string): void => {
    const key = `${service}/${tool} ${status}`
    seen.set(key, (seen.get(key) ?? 0) + 1)
  }

  const planned = (at: number) => {
    if (at % 50 === 7) return { service: 'legacy', tool: 'slow', args: { ms: 5_000 } }
    if (at % 10 === 3) return { service: 'limited', tool: 'echo', args: {} }
    const tool = ['echo', 'echo', 'fail', 'rpc-error'][at % 4] ?? 'echo'
    return { service: at % 3 === 0 ? 'modern' : 'legacy', tool, args: { text: 'x' } }
  }

  async function call(at: number): Promise<void> {
    const { service, tool, args } = planned(at)
    const gateway = gateways[at % ISOLATES] ?? first
    const params = { name: tool, arguments: args }
    const answer =
      at % 2 === 0
        ? await gateway.rpc('tools/call', params, { path: `/mcp/${service}` })
        : await gateway.modern('tools/call', params, { path: `/mcp/${service}` })
    count(service, tool, statusOf(answer))
  }

  function statusOf({ status, body }: Answer): string {
    if (status === 429) return 'refused'
    expect(status).toBe(200)
    if (body.error?.code === TIMED_OUT) return 'timeout'
    return body.error || body.result.isError ? 'error' : 'success'
  }

  async function callAll(from: number, to: number): Promise<void> {
    let next = from
    const work = async (): Promise<void> => {
      while (next < to) await call(next++)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
  }

  const waiting = async (): Promise<number> => {
    const services = ['legacy', 'modern', 'limited']
    const figures = await Promise.all(
      services.map((name) => first.manage('GET', `/api/v1/servers/${name}/metrics`)),
    )
    for (const { body } of figures) expect(body.usage.dropped).toBe(0)
    return figures.reduce((sum, { body }) => sum + body.usage.waiting, 0)
  }

  /** The same as analytics tell it. */
  async function told(from: string): Promise<ReadonlyMap<string, number>> {
    const counted = new Map<string, number>()
    for (const status of ['success', 'error', 'timeout', 'refused']) {
      const { body } = await first.manage('GET', `/api/v1/analytics/usage?from=${from}&status=${status}`)
      for (const { service, tool, calls } of body.items) counted.set(`${service}/${tool} ${status}`, calls)
    }
    return counted
  }

  it('1,000 calls are exactly 1,000, with Postgres away for the middle third and all objects killed in it', async () => {
    const from = new Date(Date.now() - 1_000).toISOString()
    await first.registerAnew('legacy', legacy.url, { ...STAYS_CLOSED, timeoutMs: 400 })
    await first.registerAnew('modern', modern.url, STAYS_CLOSED)
    await first.registerAnew('limited', legacy.url, { rateLimit: { requestsPerMinute: 60, burstLimit: 10 } })
    for (const gateway of gateways)
      for (const name of ['legacy', 'modern', 'limited'])
        await eventually(10_000, async () =>
          expect(await gateway.toolNames(`/mcp/${name}`)).toContain('echo'),
        )

    await callAll(0, AWAY_FROM)
    await eventually(15_000, async () => expect(await waiting()).toBe(0))
    stack.database.takeAway()
    await callAll(AWAY_FROM, BACK_FROM)
    const away = BACK_FROM - AWAY_FROM
    await eventually(15_000, async () => expect(await waiting()).toBeGreaterThanOrEqual(away))
    // What an isolate had to tell twice waits twice, so all is told when nothing more comes.
    await eventually(15_000, async () => {
      const before = await waiting()
      await new Promise((resolve) => setTimeout(resolve, 1_500))
      expect(await waiting()).toBe(before)
    })
    await stack.kill(first)
    await start()
    await eventually(15_000, async () => expect(await waiting()).toBeGreaterThanOrEqual(away))
    stack.database.giveBack()
    await callAll(BACK_FROM, CALLS)

    await eventually(30_000, async () => expect(await told(from)).toEqual(seen))
    await stack.quiet()
    expect(await told(from)).toEqual(seen)
    expect([...seen.values()].reduce((sum, calls) => sum + calls, 0)).toBe(CALLS)
    const { body } = await first.manage('GET', `/api/v1/analytics/usage?from=${from}&groupBy=hour`)
    expect(body.items.reduce((sum: number, { calls }: { calls: number }) => sum + calls, 0)).toBe(CALLS)
    for (const status of ['success', 'error', 'timeout', 'refused'])
      expect([...seen.keys()].join()).toContain(status)
  }, 180_000)

  it('F59 calls with long arguments, many at once, are recorded each', async () => {
    await first.registerAnew('busy', legacy.url)
    const params = { name: 'echo', arguments: { text: 'x'.repeat(60_000) } }
    const calls = Array.from({ length: 150 }, () => first.rpc('tools/call', params, { path: '/mcp/busy' }))
    for (const { status } of await Promise.all(calls)) expect(status).toBe(200)
    await eventually(15_000, async () => {
      const { items } = (await first.manage('GET', '/api/v1/analytics/usage?service=busy')).body
      expect(items).toMatchObject([
        { calls: 150, requestBytes: 150 * JSON.stringify(params.arguments).length },
      ])
    })
  }, 60_000)

  const stores = () => {
    const database = openDatabase(stack.databaseUrl, 5_000)
    const patience = new Patience({ clock: Date.now, random: Math.random, log: () => undefined })
    const usage = new UsageStore({ reads: database, writes: database, patience, clock: Date.now })
    return { records: new RecordStore(database, patience), usage }
  }

  it('a record whose answer was lost on the way back is stored once', async () => {
    const { records, usage } = stores()
    const record = JSON.stringify({
      id: crypto.randomUUID(),
      organisationId: 'default',
      actor: 'somebody',
      action: 'mcp.tools/call',
      target: 'x/once',
      outcome: 'done',
      detail: {},
      createdAt: Date.now(),
      usage: { serviceId: crypto.randomUUID(), tool: 'once', callerType: 'agent', status: 'success' },
    })
    const stored = await Promise.all([records.store(`[${record}]`), records.store(`[${record},${record}]`)])
    expect([...stored, await records.store(`[${record}]`)]).toEqual([true, true, true])
    const window = { from: new Date(Date.now() - 60_000), to: new Date(Date.now() + 60_000) }
    const counted = await usage.count('default', { ...window, groupBy: 'tool', tool: 'once', limit: 10 })
    expect(counted.ok && counted.value).toMatchObject([{ tool: 'once', calls: 1 }])
  })

  it('a record of an organisation that there is not is left out alone', async () => {
    const id = crypto.randomUUID()
    const left = { organisationId: 'nowhere', actor: 'x', action: 'x', target: 'left', outcome: 'done' }
    const taken = { ...left, organisationId: 'default', id, detail: {}, createdAt: Date.now() }
    const records = JSON.stringify([{ ...taken, ...left, id: crypto.randomUUID() }, taken])
    expect(await stores().records.store(records)).toBe(true)
    expect(await stack.query(`select id from audit_log where target = 'left'`)).toEqual([{ id }])
  })

  it.each([
    [[[2], [5]], 5],
    [[[5], [2]], 5],
    [[[2, 7, 3]], 7],
    [[[2], [4, 9, 4]], 9],
  ])(
    'of one that counts several, told as %j, the most stays, beside those that are new',
    async (told, most) => {
      const { records } = stores()
      const target = crypto.randomUUID()
      const one = { organisationId: 'default', actor: 'x', action: 'x', outcome: 'x', createdAt: 1 }
      const id = crypto.randomUUID()
      for (const counts of told) {
        const tallies = counts.map((count) => ({ ...one, id, target, detail: { count } }))
        const other = { ...one, id: crypto.randomUUID(), target, detail: {} }
        expect(await records.store(JSON.stringify([other, ...tallies]))).toBe(true)
      }
      const rows = await stack.query(`select detail from audit_log where target = '${target}'`)
      expect(rows.filter(({ detail }) => 'count' in detail)).toEqual([{ detail: { count: most } }])
      expect(rows).toHaveLength(told.length + 1)
    },
  )

  it('rows that are too old are deleted, of every organisation, portion by portion', async () => {
    const { usage } = stores()
    const left = async (): Promise<number> => {
      const [row] = await stack.query(`select count(*)::int as count from tool_usage where tool = 'old'`)
      return row?.['count']
    }
    await stack.query(`insert into organisations (id, name) values ('other', 'other')`)
    for (const organisation of ['default', 'other'])
      await stack.query(`insert into tool_usage (id, organisation_id, tool, caller_id, caller_type, status, created_at)
        select gen_random_uuid(), '${organisation}', 'old', 'x', 'agent', 'success', now() - interval '91 days'
        from generate_series(1, 6000)`)
    await usage.prune(92)
    expect(await left()).toBe(12_000)
    await usage.prune(90)
    expect(await left()).toBe(0)
    expect((await stack.query('select 1 from tool_usage limit 1')).length).toBe(1)
  })
})
