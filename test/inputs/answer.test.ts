/** Answers of upstreams that look right at first sight, and what they would do if they were believed. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openYard, type Yard } from '../support/base.ts'
import type { Fault } from '../support/dial.ts'
import { eventually, STAYS_CLOSED } from '../support/gateway.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let yard: Yard
let modern: Upstream
beforeAll(async () => {
  yard = await openYard({ era: 'legacy' })
  modern = await startUpstream({ era: 'modern' })
  expect((await yard.gateway.register('modern', modern.url, STAYS_CLOSED)).status).toBe(201)
})
afterAll(async () => {
  await yard.close()
  await modern.stop()
})

const call = (headers: Record<string, string> = {}) =>
  yard.gateway.rpc('tools/call', { name: 'echo', arguments: { text: 'hi' } }, { headers })
const answering = (members: string): Fault => ({
  is: 'respond',
  body: (id) => `{"id":${id},${members}}`,
})
/** Sets the fault for the next call only. */
const told = async (fault: Fault, method = 'tools/call') => {
  yard.upstream.dial.set({ ...fault, for: method, times: 1 })
  return (await call()).body
}

it.each([
  ['without a version', '"result":{}'],
  ['of another version', '"jsonrpc":"1.0","result":{}'],
  ['with neither a result nor an error', '"jsonrpc":"2.0"'],
  ['with both', '"jsonrpc":"2.0","result":{},"error":{"code":1,"message":"m"}'],
  ['with a result and no error, as some write it', '"jsonrpc":"2.0","result":{},"error":null'],
  ['with a result that is no object', '"jsonrpc":"2.0","result":[]'],
  ['with an error without a code', '"jsonrpc":"2.0","error":{"message":"m"}'],
  ['with an error whose code is no integer', '"jsonrpc":"2.0","error":{"code":1.5,"message":"m"}'],
  ['with an error without a message', '"jsonrpc":"2.0","error":{"code":1}'],
])('F14 an answer %s is none', async (_, members) => {
  const { error } = await told(answering(members))
  expect(error.code).toBe(-31502)
  expect(error.message).toContain('the answer is no JSON-RPC response')
})
it('F14 an error without an id is that of the call', async () => {
  const body = '{"jsonrpc":"2.0","error":{"code":-32000,"message":"m"}}'
  expect(await told({ is: 'respond', body })).toEqual({
    jsonrpc: '2.0',
    id: 1,
    error: { code: -32000, message: 'm' },
  })
})

const STREAM = { 'content-type': 'text/event-stream' }
it('B56 the id of a request of an upstream is answered digit for digit', async () => {
  const ask = '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}'
  const result = '"result":{"content":[]}'
  const body = (id: string): string => `data: ${ask}\n\ndata: {"jsonrpc":"2.0","id":${id},${result}}\n\n`
  await told({ is: 'respond', headers: STREAM, body })
  await eventually(5_000, () =>
    expect(yard.upstream.requests.map(({ body: said }) => said)).toContain(
      '{"jsonrpc":"2.0","id":9007199254740993,"result":{}}',
    ),
  )
})
it('F17 a place that a modern upstream marks is not handed on, since nobody can come back to it', async () => {
  const path = '/mcp/modern'
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } }
  const begun = await yard.gateway.rpc('initialize', params, { path })
  const headers = { 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' }
  const body = 'id: 1\nretry: 5\ndata: \n\n'
  modern.dial.set({ is: 'respond', for: 'tools/call', times: 1, headers: STREAM, body })
  const answer = await yard.gateway.rpc('tools/call', { name: 'echo' }, { path, headers })
  expect(answer.text).not.toMatch(/^id:/m)
  expect(answer.body).toMatchObject({ id: 1, error: { code: -31502 } })
})
it('F17 a stream that ends at once again and again is not asked for the rest without pause', async () => {
  const before = yard.upstream.requests.length
  const clear = yard.upstream.dial.set({
    is: 'respond',
    headers: STREAM,
    body: 'id: 1\nretry: 0\ndata: \n\n',
  })
  const over = AbortSignal.timeout(1_500)
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo' } })
  const headers = { 'x-api-key': 'an-api-key-of-the-tests', 'content-type': 'application/json' }
  const asked = fetch(`${yard.gateway.url}/mcp`, { method: 'POST', headers, body, signal: over })
  await expect(asked).rejects.toThrow()
  clear()
  const requests = yard.upstream.requests.slice(before)
  expect(requests.filter(({ httpMethod }) => httpMethod === 'GET').length).toBeGreaterThan(1)
  expect(requests.length).toBeLessThan(10)
})

it.each([
  ['server/discover', '{"supportedVersions":["2026-07-28"]}'],
  ['server/discover', '{"capabilities":{}}'],
  ['initialize', '{"protocolVersion":"2025-11-25","serverInfo":{"name":"n","version":"1"}}'],
])('F14 an upstream that answers %s with %s has not said what it offers', async (method, result) => {
  const clear = yard.upstream.dial.set({
    is: 'respond',
    for: method,
    body: (id) => `{"jsonrpc":"2.0","id":${id},"result":${result}}`,
  })
  await yard.gateway.manage('POST', '/api/v1/servers/fixture/refresh')
  clear()
  expect((await call()).body.result.content[0].text).toBe('hi')
})

const refresh = () => yard.gateway.manage('POST', '/api/v1/servers/fixture/refresh')
const nested = (depth: number): string => `${'{"a":'.repeat(depth)}{"x-mcp-header":"X"}${'}'.repeat(depth)}`
const withSchema = (name: string, properties: string): string =>
  `{"name":"${name}","inputSchema":{"type":"object","properties":${properties}}}`
it('S46 S49 tools that no database keeps are left out, and cost their service nothing else', async () => {
  const { offer } = yard.upstream
  const own = [...offer.tools]
  offer.tools.push(
    withSchema('deep', nested(500)),
    withSchema('too-deep', nested(600)),
    withSchema('deeper', nested(100_000)),
    '{"name":"nul\\u0000","inputSchema":{}}',
    '{"name":"half\\ud800","inputSchema":{}}',
    withSchema('last', '{"a":{"description":"\\u0000\\ud800"}}'),
  )
  const { status } = await refresh()
  offer.tools = own
  expect(status).toBe(200)
  const names = await yard.gateway.toolNames('/mcp/fixture')
  expect(names.slice(own.length)).toEqual(['deep', 'last'])
  expect((await yard.gateway.modern('tools/list')).body.result.tools.length).toBeGreaterThan(0)
})
const introduction = (instructions: string, more = ''): string =>
  `{"protocolVersion":"2025-11-25","capabilities":{"tools":{}${more}},"serverInfo":{"name":"n","version":"1"},"instructions":"${instructions}"}`
it.each([
  ['instructions with a NUL', `"result":${introduction('a\\u0000b\\ud800')}`, 200],
  ['capabilities without bound', `"result":${introduction('', `,"x":${nested(1_000)}`)}`, 502],
  ['a refusal with a NUL', '"error":{"code":1,"message":"a\\u0000b"}', 502],
  ['a version with a NUL', `"result":${introduction('').replace('2025', '\\u0000')}`, 502],
])('S49 %s in a handshake is not taken for a fault of the database', async (_, members, expected) => {
  const clear = yard.upstream.dial.set({
    is: 'respond',
    for: 'initialize',
    body: (id) => `{"jsonrpc":"2.0","id":${id},${members}}`,
  })
  const { status } = await refresh()
  clear()
  expect(status).toBe(expected)
  expect((await call()).body.result.content[0].text).toBe('hi')
})
