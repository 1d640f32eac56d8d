/**
 * Whatever an upstream says of itself, and whatever an operator registers, the management API answers with a service
 * or a problem, lists stay lists, and the gateway stays well. `FUZZ_SEED=<seed>` says the same again.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openYard, type Yard } from '../support/base.ts'
import { expectDocumented } from '../support/documented.ts'
import { API_KEY } from '../support/gateway.ts'
import { faultOf, oddAnswer } from '../support/odd-answer.ts'
import { edit, type Edit } from '../support/odd-text.ts'
import { exchange, type WireAnswer } from '../support/wire.ts'

const RUNS: fc.Parameters<unknown> = {
  numRuns: 1_000,
  interruptAfterTimeLimit: 9_000,
  seed: Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31),
}
const MANAGED = { 'x-api-key': API_KEY, 'content-type': 'application/json' }
const bytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))

let yard: Yard
let said = ''
beforeAll(async () => {
  yard = await openYard({ era: 'both' }, { sink: (text) => (said += text) })
})
afterAll(() => yard.close())

const manage = (method: string, path: string, body: unknown = ''): Promise<WireAnswer> =>
  exchange(yard.gateway.url, { method, path: `/api/v1/servers${path}`, headers: MANAGED, body: bytes(body) })

/** The service, or a problem as RFC 9457 has it. */
function expectManaged({ status, headers, text }: WireAnswer): void {
  if (status < 300) return void expect(headers['content-type']).toBe('application/json')
  expect(headers['content-type']).toBe('application/problem+json')
  const { status: told, code, detail } = JSON.parse(text)
  expect([told, typeof code, typeof detail]).toEqual([status, 'string', 'string'])
  expect([400, 404, 409, 413, 422, 502]).toContain(status)
}

async function expectLists(): Promise<void> {
  const { 'x-api-key': key, ...headers } = MANAGED
  for (const method of ['tools/list', 'prompts/list', 'resources/list', 'initialize', 'server/discover']) {
    const isModern = method === 'server/discover'
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    const body = bytes({ jsonrpc: '2.0', id: 1, method, params: isModern ? { _meta: meta } : {} })
    const modern = isModern ? { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method } : {}
    const answer = await exchange(yard.gateway.url, {
      method: 'POST',
      path: '/mcp',
      headers: { ...headers, 'x-api-key': key, ...modern },
      body,
    })
    expect(answer.status).toBe(200)
    expectDocumented(answer, body)
    expect(JSON.parse(answer.text)).toHaveProperty('result')
  }
}

const ITEM =
  '{"name":"t","description":"d","inputSchema":{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"A"}}}}'
const LISTS: Readonly<Record<string, string>> = {
  'server/discover':
    '{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{"listChanged":true},"prompts":{},"resources":{"subscribe":true},"logging":{},"extensions":{"a":{}}},"instructions":"i","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"n","version":"1"}}}',
  initialize:
    '{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"tasks":{"list":{}}},"serverInfo":{"name":"n","version":"1"},"instructions":"i"}',
  'tools/list': `{"tools":[${ITEM},${ITEM.replace('"t"', '"u"')}],"nextCursor":"c"}`,
  'tools/list ': `{"tools":[${ITEM}]}`,
  'prompts/list': '{"prompts":[{"name":"p","arguments":[{"name":"a","required":true}]}]}',
  'resources/list': '{"resources":[{"uri":"test://r","name":"r","_meta":{"ui":{"resourceUri":"ui://x"}}}]}',
  'resources/templates/list': '{"resourceTemplates":[{"uriTemplate":"test://{a}","name":"r"}]}',
}
const catalogue = fc
  .tuple(fc.constantFrom(...Object.keys(LISTS)), fc.array(edit, { minLength: 1, maxLength: 3 }))
  .map(([list, edits]: [string, Edit[]]) => {
    const result = edits.reduce((text, change) => change(text), LISTS[list] ?? '')
    return { for: list.trim(), text: result }
  })

it('any catalogue', async () => {
  yard.upstream.offer.prompts.push('{"name":"p"}')
  yard.upstream.offer.resources.push('{"uri":"test://r","name":"r"}')
  const property = fc.asyncProperty(fc.oneof({ weight: 3, arbitrary: catalogue }, oddAnswer), async (odd) => {
    const clear =
      'for' in odd
        ? yard.upstream.dial.set({
            is: 'respond',
            for: odd.for,
            body: (id) => `{"jsonrpc":"2.0","id":${id},"result":${odd.text}}`,
          })
        : yard.upstream.dial.set(faultOf(odd))
    try {
      const added = await manage('POST', '', { name: 'odd', url: yard.upstream.url })
      expectManaged(added)
      expectManaged(await manage('POST', '/fixture/refresh'))
      await expectLists()
      if (added.status === 201) expectManaged(await manage('GET', '/odd/definition'))
    } finally {
      clear()
      await manage('DELETE', '/odd')
    }
  })
  await fc.assert(property, RUNS)
}, 30_000)

const REGISTRATION = JSON.stringify({
  name: 'odd',
  url: 'http://127.0.0.1:9/mcp',
  transport: 'http',
  instances: [{ url: 'http://127.0.0.1:9/mcp', weight: 3 }],
  loadBalancer: 'random',
  auth: { type: 'bearer', token: 't' },
  timeoutMs: 1_000,
  rateLimit: { requestsPerMinute: 100, burstLimit: 20 },
  cacheTtlSeconds: 0,
  fallbackTools: [{ name: 'f', inputSchema: { type: 'object' } }],
  headers: { 'X-Team': 'a' },
})
it('any registration', async () => {
  const property = fc.asyncProperty(fc.array(edit, { maxLength: 3 }), async (edits) => {
    const body = edits.reduce((text, change) => change(text), REGISTRATION)
    const added = await manage('POST', '', body)
    expectManaged(added)
    expectManaged(await manage('PUT', '/odd', body))
    await expectLists()
    await manage('DELETE', '/odd')
  })
  await fc.assert(property, RUNS)
}, 30_000)

it('the gateway is well afterwards, and nothing was a bug', async () => {
  // The last run may have been interrupted before it took its fault back.
  yard.upstream.dial.clear()
  expect((await yard.gateway.fetch('/health')).body.status).toBe('ok')
  expect((await manage('POST', '/fixture/refresh')).status).toBe(200)
  const { body } = await yard.gateway.rpc('tools/call', { name: 'echo', arguments: { text: 'well' } })
  expect(body.result?.content[0].text, JSON.stringify(body)).toBe('well')
  expect(said.split('\n').filter((line) => /"event":"bug"|[Uu]ncaught/.test(line))).toEqual([])
})
