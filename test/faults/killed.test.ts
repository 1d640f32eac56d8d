/** F42 a process that is killed in the middle of what it does. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually, type Gateway, TOKEN } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let stack: Stack
let gateway: Gateway
let upstream: Upstream
let dataDirectory: string
beforeAll(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 'killed-'))
  stack = await startStack()
  upstream = await startUpstream({ era: 'legacy', answers: 'sse' })
  gateway = await stack.gateway({}, { dataDirectory })
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
  await rm(dataDirectory, { recursive: true, force: true })
})

const call = (name: string, args: object = { text: 'x' }) =>
  gateway.rpc('tools/call', { name, arguments: args }, { path: '/mcp/limited' })

it('F42 ends the streams of its callers, and no token, record or answer counts twice afterwards', async () => {
  const rateLimit = { requestsPerMinute: 1, burstLimit: 6 }
  await gateway.registerAnew('limited', upstream.url, { rateLimit })
  for (let at = 0; at < 3; at++) expect((await call('echo')).status).toBe(200)
  const streaming = fetch(`${gateway.url}/mcp/limited`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${TOKEN}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'slow', arguments: { ms: 10_000, steps: 100 }, _meta: { progressToken: 1 } },
    }),
  })
  const reading = (await streaming).text().then(
    () => 'ended',
    () => 'broken',
  )
  await eventually(3_000, () => expect(upstream.calls('tools/call')).toHaveLength(4))
  await eventually(3_000, async () => {
    const { usage } = (await gateway.manage('GET', '/mcp/services/limited/metrics')).body
    expect(usage.waiting).toBe(0)
  })
  await stack.kill(gateway)
  expect(['ended', 'broken']).toContain(await reading)
  await eventually(3_000, () => expect(upstream.closed).toBe(1))

  gateway = await stack.gateway({}, { dataDirectory })
  let passed = 4
  for (let at = 0; at < 10; at++) if ((await call('echo')).status === 200) passed++
  expect(passed).toBeLessThanOrEqual(6)
  await eventually(10_000, async () => {
    const rows = await stack.query(`select status, count(*)::int as calls from tool_usage group by status`)
    const { success } = Object.fromEntries(rows.map(({ status, calls }) => [status, calls]))
    expect(success).toBe(passed - 1)
  })
})
