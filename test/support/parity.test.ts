/** What the fake upstream refuses, and how, is what servers of the official SDKs refuse. */
import { createMcpHandler, McpServer as ModernServer } from '@modelcontextprotocol/server'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readEvents } from './event.ts'
import { startUpstream, type Upstream, type UpstreamOptions } from './upstream.ts'

type Fetch = (request: Request) => Promise<Response>
type Odd = readonly [name: string, headers: Readonly<Record<string, string | undefined>>, body: unknown]

const VERSION = 'io.modelcontextprotocol/protocolVersion'
const META = { [VERSION]: '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }
const BASE = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
const LEGACY = { ...BASE, 'mcp-protocol-version': '2025-11-25' }
const modern = (method: string, name?: string) => ({
  ...BASE,
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': method,
  'mcp-name': name,
})
const ask = (method: string, params: object = {}) => ({ jsonrpc: '2.0', id: 1, method, params })
const list = ask('tools/list', { _meta: META })
const call = ask('tools/call', { name: 'echo', arguments: {}, _meta: META })
const initialize = ask('initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'c', version: '1' },
})

const ODD: readonly Odd[] = [
  ['server/discover', modern('server/discover'), ask('server/discover', { _meta: META })],
  ['modern tools/list', modern('tools/list'), list],
  ['modern call', modern('tools/call', 'echo'), call],
  ['name in base64', modern('tools/call', '=?base64?ZWNobw==?='), call],
  ['unknown tool', modern('tools/call', 'nope'), ask('tools/call', { name: 'nope', _meta: META })],
  ['unknown method', modern('foo/bar'), ask('foo/bar', { _meta: META })],
  ['modern ping', modern('ping'), ask('ping', { _meta: META })],
  [
    'modern initialize',
    modern('initialize'),
    { ...initialize, params: { ...initialize.params, _meta: META } },
  ],
  ['no _meta', modern('tools/list'), ask('tools/list')],
  ['no capabilities', modern('tools/list'), ask('tools/list', { _meta: { [VERSION]: '2026-07-28' } })],
  ['no version header', { ...modern('tools/list'), 'mcp-protocol-version': undefined }, list],
  ['other version header', { ...modern('tools/list'), 'mcp-protocol-version': '2025-11-25' }, list],
  [
    'unknown version',
    { ...modern('tools/list'), 'mcp-protocol-version': '1900-01-01' },
    ask('tools/list', { _meta: { ...META, [VERSION]: '1900-01-01' } }),
  ],
  ['no Mcp-Method', { ...modern('tools/list'), 'mcp-method': undefined }, list],
  ['other Mcp-Method', modern('tools/call'), list],
  ['no Mcp-Name', modern('tools/call'), call],
  ['other Mcp-Name', modern('tools/call', 'x'), call],
  [
    'modern notification',
    modern('notifications/cancelled'),
    { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1, _meta: META } },
  ],
  ['initialize', BASE, initialize],
  ['legacy tools/list', LEGACY, ask('tools/list')],
  ['legacy call', LEGACY, ask('tools/call', { name: 'echo', arguments: {} })],
  ['legacy unknown method', LEGACY, ask('foo/bar')],
  ['unknown session', { ...LEGACY, 'mcp-session-id': 'zzz' }, ask('tools/list')],
  ['unknown legacy version', { ...BASE, 'mcp-protocol-version': '1900-01-01' }, ask('tools/list')],
  ['notifications/initialized', LEGACY, { jsonrpc: '2.0', method: 'notifications/initialized' }],
  ['Accept: application/json', { ...LEGACY, accept: 'application/json' }, ask('tools/list')],
  ['no JSON', LEGACY, '{'],
]

const register = (server: ModernServer | McpServer) => {
  const echo = () => ({ content: [{ type: 'text' as const, text: 'a' }] })
  if (server instanceof ModernServer) server.registerTool('echo', { description: 'd' }, echo)
  else server.registerTool('echo', { description: 'd' }, echo)
  return server
}

const INFO = { name: 'real', version: '1' }
const newModern = (): ModernServer => register(new ModernServer(INFO)) as ModernServer
const newLegacy = async (sessions: boolean): Promise<Fetch> => {
  const sessionIdGenerator = sessions ? () => crypto.randomUUID() : undefined
  const options = { enableJsonResponse: true, ...(sessionIdGenerator && { sessionIdGenerator }) }
  const transport = new WebStandardStreamableHTTPServerTransport(options)
  await (register(new McpServer(INFO)) as McpServer).connect(transport as Parameters<McpServer['connect']>[0])
  return (request) => transport.handleRequest(request)
}
const modernOnly = createMcpHandler(newModern, { legacy: 'reject' })
const bothEras = createMcpHandler(newModern, { legacy: 'stateless' })

const post = (url: string, headers: Odd[1], body: unknown): Request => {
  const present = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return new Request(url, { method: 'POST', headers: present, body: text })
}

/** What a caller branches on: the status and the JSON-RPC error code. */
async function verdict(response: Response): Promise<{ status: number; code: unknown }> {
  const text = await response.text()
  const json = readEvents(text)[0] ?? text
  return { status: response.status, code: json === '' ? 'empty' : JSON.parse(json).error?.code }
}

/** Before each request the real server is new and the fake has forgotten its sessions; then one is opened. */
const PAIRS: readonly [string, UpstreamOptions, () => Promise<Fetch> | Fetch][] = [
  ['modern', { era: 'modern', refusesLegacyBy: 'version' }, () => (request) => modernOnly.fetch(request)],
  ['both', { era: 'both' }, () => (request) => bothEras.fetch(request)],
  ['legacy', { era: 'legacy' }, () => newLegacy(false)],
  ['legacy with sessions', { era: 'legacy', stateful: true }, () => newLegacy(true)],
]

describe.each(PAIRS)('%s', (_era, options, real) => {
  let upstream: Upstream
  beforeAll(async () => {
    upstream = await startUpstream(options)
  })
  afterAll(() => upstream.stop())

  it.each(ODD)('answers as the SDK does: %s', async (name, headers, body) => {
    upstream.forgetSessions()
    const fetchReal = await real()
    // A server of SDK v1 holds one session, so it would refuse to open a second.
    if (options.stateful && !name.endsWith('initialize')) {
      await fetchReal(post(upstream.url, BASE, initialize))
      await fetch(post(upstream.url, BASE, initialize))
    }
    const expected = await verdict(await fetchReal(post(upstream.url, headers, body)))
    expect(await verdict(await fetch(post(upstream.url, headers, body)))).toEqual(expected)
  })
})
