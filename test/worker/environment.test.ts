/** Services of the environment over several starts, with an operator in between. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, type Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let stack: Stack
let upstream: Upstream
let accepted = 'Bearer first'

beforeAll(async () => {
  stack = await startStack()
  upstream = await startUpstream({
    auth: { header: 'authorization', value: (given) => given === accepted },
  })
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})

const start = (rest: Record<string, string> = {}, token = 'first'): Promise<Gateway> =>
  stack.gateway({
    MCP_SERVICES: 'bank',
    MCP_SERVICE_BANK_URL: upstream.url,
    MCP_SERVICE_BANK_AUTH_TYPE: 'bearer',
    MCP_SERVICE_BANK_TOKEN: token,
    ...rest,
  })
const show = async (gateway: Gateway) => (await gateway.manage('GET', '/api/v1/servers/bank')).body
const callEcho = async (gateway: Gateway) =>
  (await gateway.rpc('tools/call', { name: 'echo', arguments: { text: 'hi' } }, { path: '/mcp/bank' })).body
const writes = () =>
  stack.query("select action, actor from audit_log where actor = 'environment' order by created_at")

describe('a service of the environment', () => {
  it('is registered with what its variables say', async () => {
    const gateway = await start({ MCP_SERVICE_BANK_TIMEOUT: '9000' })
    await eventually(10_000, async () =>
      expect(await show(gateway)).toMatchObject({
        status: 'connected',
        timeoutMs: 9_000,
        hasCredential: true,
      }),
    )
    expect(await show(gateway)).not.toHaveProperty('environment')
  })

  it('stays as an operator changed it while the environment says what it said', async () => {
    const before = await start({ MCP_SERVICE_BANK_TIMEOUT: '9000' })
    await before.manage('PUT', '/api/v1/servers/bank', { timeoutMs: 5_000, cacheTtlSeconds: 7 })
    const after = await start({ MCP_SERVICE_BANK_TIMEOUT: '9000' })
    await after.fetch('/health')
    await stack.quiet()
    expect(await show(after)).toMatchObject({ timeoutMs: 5_000, cacheTtlSeconds: 7 })
    expect(await writes()).toHaveLength(1)
  })

  it('gets a new credential and whatever else is said anew; what is not said stays', async () => {
    accepted = 'Bearer second'
    const gateway = await start({ MCP_SERVICE_BANK_TIMEOUT: '8000' }, 'second')
    await eventually(10_000, async () => {
      expect(await show(gateway)).toMatchObject({ status: 'connected', timeoutMs: 8_000, cacheTtlSeconds: 7 })
    })
    await eventually(10_000, async () => expect((await callEcho(gateway)).result?.content[0].text).toBe('hi'))
    expect(await writes()).toMatchObject([{ action: 'service.register' }, { action: 'service.update' }])
  })

  it('keeps what works where what is said anew does not', async () => {
    const gateway = await start({}, 'wrong')
    await gateway.fetch('/health')
    await stack.quiet()
    expect((await callEcho(gateway)).result?.content[0].text).toBe('hi')
    expect(await writes()).toHaveLength(2)
  })

  it('F71 that is said wrong keeps the gateway from serving, and the log names the variable', async () => {
    let log = ''
    const gateway = await stack.gateway(
      { MCP_SERVICES: 'bank=https://bank.example', MCP_SERVICE_BANK_RATE_LIMIT_BURST_LIMIT: 's3cret' },
      { sink: (text) => void (log += text) },
    )
    expect((await gateway.rpc('tools/list')).status).toBe(503)
    expect(log).toContain('MCP_SERVICE_BANK_RATE_LIMIT_BURST_LIMIT must be a whole number')
    expect(log).not.toContain('s3cret')
  })
})
