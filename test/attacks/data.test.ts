/** What callers, operators and upstreams send stays data: no path, no header, no prototype, no expression is made of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectEcho, HEADERS, META, openYard, send, type Yard } from '../support/base.ts'
import { API_KEY, type Gateway } from '../support/gateway.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

/** Names that every object inherits. */
const INHERITED = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf']
const ODD = [
  '../../admin',
  '/etc/passwd',
  '?key=1#x',
  'a\r\nX-Evil: 1',
  'http://evil.example/',
  '%2e%2e%2f',
  '{url}',
]
const SLOW_PATTERN = '^(a+)+$'

let yard: Yard
let gateway: Gateway
let legacy: Upstream
beforeAll(async () => {
  const slow = { type: 'string', pattern: SLOW_PATTERN, 'x-mcp-header': 'Slow' }
  const inputSchema = { type: 'object', properties: { slow }, patternProperties: { [SLOW_PATTERN]: {} } }
  const tools = [...INHERITED, ...ODD].map((name) => ({ name, inputSchema: { type: 'object' } }))
  yard = await openYard({
    era: 'modern',
    tools: [...tools, { name: 'patterned', inputSchema, outputSchema: inputSchema }],
    resources: ODD.map((uri) => ({ uri: `test://${encodeURI(uri)}`, name: 'odd' })),
  })
  gateway = yard.gateway
  legacy = await startUpstream({ era: 'legacy' })
  expect((await gateway.register('legacy', legacy.url)).status).toBe(201)
})
afterAll(async () => {
  await yard.close()
  await legacy.stop()
})

describe('S19 a header that claims to be from a proxy', () => {
  const CLAIMS: readonly [string, string][] = [
    ['x-mcp-authorized', 'admin'],
    ['mcp-init-host', 'evil.example'],
    ['x-tenant-id', 'other'],
    ['x-forwarded-host', 'evil.example'],
    ['x-forwarded-for', '127.0.0.1'],
    ['x-forwarded-proto', 'http'],
    ['x-real-ip', '127.0.0.1'],
    ['forwarded', 'for=127.0.0.1;host=evil.example'],
    ['cf-connecting-ip', '127.0.0.1'],
    ['x-original-url', '/health'],
    ['x-http-method-override', 'GET'],
  ]

  it.each(CLAIMS)('S19 changes no answer, and goes no further: %s', async (name, value) => {
    const plain = await send(gateway)
    const claimed = await send(gateway, { headers: { [name]: value } })
    expect([claimed.status, claimed.text]).toEqual([plain.status, plain.text])
    expect(yard.upstream.calls('tools/call').at(-1)?.headers).not.toHaveProperty(name)
  })

  it('S19 is no credential, and no word of it comes back', async () => {
    const headers = { ...Object.fromEntries(CLAIMS), authorization: undefined }
    const [claimed, plain] = [
      await send(gateway, { headers }),
      await send(gateway, { headers: { authorization: undefined } }),
    ]
    expect([claimed.status, claimed.text]).toEqual([401, plain.text])
    expect(claimed.headers.get('www-authenticate')).toBe(plain.headers.get('www-authenticate'))
    expect(JSON.stringify([...claimed.headers])).not.toContain('evil.example')
  })
})

describe('S48 what is asked for', () => {
  const seen = () => yard.upstream.requests.at(-1)

  it.each([...INHERITED, ...ODD])('S48 by the name of a tool is no path and no header: %j', async (name) => {
    const { body } = await gateway.rpc(
      'tools/call',
      { name, arguments: { [name]: name } },
      { path: '/mcp/fixture' },
    )
    expect(body.result.content[0].text).toBe(name)
    expect([seen()?.path, seen()?.headers['x-evil']]).toEqual(['/mcp', undefined])
    expect(seen()?.message?.params).toMatchObject({ name, arguments: { [name]: name } })
  })

  it.each(ODD)('S48 by an URI is no path: %j', async (text) => {
    const uri = `test://${encodeURI(text)}`
    const { body } = await gateway.rpc('resources/read', { uri }, { path: '/mcp/fixture' })
    expect(body.result.contents[0].uri).toBe(uri)
    expect([seen()?.path, seen()?.message?.params['uri']]).toEqual(['/mcp', uri])
  })
})

it('S50 patterns of an upstream are never executed', async () => {
  const slow = `${'a'.repeat(200)}!`
  const begun = performance.now()
  const { body } = await send(gateway, {
    headers: { 'mcp-name': 'patterned', 'mcp-param-slow': slow },
    params: { name: 'patterned', arguments: { slow, text: 'hi' } },
  })
  expect(body.result.content[0].text).toBe('hi')
  // Executed, it would take longer than the universe has been there.
  expect(performance.now() - begun).toBeLessThan(10_000)
})

describe('S60 names that every object inherits', () => {
  it.each(INHERITED)('S60 are plain data as arguments and as headers: %s', async (name) => {
    const answer = await send(gateway, {
      headers: { [name]: 'x', [`mcp-param-${name}`]: 'x' },
      raw: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'echo', arguments: { text: 'hi' }, _meta: 0 },
      }).replace('"_meta":0', `"_meta":${JSON.stringify({ ...META })},"${name}":{"name":"fail"}`),
    })
    expectEcho(answer)
    expect(yard.upstream.calls('tools/call').at(-1)?.body).toContain(`"${name}":{"name":"fail"}`)
  })

  it.each(INHERITED)('S60 are no services, no sessions and no states: %s', async (name) => {
    expect((await gateway.rpc('tools/list', {}, { path: `/mcp/${name}` })).status).toBe(404)
    expect((await gateway.manage('GET', `/api/v1/servers/${name}`)).status).toBe(404)
    expect((await gateway.manage('POST', '/api/v1/servers', { name, url: legacy.url })).status).not.toBe(500)
    const headers = { ...HEADERS, 'mcp-protocol-version': '2025-11-25', 'mcp-session-id': name }
    expect((await gateway.fetch('/mcp', { method: 'DELETE', headers })).status).toBe(404)
  })

  it.each(INHERITED)('S60 change no setting of a service: %s', async (name) => {
    const raw = `{"name":"polluted","url":"${legacy.url}","${name}":{"trusted":true,"isAdmin":true}}`
    const nested = `{"name":"polluted","url":"${legacy.url}","rateLimit":{"requestsPerMinute":1,"burstLimit":1,"${name}":{"x":1}}}`
    for (const body of [raw, nested]) {
      const headers = { 'x-api-key': API_KEY, 'content-type': 'application/json' }
      const { status, body: told } = await gateway.fetch('/api/v1/servers', { method: 'POST', headers, body })
      expect([status, told.code]).toEqual([400, 'invalid_body'])
      expect((await gateway.manage('GET', '/api/v1/servers/polluted')).status).toBe(404)
    }
    const other = await gateway.manage('GET', '/api/v1/servers/legacy')
    expect([other.body.trusted, other.body.isAdmin]).toEqual([undefined, undefined])
    expectEcho(await send(gateway))
  })
})
