/** Calls of tools without MCP: as by MCP, in the words of the management API. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, type Gateway, STAYS_CLOSED, TOKEN } from '../support/gateway.ts'
import { addKey } from '../support/key.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let stack: Stack
let gateway: Gateway
let shop: Upstream
let depot: Upstream
let coder: { readonly authorization: string }
let reader: typeof coder

beforeAll(async () => {
  stack = await startStack()
  coder = await addKey(stack, 'coder')
  reader = await addKey(stack, 'coder', 'user', ['mcp:read'])
  gateway = await stack.gateway()
  shop = await startUpstream({ era: 'legacy', tools: [{ name: 'buy', inputSchema: { type: 'object' } }] })
  depot = await startUpstream({ era: 'modern' })
  await gateway.register('shop', shop.url, STAYS_CLOSED)
  await gateway.register('depot', depot.url, STAYS_CLOSED)
})
afterAll(async () => {
  await stack.close()
  await Promise.all([shop.stop(), depot.stop()])
})

describe('a call without MCP', () => {
  const call = (body: string, headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` }) =>
    gateway.fetch('/api/v1/tools/call', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    })

  it('gives the result as the tool gave it, and passes numbers that no double holds', async () => {
    const arguments_ = '{"text":"hi","n":12345678901234567890}'
    const { status, body, headers } = await call(`{"name":"shop__echo","arguments":${arguments_}}`)
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json'])
    expect(body).toMatchObject({ content: [{ type: 'text', text: 'hi' }] })
    expect(shop.requests.at(-1)?.body).toContain('12345678901234567890')
    const failed = await call('{"name":"fail"}')
    expect([failed.status, failed.body.isError]).toEqual([200, true])
  })

  it('B96 is under the same rules, in the words of this API', async () => {
    const rule = { agentType: 'coder', tool: 'echo' }
    await gateway.manage('PUT', '/api/v1/permissions', { ...rule, allowed: false })
    const denied = await call('{"name":"echo","arguments":{}}', coder)
    expect([denied.status, denied.headers.get('content-type')]).toEqual([404, 'application/problem+json'])
    expect(denied.body).toMatchObject({ code: 'unknown_tool', detail: 'Unknown tool: echo' })
    const unknown = await call('{"name":"ohce","arguments":{}}', coder)
    expect(unknown.text).toBe(denied.text.replaceAll('echo', 'ohce'))
    await gateway.manage('DELETE', '/api/v1/permissions', rule)
    expect((await call('{"name":"echo","arguments":{}}', coder)).status).toBe(200)
  })

  it('S25 needs the scope that tools/call needs, and says which; the list needs to read', async () => {
    const refused = await call('{"name":"echo"}', reader)
    expect([refused.status, refused.body.code]).toEqual([403, 'insufficient_scope'])
    expect(refused.headers.get('www-authenticate')).toMatch(/insufficient_scope.*mcp:write/)
    expect((await gateway.fetch('/api/v1/tools', { headers: reader })).status).toBe(200)
  })

  it('tells what the service refused, and what kept it from answering', async () => {
    const error = await call('{"name":"rpc-error","arguments":{"message":"no luck"}}')
    expect(error.body).toMatchObject({
      status: 502,
      code: 'upstream_error',
      detail: 'no luck',
      reason: '-32000',
    })
    await gateway.manage('POST', '/api/v1/servers/depot/disconnect')
    const away = await call('{"name":"depot__echo"}')
    expect([away.status, away.body.code]).toEqual([503, 'service_disabled'])
    await gateway.manage('POST', '/api/v1/servers/depot/connect')
  })

  it('is written down as any other', async () => {
    await call('{"name":"shop__buy"}', { ...coder, 'x-correlation-id': 'without-mcp' })
    await eventually(10_000, async () => {
      const rows = await stack.query(
        "select tool, status from tool_usage where correlation_id = 'without-mcp'",
      )
      expect(rows).toEqual([{ tool: 'buy', status: 'success' }])
    })
  })

  it('S20 asks for a credential, and for a body that can be read', async () => {
    expect((await call('{"name":"echo"}', {})).status).toBe(401)
    for (const body of ['{}', '{"name":5}', '{"name":"echo","arguments":[]}', '{"name":"echo","x":1}', '[']) {
      expect((await call(body)).body.code).toBe('invalid_body')
    }
  })
})
