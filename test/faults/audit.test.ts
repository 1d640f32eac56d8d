/** F59 records while Postgres is away, F39 those of callers that go away, and what is too old. */
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { AuditStore } from '../../src/storage/audit.ts'
import { openDatabase } from '../../src/storage/database.ts'
import { Patience } from '../../src/storage/patience.ts'
import { eventually, type Gateway, TOKEN } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let stack: Stack
let gateway: Gateway
let upstream: Upstream
beforeAll(async () => {
  ;[stack, upstream] = await Promise.all([startStack(), startUpstream({ era: 'legacy' })])
  gateway = await stack.gateway({ AUDIT: 'required' })
  await gateway.registerAnew('one', upstream.url)
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})

const call = (name: string) =>
  gateway.rpc('tools/call', { name, arguments: { text: 'x' } }, { path: '/mcp/one' })
const count = async (where: string): Promise<number> => {
  const [row] = await stack.query(`select count(*)::int as count from audit_log where ${where}`)
  return row?.['count']
}

it('F59 records wait in objects while Postgres is away, and are stored once when it is back', async () => {
  stack.database.takeAway()
  for (let at = 0; at < 20; at++) {
    expect((await call('echo')).status).toBe(200)
    await call('nope')
  }
  await eventually(5_000, async () => {
    const { usage } = (await gateway.manage('GET', '/mcp/services/one/metrics')).body
    expect(usage).toEqual({ waiting: 20, dropped: 0 })
  })
  // A flush that fails is made again, all of it.
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  stack.database.giveBack()
  await eventually(15_000, async () => {
    expect(await count(`action = 'mcp.tools/call' and outcome = 'done'`)).toBe(20)
    expect(await count(`outcome = 'unknown_tool'`)).toBe(20)
  })
  await stack.quiet()
  expect(await count(`action = 'mcp.tools/call'`)).toBe(40)
  const [{ usage } = {}] = await stack.query('select count(*)::int as usage from tool_usage')
  expect(usage).toBe(20)
})

it('F39 a call whose caller went away is recorded as cancelled', async () => {
  const params = { name: 'slow', arguments: { ms: 10_000 } }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
  const before = upstream.calls('tools/call').length
  const { hostname, port } = new URL(gateway.url)
  const socket = connect(Number(port), hostname).on('error', () => undefined)
  const headers = [
    'POST /mcp/one HTTP/1.1',
    `host: ${hostname}`,
    `authorization: Bearer ${TOKEN}`,
    'content-type: application/json',
    'accept: application/json, text/event-stream',
    `content-length: ${body.length}`,
  ]
  socket.write(`${headers.join('\r\n')}\r\n\r\n${body}`)
  await eventually(3_000, () => expect(upstream.calls('tools/call').length).toBeGreaterThan(before))
  socket.resetAndDestroy()
  await eventually(10_000, async () =>
    expect(await count(`target = 'one/slow' and outcome = 'cancelled'`)).toBe(1),
  )
})

it('records that are too old are deleted, of every organisation, portion by portion', async () => {
  await stack.query(`insert into organisations (id, name) values ('other', 'other')`)
  for (const organisation of ['default', 'other']) {
    await stack.query(`insert into audit_log (id, organisation_id, actor, action, target, outcome, created_at)
      select gen_random_uuid(), '${organisation}', 'x', 'old', 'x', 'done', now() - interval '91 days'
      from generate_series(1, 6000)`)
  }
  const kept = await count(`action <> 'old'`)
  const log = () => undefined
  const database = openDatabase(stack.databaseUrl, 5_000)
  const patience = new Patience({ clock: Date.now, random: Math.random, log })
  const store = new AuditStore({ reads: database, writes: database, patience, clock: Date.now })
  await store.prune(92)
  expect(await count(`action = 'old'`)).toBe(12_000)
  await store.prune(90)
  expect(await count(`action = 'old'`)).toBe(0)
  expect(await count('true')).toBe(kept)
})
