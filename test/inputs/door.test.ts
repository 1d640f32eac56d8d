/** HTTP method, path and origin: what is refused before anybody looks at the caller. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CALL, expectEcho, expectError, HEADERS, openYard, send, type Yard } from '../support/base.ts'

let yard: Yard
beforeAll(async () => {
  yard = await openYard()
})
afterAll(() => yard.close())

const begin = async (): Promise<string> => {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } }
  const { headers } = await yard.gateway.rpc('initialize', params)
  return headers.get('mcp-session-id') ?? ''
}
const legacy = (session: string) => ({
  authorization: HEADERS.authorization,
  accept: 'text/event-stream',
  'mcp-protocol-version': '2025-11-25',
  'mcp-session-id': session,
})

it.each([
  ['B01 GET', 'GET'],
  ['B02 DELETE', 'DELETE'],
  ['B03 PUT', 'PUT'],
  ['B03 PATCH', 'PATCH'],
])('%s of a modern client is not allowed', async (_, method) => {
  const answer = await yard.gateway.fetch('/mcp', { method, headers: { ...HEADERS, 'mcp-session-id': 'x' } })
  expectError(answer, 405, -31405, 'Method not allowed')
  expect(answer.headers.get('allow')).toBe('POST, OPTIONS')
  expect(answer.headers.has('mcp-session-id')).toBe(false)
})

it.each([
  ['B01 GET', 'GET'],
  ['B02 DELETE', 'DELETE'],
])('%s of a legacy client without a session is not allowed', async (_, method) => {
  const { 'mcp-session-id': _id, ...headers } = legacy('')
  expectError(await yard.gateway.fetch('/mcp', { method, headers }), 405, -31405, 'Method not allowed')
})

it('B01 GET with a valid session opens its stream', async () => {
  const over = new AbortController()
  const headers = legacy(await begin())
  const response = await fetch(`${yard.gateway.url}/mcp`, { headers, signal: over.signal })
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
  over.abort()
})

it('B02 DELETE with a valid session ends it, once', async () => {
  const headers = legacy(await begin())
  const end = () => yard.gateway.fetch('/mcp', { method: 'DELETE', headers })
  expect((await end()).status).toBe(204)
  expectError(await end(), 404, -31404, 'Session not found, initialize again')
})

it('B04 HEAD has no body', async () => {
  const answer = await yard.gateway.fetch('/mcp', { method: 'HEAD', headers: HEADERS })
  expect([answer.status, answer.text]).toEqual([405, ''])
})

it.each([
  ['B05', '/nope'],
  ['B05', '/mcp/unknown-service'],
  ['B05', '/mcp/a/b'],
  ['B06', '/mcp/'],
])('%s POST %s is no endpoint', async (_, path) => {
  const answer = await yard.gateway.post(JSON.stringify(CALL), { path, headers: HEADERS })
  expect([answer.status, answer.body]).toEqual([404, { error: 'not_found' }])
})

const preflight = (origin: string, headers: Record<string, string> = {}) =>
  yard.gateway.fetch('/mcp', { method: 'OPTIONS', headers: { origin, ...headers } })

it('B07 OPTIONS reflects an allowed origin exactly', async () => {
  const answer = await preflight('https://ok.example')
  expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([
    204,
    'https://ok.example',
  ])
})
it('B08 OPTIONS refuses another origin', async () => {
  const answer = await preflight('https://evil.example')
  expectError(answer, 403, -31403, 'Origin not allowed')
  expect(answer.headers.has('access-control-allow-origin')).toBe(false)
})

it.each([
  ['B09', 'https://evil.example'],
  ['B09', 'https://ok.example.evil.example'],
  ['B10', 'null'],
  ['B11', 'https://ok.example, https://evil.example'],
])('%s the origin %s is refused', async (_, origin) =>
  expectError(await send(yard.gateway, { headers: { origin } }), 403, -31403, 'Origin not allowed'),
)
it('B12 without an origin the call passes', async () => expectEcho(await send(yard.gateway)))
it('B12 an allowed origin passes and may read the answer', async () => {
  const answer = await send(yard.gateway, { headers: { origin: 'https://ok.example' } })
  expectEcho(answer)
  expect(answer.headers.get('access-control-allow-origin')).toBe('https://ok.example')
})
