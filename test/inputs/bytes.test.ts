/** Bodies that are no JSON, or more of it than anybody needs. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CALL, expectEcho, expectError, HEADERS, openYard, send, type Yard } from '../support/base.ts'
import { API_KEY } from '../support/gateway.ts'
import { sendRaw } from '../support/wire.ts'

type Raw = string | Uint8Array<ArrayBuffer>

let yard: Yard
beforeAll(async () => {
  yard = await openYard()
})
afterAll(() => yard.close())

const bytes = (...parts: (string | number[])[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    parts.flatMap((part) => (typeof part === 'string' ? [...new TextEncoder().encode(part)] : part)),
  )

it.each<[string, Raw]>([
  ['B37 nothing', ''],
  ['B38 a brace', '{'],
  ['B39 two values', `${JSON.stringify(CALL)}{}`],
  ['B40 invalid UTF-8', bytes('{"jsonrpc":"2.0","id":1,"method":"ping","x":"', [0xff], '"}')],
  ['B40 half of a character', bytes('{"jsonrpc":"2.0","id":1,"method":"ping","x":"', [0xe2, 0x82], '"}')],
  ['B41 UTF-16', Uint8Array.from(Buffer.from(JSON.stringify(CALL), 'utf16le'))],
  ['B43 NaN', '{"jsonrpc":"2.0","id":NaN,"method":"ping"}'],
  ['B43 Infinity', '{"jsonrpc":"2.0","id":Infinity,"method":"ping"}'],
  ['B43 single quotes', "{'jsonrpc':'2.0'}"],
  ['B43 a comment', `/* */${JSON.stringify(CALL)}`],
])('%s is a parse error', async (_, raw) =>
  expectError(await send(yard.gateway, { raw }), 400, -32700, 'Parse error'),
)
it.each(['/mcp', '/api/v1/servers'])('B38 a transfer to %s that is none is told so', async (path) => {
  const headers = { ...HEADERS, 'x-api-key': API_KEY, 'transfer-encoding': 'chunked' }
  const text = await sendRaw(yard.gateway.url, `POST ${path}`, headers, ['5\r\nhello\r\nzz\r\n'])
  expect(text).toMatch(/^HTTP\/1\.1 400 /)
  expect(text).toMatch(path === '/mcp' ? /"code":-32700,"message":"Parse error"/ : /"code":"invalid_body"/)
})
it('B42 a byte order mark passes', async () =>
  expectEcho(await send(yard.gateway, { raw: bytes([0xef, 0xbb, 0xbf], JSON.stringify(CALL)) })))

const nested = (depth: number): string =>
  JSON.stringify(CALL).replace('"hi"', `"hi","a":${'['.repeat(depth - 3)}${']'.repeat(depth - 3)}`)
it('B44 a depth of 64 passes, 65 does not', async () => {
  expectEcho(await send(yard.gateway, { raw: nested(64) }))
  const answer = await send(yard.gateway, { raw: nested(65) })
  expectError(answer, 400, -32600, 'Invalid request: too deeply nested')
})
it('B44 a registration has the same bound', async () => {
  const schema = '{"a":'.repeat(64) + '{"x-mcp-header":"X"}' + '}'.repeat(64)
  const body = `{"name":"deep","url":"${yard.upstream.url}","fallbackTools":[{"name":"a","inputSchema":${schema}}]}`
  const headers = { 'x-api-key': API_KEY }
  const answer = await yard.gateway.fetch('/api/v1/servers', { method: 'POST', headers, body })
  expect([answer.status, answer.body.detail]).toEqual([400, 'body: is nested too deeply'])
})
it('B45 a depth of 200,000 costs no more than its bytes', async () => {
  const answer = await send(yard.gateway, { raw: nested(200_000) })
  expectError(answer, 400, -32600, 'Invalid request: too deeply nested')
  expectEcho(await send(yard.gateway))
})
it('B46 20,000 values pass, 20,001 do not', async () => {
  const text = JSON.stringify(CALL).replace('"hi"', '"hi","a":[1]')
  const values = 1 + (text.match(/[{[,]/g) ?? []).length
  const filled = (count: number): string => text.replace('[', `[${'1,'.repeat(count - values)}`)
  expectEcho(await send(yard.gateway, { raw: filled(20_000) }))
  const answer = await send(yard.gateway, { raw: filled(20_001) })
  expectError(answer, 400, -32600, 'Invalid request: too many values')
})
it('B40 B43 what is no JSON is never sent on', () => {
  for (const { body } of yard.upstream.requests) expect(() => JSON.parse(body)).not.toThrow()
})
