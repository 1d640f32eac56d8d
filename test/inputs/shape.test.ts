/** JSON that is no message, or one whose parts have the wrong shape. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CALL, expectEcho, expectError, openYard, send, type Yard } from '../support/base.ts'

let yard: Yard
beforeAll(async () => {
  yard = await openYard()
})
afterAll(() => yard.close())

const ID = 'Invalid request: id must be a string or integer'
it.each([
  ['B47', null, 'Invalid request', undefined],
  ['B47', 7, 'Invalid request', undefined],
  ['B47', 'x', 'Invalid request', undefined],
  ['B48', [], 'Invalid request: batches are not supported', undefined],
  ['B49', [CALL], 'Invalid request: batches are not supported', undefined],
  ['B50', { ...CALL, jsonrpc: undefined }, 'Invalid request', 1],
  ['B50', { ...CALL, jsonrpc: '1.0' }, 'Invalid request', 1],
  ['B50', { ...CALL, jsonrpc: 2 }, 'Invalid request', 1],
  ['B51', { ...CALL, method: undefined }, 'Invalid request', undefined],
  ['B52', { ...CALL, method: 5 }, 'Invalid request', undefined],
  ['B53', { ...CALL, method: '' }, 'Invalid request', undefined],
  ['B54', { ...CALL, id: null }, ID, undefined],
  ['B55', { ...CALL, id: 1.5 }, ID, undefined],
  ['B55', { ...CALL, id: true }, ID, undefined],
  ['B55', { ...CALL, id: {} }, ID, undefined],
  ['B57', { ...CALL, id: 'x'.repeat(257) }, ID, undefined],
  ['B60', { jsonrpc: '2.0', id: 1, result: {} }, 'Invalid request: responses are not accepted', undefined],
  [
    'B60',
    { jsonrpc: '2.0', id: 'x', error: { code: 1, message: '' } },
    'Invalid request: responses are not accepted',
    undefined,
  ],
])('%s %j', async (_, body, message, id) =>
  expectError(await send(yard.gateway, { raw: JSON.stringify(body) }), 400, -32600, message, id),
)
it('B56 an id that cannot be echoed faithfully', async () => {
  const raw = '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}'
  expectError(await send(yard.gateway, { raw }), 400, -32600, ID)
})
it.each([
  ['B57', 'x'.repeat(256)],
  ['B58', 0],
  ['B58', -1],
  ['B58', ''],
  ['B58', 'ü"\\'],
])('%s the id %j is echoed with its type', async (_, id) => {
  const answer = await send(yard.gateway, { body: { ...CALL, id } })
  expect([answer.status, answer.body.id]).toEqual([200, id])
})
it('B59 params must be an object', async () => {
  const answer = await send(yard.gateway, { body: { ...CALL, params: [] } })
  expectError(answer, 400, -32602, 'Invalid params: expected an object', 1)
})

const ODD = { jsonrpc: '2.0', method: 'notifications/odd' }
it('B61 an unknown notification is dropped', async () => {
  const headers = { 'mcp-method': ODD.method, 'mcp-name': undefined }
  const answer = await send(yard.gateway, { headers, body: ODD })
  expect([answer.status, answer.text]).toEqual([202, ''])
  expect(yard.upstream.calls(ODD.method)).toEqual([])
})
it('B62 a notification whose header disagrees', async () => {
  const answer = await send(yard.gateway, { body: ODD })
  expectError(answer, 400, -32020, /^Header mismatch: Mcp-Method header value 'tools\/call'/)
})

it('B63 of two methods the last wins, and the upstream sees one', async () => {
  const raw = JSON.stringify(CALL).replace('"method"', '"method":"tools/list","method"')
  expectEcho(await send(yard.gateway, { raw }))
  const twice = JSON.stringify(CALL).replace('"name":"echo"', '"name":"fail","n\\u0061me":"echo"')
  expectEcho(await send(yard.gateway, { raw: twice }))
  expect(yard.upstream.calls('tools/call').at(-1)?.body).not.toContain('fail')
})
it('B64 S60 a __proto__ member is plain data', async () => {
  const raw = JSON.stringify(CALL).replace('"text":"hi"', '"text":"hi","__proto__":{"admin":true}')
  expectEcho(await send(yard.gateway, { raw }))
  expect(yard.upstream.calls('tools/call').at(-1)?.body).toContain('"__proto__":{"admin":true}')
})
it('B64 a __proto__ in place of what must be there is not it', async () => {
  const raw = JSON.stringify(CALL).replace('"_meta"', '"__proto__"')
  expectError(await send(yard.gateway, { raw }), 400, -32602, 'Invalid params: missing _meta', 1)
})
