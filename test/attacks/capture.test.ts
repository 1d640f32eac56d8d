/** S58 with USAGE_CAPTURE=full: what an operator wants kept is kept, bounded, and no credential with it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, eventually, type Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const UPSTREAM_TOKEN = 'canary-of-the-upstream'
const GATEWAY_TOKEN = 'canary-of-the-gateway'

let stack: Stack
let gateway: Gateway
let upstream: Upstream
let streaming: Upstream
beforeAll(async () => {
  const auth = { header: 'authorization', value: `Bearer ${UPSTREAM_TOKEN}` }
  stack = await startStack()
  upstream = await startUpstream({ era: 'legacy', auth })
  streaming = await startUpstream({ era: 'modern', answers: 'sse' })
  gateway = await stack.gateway({ USAGE_CAPTURE: 'full', MCP_BEARER_TOKEN: GATEWAY_TOKEN })
  const headers = { 'X-Fixed': 'canary-of-a-header' }
  await gateway.registerAnew('one', upstream.url, {
    auth: { type: 'bearer', token: UPSTREAM_TOKEN },
    headers,
  })
  await gateway.registerAnew('two', streaming.url)
})
afterAll(async () => {
  await stack.close()
  await Promise.all([upstream.stop(), streaming.stop()])
})

const call = (correlationId: string, name: string, args?: object, service = 'one'): Promise<Answer> =>
  gateway.rpc(
    'tools/call',
    { name, ...(args && { arguments: args }) },
    {
      path: `/mcp/${service}`,
      headers: {
        'x-correlation-id': correlationId,
        'x-api-key': GATEWAY_TOKEN,
        cookie: 'canary-of-a-cookie=1',
      },
    },
  )
async function rowOf(correlationId: string) {
  const read = () =>
    stack.query(`select status, input::text as input, output::text as output, request_bytes, response_bytes
      from tool_usage where correlation_id = '${correlationId}'`)
  await eventually(10_000, async () => expect(await read()).toHaveLength(1))
  const [row] = await read()
  return row ?? {}
}
const leftOut = (why: string): string => `{"switchyard/leftOut":"${why}"}`

describe('S58 what calls are given and answer is kept', () => {
  it('as it was said, of values and streams, results and errors', async () => {
    const given = { text: 'é "quoted" \\ \u0000', big: 1 }
    const calls = [
      ['value', 'echo', given, 'one'],
      ['stream', 'echo', given, 'two'],
      ['failed', 'fail', { text: 'because' }, 'one'],
      ['error', 'rpc-error', { message: 'broken' }, 'two'],
      ['bare', 'echo', undefined, 'one'],
    ] as const
    const answers = await Promise.all(calls.map(([id, tool, args, service]) => call(id, tool, args, service)))
    for (const [at, [correlationId, , args]] of calls.entries()) {
      const row = await rowOf(correlationId)
      expect(row['input']).toBe(args === undefined ? null : JSON.stringify(args))
      const { result, error } = answers[at]?.body ?? {}
      expect(JSON.parse(row['output'])).toMatchObject(error ? { code: error.code } : result)
    }
  })

  it('but for what is too long, which is said in its place', async () => {
    await call('long-input', 'echo', { text: 'x'.repeat(70_000) })
    await call('long-output', 'big', { bytes: 70_000 })
    expect(await rowOf('long-input')).toMatchObject({
      input: leftOut('too_long'),
      output: leftOut('too_long'),
    })
    expect(await rowOf('long-output')).toMatchObject({
      input: '{"bytes":70000}',
      output: leftOut('too_long'),
    })
  })

  it('as far as there is room, and the record of every call in any case', async () => {
    // Written down they are twice as long, and once more on their way.
    const args = { text: '"'.repeat(30_000) }
    const calls = Array.from({ length: 200 }, () => call('crowd', 'echo', args))
    for (const { status } of await Promise.all(calls)) expect(status).toBe(200)
    await eventually(40_000, async () => {
      const [row] = await stack.query(`select count(*)::int as calls, min(length(input::text)) as input
        from tool_usage where correlation_id = 'crowd'`)
      expect(row).toMatchObject({ calls: 200 })
    })
    const { usage } = (await gateway.manage('GET', '/api/v1/servers/one/metrics')).body
    expect(usage.dropped).toBe(0)
  }, 60_000)

  it('and no credential, header or cookie with it', async () => {
    await stack.quiet()
    const rows = await stack.query('select row_to_json(tool_usage.*)::text as row from tool_usage')
    expect(rows.length).toBeGreaterThan(200)
    expect(rows.map(({ row }) => row).join('\n')).not.toContain('canary')
  })
})
