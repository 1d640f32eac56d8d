/** Upstreams that are all away, or none, or other ones than before. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { eventually, type Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream, type UpstreamOptions } from '../support/upstream.ts'

let stack: Stack
let gateway: Gateway
const running: Upstream[] = []
beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
})
afterAll(() => stack.close())
afterEach(async () => {
  for (const { name } of (await gateway.manage('GET', '/api/v1/servers')).body.items) {
    await gateway.manage('DELETE', `/api/v1/servers/${name}`)
  }
  await Promise.all(running.splice(0).map((upstream) => upstream.stop()))
})

async function start(options: UpstreamOptions): Promise<Upstream> {
  const upstream = await startUpstream(options)
  running.push(upstream)
  return upstream
}
const call = (path = '/mcp') =>
  gateway.rpc('tools/call', { name: 'echo', arguments: { text: 'x' } }, { path })

describe('F36 a gateway without services', () => {
  it('has no tools, and nothing by default', async () => {
    const { status, body } = await gateway.rpc('tools/list')
    expect(status).toBe(200)
    expect(body.result.tools).toEqual([])
    expect((await call()).body.error).toMatchObject({ code: -32602, message: 'Unknown tool: echo' })
    expect((await gateway.fetch('/health')).body.status).toBe('ok')
  })
})

describe('F35 services that are all away', () => {
  it('are still offered, and each call is told which one is away, then that its circuit is open', async () => {
    const upstreams = [await start({ era: 'legacy' }), await start({ era: 'modern' })]
    for (const [index, { url }] of upstreams.entries()) await gateway.register(`away-${index}`, url)
    const before = await gateway.toolNames()
    await Promise.all(upstreams.map((upstream) => upstream.stop()))
    for (const [index] of upstreams.entries()) {
      const codes: unknown[] = []
      for (let at = 0; at < 8; at++) codes.push((await call(`/mcp/away-${index}`)).body.error.code)
      expect(codes).toEqual([...Array.from({ length: 5 }, () => -31501), -31523, -31523, -31523])
    }
    expect(await gateway.toolNames()).toEqual(before)
  })
  it('F01 is told within a second', async () => {
    const upstream = await start({ era: 'legacy' })
    await gateway.register('gone', upstream.url)
    await upstream.stop()
    const startedAt = performance.now()
    expect((await call('/mcp/gone')).body.error.code).toBe(-31501)
    expect(performance.now() - startedAt).toBeLessThan(1_000)
  })
})

describe('F37 an upstream that becomes another one', () => {
  it.each<[string, UpstreamOptions, UpstreamOptions]>([
    ['legacy to modern, refusing methods', { era: 'legacy' }, { era: 'modern', refusesLegacyBy: 'method' }],
    ['legacy to modern, refusing versions', { era: 'legacy' }, { era: 'modern', refusesLegacyBy: 'version' }],
    ['modern to legacy', { era: 'modern' }, { era: 'legacy' }],
    ['modern to legacy with sessions', { era: 'modern' }, { era: 'legacy', stateful: true }],
    ['with sessions to modern', { era: 'legacy', stateful: true }, { era: 'modern' }],
  ])('%s is spoken to as what it is now', async (_, before, after) => {
    const old = await start(before)
    const circuitBreaker = { failureThreshold: 2, recoveryTimeout: 200, halfOpenMaxCalls: 1 }
    expect((await gateway.register('changing', old.url, { circuitBreaker })).status).toBe(201)
    expect((await call('/mcp/changing')).body.result).toBeDefined()
    await old.stop()
    await start({ ...after, port: old.port })
    await eventually(10_000, async () => {
      expect((await call('/mcp/changing')).body.result?.content[0].text).toBe('x')
    })
  })
})
