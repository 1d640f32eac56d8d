/** Batches: only clients of 2025-03-26 have them, and only so many messages in one. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CALL, expectError, openYard, type Yard } from '../support/base.ts'

const NONE = 'Invalid request: batches are not supported'

let yard: Yard
beforeAll(async () => {
  yard = await openYard()
})
afterAll(() => yard.close())

const post = (batch: unknown, headers: Record<string, string> = {}) =>
  yard.gateway.post(JSON.stringify(batch), { headers })
const ask = (id: unknown, method: string, params?: object) => ({ jsonrpc: '2.0', id, method, params })
const echo = (id: unknown) => ask(id, 'tools/call', { name: 'echo', arguments: { text: `of ${String(id)}` } })
const begin = async (protocolVersion: string): Promise<Record<string, string>> => {
  const params = { protocolVersion, capabilities: {}, clientInfo: { name: 't', version: '1' } }
  const { headers } = await yard.gateway.rpc('initialize', params)
  return { 'mcp-session-id': headers.get('mcp-session-id') ?? '' }
}

it.each([
  ['a header of 2025-06-18', { 'mcp-protocol-version': '2025-06-18' }],
  ['a header of 2025-11-25', { 'mcp-protocol-version': '2025-11-25' }],
  ['a header of 2026-07-28', { 'mcp-protocol-version': '2026-07-28' }],
])('B49 a batch under %s is refused', async (_, headers) =>
  expectError(await post([echo(1)], headers), 400, -32600, NONE),
)
it('B49 a batch in a session that agreed on another version is refused', async () => {
  expectError(await post([echo(1)], await begin('2025-11-25')), 400, -32600, NONE)
  const { status, body } = await post([echo(1)], await begin('2025-03-26'))
  expect([status, body.length]).toEqual([200, 1])
})
it('B48 an empty batch is none for anybody', async () => {
  expectError(await post([]), 400, -32600, NONE)
  expectError(await post([], { 'mcp-protocol-version': '2025-03-26' }), 400, -32600, NONE)
})
it('B48 fifty messages pass, one more is refused before any of them is served', async () => {
  const batch = (size: number) => Array.from({ length: size }, (_, id) => echo(id))
  const { status, body } = await post(batch(50), { 'mcp-protocol-version': '2025-03-26' })
  expect(status).toBe(200)
  const texts = body.map(({ id, result }: any) => [id, result.content[0].text])
  expect(texts).toEqual(Array.from({ length: 50 }, (_, id) => [id, `of ${id}`]))
  const before = yard.upstream.requests.length
  const refused = await post(batch(51))
  expectError(refused, 400, -32600, 'Invalid request: a batch holds at most 50 messages')
  expect(yard.upstream.requests).toHaveLength(before)
})
it('B49 each message is answered as if it came alone; what wants no answer has none', async () => {
  const { status, body } = await post([
    echo('a'),
    { jsonrpc: '2.0', method: 'notifications/odd' },
    7,
    [echo('nested')],
    ask(null, 'ping'),
    { ...ask(2, 'ping'), jsonrpc: '1.0' },
    ask(3, 'nope'),
    ask(4, 'initialize', { protocolVersion: '2025-03-26' }),
    { jsonrpc: '2.0', id: 'x', result: {} },
    CALL,
    ask(5, 'ping'),
  ])
  expect(status).toBe(200)
  expect(body.map(({ id, error }: any) => [id, error?.code, error?.message])).toEqual([
    ['a', undefined, undefined],
    [undefined, -32600, 'Invalid request'],
    [undefined, -32600, 'Invalid request'],
    [undefined, -32600, 'Invalid request: id must be a string or integer'],
    [2, -32600, 'Invalid request'],
    [3, -32601, 'Method not found: nope'],
    [4, -32600, 'Invalid request: initialize must come alone'],
    [undefined, -32600, 'Invalid request: responses are not accepted'],
    [1, -32020, 'Header mismatch: MCP-Protocol-Version header is missing'],
    [5, undefined, undefined],
  ])
})
it('B49 a batch that wants no answer is accepted, one of an unknown session is not', async () => {
  const batch = [{ jsonrpc: '2.0', method: 'notifications/odd' }]
  const { status, text } = await post(batch)
  expect([status, text]).toEqual([202, ''])
  const unknown = await post(batch, { 'mcp-session-id': 'x' })
  expectError(unknown, 404, -31404, 'Session not found, initialize again')
})
