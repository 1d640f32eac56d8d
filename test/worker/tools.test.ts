/** What operators say of single tools, and who sees which. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Gateway, STAYS_CLOSED } from '../support/gateway.ts'
import { addKey } from '../support/key.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let stack: Stack
let gateway: Gateway
let shop: Upstream
let depot: Upstream
let coder: { readonly authorization: string }

const PATH = '/api/v1/tools'
const schema = { type: 'object', properties: { big: { const: 1 } } }
const odd =
  '{"name":"odd.name", "description":"as it was", "inputSchema":{"type":"object","x":12345678901234567890}}'

beforeAll(async () => {
  stack = await startStack()
  coder = await addKey(stack, 'coder')
  gateway = await stack.gateway()
  shop = await startUpstream({ era: 'legacy', tools: [{ name: 'buy', inputSchema: schema }, odd] })
  depot = await startUpstream({ era: 'modern', tools: [{ name: 'buy', inputSchema: schema }] })
  await gateway.register('shop', shop.url, { timeoutMs: 20_000, ...STAYS_CLOSED })
  await gateway.register('depot', depot.url)
})
afterAll(async () => {
  await stack.close()
  await Promise.all([shop.stop(), depot.stop()])
})

const say = (service: string, tool: string, said: object) =>
  gateway.manage('PATCH', `${PATH}/${service}/${encodeURIComponent(tool)}`, said)
const seen = async (headers: Record<string, string>): Promise<any[]> =>
  (await gateway.fetch(`${PATH}?limit=1000`, { headers })).body.items

describe('all tools', () => {
  it('are listed under their public names, their schemas as they came', async () => {
    const { status, text, body } = await gateway.manage('GET', `${PATH}?limit=1000`)
    expect(status).toBe(200)
    expect(text).toContain('"inputSchema":{"type":"object","x":12345678901234567890}')
    const one = (name: string) => body.items.find((item: { name: string }) => item.name === name)
    expect(one('buy')).toEqual({
      name: 'buy',
      service: 'shop',
      tool: 'buy',
      inputSchema: schema,
      isEnabled: true,
    })
    expect(one('depot__buy')).toMatchObject({ service: 'depot', tool: 'buy' })
    expect(body.items.find((item: { tool: string }) => item.tool === 'odd.name').name).toMatch(/^odd_name_/)
  })

  it('come in pages', async () => {
    const first = (await gateway.manage('GET', `${PATH}?limit=2`)).body
    expect(first.items).toHaveLength(2)
    const next = (await gateway.manage('GET', `${PATH}?limit=2&cursor=${first.nextCursor}`)).body
    expect(next.items).toHaveLength(2)
    expect(next.items[0]).not.toEqual(first.items[0])
  })

  it('S21 are to a caller who manages nothing those that it may use', async () => {
    const rule = { agentType: 'coder', tool: 'shop/*' }
    await gateway.manage('PUT', '/api/v1/permissions', { ...rule, allowed: false })
    const services = (await seen(coder)).map(({ service }) => service)
    expect(new Set(services)).toEqual(new Set(['depot']))
    expect((await gateway.manage('GET', `${PATH}?limit=1000`)).body.items.length).toBeGreaterThan(
      services.length,
    )
    await gateway.manage('DELETE', '/api/v1/permissions', rule)
    expect((await seen(coder)).map(({ service }) => service)).toContain('shop')
  })
})

describe('a setting', () => {
  it('B96 isEnabled false makes a tool unknown everywhere, and null takes that away', async () => {
    const off = await say('shop', 'buy', { isEnabled: false })
    expect([off.status, off.body.isEnabled]).toEqual([200, false])
    expect(await gateway.toolNames()).not.toContain('buy')
    for (const [name, path] of [
      ['buy', '/mcp'],
      ['shop__buy', '/mcp'],
      ['buy', '/mcp/shop'],
    ] as const) {
      const { body } = await gateway.rpc('tools/call', { name, arguments: {} }, { path })
      expect(body.error).toEqual({ code: -32602, message: `Unknown tool: ${name}` })
    }
    expect((await seen(coder)).map(({ name }) => name)).not.toContain('buy')
    const operators = (await gateway.manage('GET', `${PATH}?limit=1000`)).body.items
    expect(operators).toContainEqual(expect.objectContaining({ name: 'buy', isEnabled: false }))
    expect((await say('shop', 'buy', { isEnabled: null })).body.isEnabled).toBe(true)
    expect(await gateway.toolNames()).toContain('buy')
  })

  it('alias and description are what callers see, and what is left out stays as it was', async () => {
    expect((await say('shop', 'odd.name', { alias: 'neat', description: 'better' })).status).toBe(200)
    const said = await say('shop', 'odd.name', { cacheTtlSeconds: 60 })
    expect(said.body).toMatchObject({
      name: 'neat',
      alias: 'neat',
      description: 'better',
      cacheTtlSeconds: 60,
    })
    const { text } = await gateway.rpc('tools/list')
    expect(text).toContain(odd.replace('odd.name', 'neat').replace('as it was', 'better'))
    const { body } = await gateway.rpc('tools/call', { name: 'neat', arguments: { text: 'hi' } })
    expect(body.result.content[0].text).toBe('hi')
    expect(shop.calls('tools/call').at(-1)?.message?.params).toMatchObject({ name: 'odd.name' })
    await say('shop', 'odd.name', { alias: null, description: null, cacheTtlSeconds: null })
    expect((await gateway.rpc('tools/list')).text).toContain('"description":"as it was"')
  })

  it('S37 an alias that anybody has already is refused, with who has it', async () => {
    for (const taken of ['buy', 'echo']) {
      const refused = await say('depot', 'buy', { alias: taken })
      expect([refused.status, refused.body.code]).toEqual([409, 'duplicate_name'])
      expect(refused.body.detail).toContain("'shop'")
    }
    for (const alias of ['shop__x', 'a b', '', 'x'.repeat(65)]) {
      expect((await say('depot', 'buy', { alias })).status).toBe(400)
    }
    expect((await say('depot', 'buy', { alias: 'purchase' })).status).toBe(200)
    expect((await say('depot', 'buy', { alias: 'purchase' })).status).toBe(200)
    expect((await say('shop', 'buy', { alias: 'purchase' })).status).toBe(409)
    await say('depot', 'buy', { alias: null })
  })

  it('timeoutMs ends a call of this tool, and of no other', async () => {
    await say('shop', 'slow', { timeoutMs: 150 })
    const call = (name: string, ms: number) =>
      gateway.rpc('tools/call', { name, arguments: { ms, steps: 1 } })
    const { body } = await call('slow', 5_000)
    expect(body.error).toMatchObject({ code: -31504, data: { afterMs: 150 } })
    await say('shop', 'slow', { timeoutMs: null })
    expect((await call('slow', 400)).body.result.content[0].text).toBe('done')
  })

  it('names a service, a tool and fields that there are', async () => {
    expect((await say('nobody', 'buy', {})).body.code).toBe('unknown_service')
    expect((await say('shop', 'nothing', {})).body.code).toBe('unknown_tool')
    for (const bad of [{ timeoutMs: 0 }, { cacheTtlSeconds: -1 }, { description: '\0' }, { name: 'x' }]) {
      const refused = await say('shop', 'buy', bad)
      expect([refused.status, refused.body.errors[0].field]).toEqual([400, Object.keys(bad)[0]])
    }
    const init = { method: 'PATCH', headers: { ...coder, 'content-type': 'application/json' }, body: '{}' }
    expect((await gateway.fetch(`${PATH}/shop/buy`, init)).status).toBe(403)
  })
})
