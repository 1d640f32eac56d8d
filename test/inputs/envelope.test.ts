/** The envelope of a modern request, and the headers that must say the same as its body. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  CALL,
  CAPABILITIES_KEY,
  type Change,
  expectEcho,
  expectError,
  META,
  openYard,
  send,
  VERSION_KEY,
  type Yard,
} from '../support/base.ts'

let yard: Yard
beforeAll(async () => {
  yard = await openYard()
})
afterAll(() => yard.close())

const meta = (change: object): Change => ({ params: { _meta: { ...META, ...change } } })
it.each<[string, Change, string]>([
  ['B65', { params: { _meta: undefined } }, 'missing _meta'],
  ['B65', { params: { _meta: [] } }, 'missing _meta'],
  ['B66', meta({ [CAPABILITIES_KEY]: undefined }), `missing _meta ${CAPABILITIES_KEY}`],
  ['B66', meta({ [CAPABILITIES_KEY]: 'all' }), `_meta ${CAPABILITIES_KEY} must be an object`],
  ['B67', meta({ [VERSION_KEY]: 20_260_728 }), `_meta ${VERSION_KEY} must be a string`],
  ['B67', meta({ [VERSION_KEY]: undefined }), `missing _meta ${VERSION_KEY}`],
])('%s what the envelope lacks is named', async (_, change, detail) =>
  expectError(await send(yard.gateway, change), 400, -32602, `Invalid params: ${detail}`, 1),
)
it('B67 B70 a notification whose version is no text names none that is known', async () => {
  const version = { toString: 1, valueOf: 1 }
  const body = { jsonrpc: '2.0', method: 'notifications/odd', params: { _meta: { [VERSION_KEY]: version } } }
  const headers = { 'mcp-method': body.method, 'mcp-name': undefined, 'mcp-protocol-version': undefined }
  const answer = await send(yard.gateway, { body, headers })
  expectError(answer, 400, -32022, 'Unsupported protocol version')
})
it('B68 no clientInfo passes', async () => {
  expect(JSON.stringify(CALL)).not.toContain('clientInfo')
  expectEcho(await send(yard.gateway))
})

const headers = (change: Change['headers']): Change => ({ headers: change ?? {} })
const differs = (header: string, value: string, body: string): string =>
  `${header} header value '${value}' does not match body value '${body}'`
it.each<[string, Change, string]>([
  ['B69', meta({ [VERSION_KEY]: '2025-11-25' }), differs('MCP-Protocol-Version', '2026-07-28', '2025-11-25')],
  ['B71', headers({ 'mcp-protocol-version': undefined }), 'MCP-Protocol-Version header is missing'],
  ['B72', headers({ 'mcp-method': undefined }), 'Mcp-Method header is missing'],
  ['B73', headers({ 'mcp-method': 'tools/list' }), differs('Mcp-Method', 'tools/list', 'tools/call')],
  ['B74', headers({ 'mcp-method': 'TOOLS/CALL' }), differs('Mcp-Method', 'TOOLS/CALL', 'tools/call')],
  ['B76', headers({ 'mcp-name': undefined }), 'Mcp-Name header is missing'],
  ['B77', headers({ 'mcp-name': 'other' }), differs('Mcp-Name', 'other', 'echo')],
  ['B77', headers({ 'mcp-name': 'Echo' }), differs('Mcp-Name', 'Echo', 'echo')],
  ['B79', headers({ 'mcp-name': '=?base64?%%%?=' }), 'Mcp-Name header is not valid base64'],
  ['B79', headers({ 'mcp-name': '=?base64?/w==?=' }), 'Mcp-Name header is not valid base64'],
])('%s a header that is missing or disagrees', async (_, change, detail) =>
  expectError(await send(yard.gateway, change), 400, -32020, `Header mismatch: ${detail}`, 1),
)
it('B77 B97 values that disagree are echoed short and clean', async () => {
  const name = `\u001b[31m${'a'.repeat(10_000)}`
  const value = `=?base64?${btoa(`\u0007${'b'.repeat(5_000)}`)}?=`
  const answer = await send(yard.gateway, { headers: { 'mcp-name': value }, params: { name } })
  const [shown, own] = [`\ufffd${'b'.repeat(127)}`, `\ufffd[31m${'a'.repeat(123)}`]
  expectError(answer, 400, -32020, `Header mismatch: ${differs('Mcp-Name', shown, own)}`, 1)
})
it('B70 an unknown version in both', async () => {
  const answer = await send(yard.gateway, {
    ...meta({ [VERSION_KEY]: '1900-01-01' }),
    headers: { 'mcp-protocol-version': '1900-01-01' },
  })
  expectError(answer, 400, -32022, 'Unsupported protocol version', 1)
  expect(answer.body.error.data).toEqual({
    supported: expect.arrayContaining(['2026-07-28', '2025-11-25']),
    requested: '1900-01-01',
  })
})

it.each<[string, Change['headers']]>([
  ['B75 header names in any case', { 'mcp-name': undefined, 'MCP-NAME': 'echo' }],
  ['B78 white space around the name', { 'mcp-name': '  echo ' }],
  ['B80 the right name in base64', { 'mcp-name': `=?base64?${btoa('echo')}?=` }],
  ['B84 an undeclared Mcp-Param', { 'mcp-param-x': 'y' }],
])('%s passes', async (_, change) => expectEcho(await send(yard.gateway, headers(change))))

it('B85 session headers mean nothing to a modern request', async () => {
  const answer = await send(yard.gateway, headers({ 'mcp-session-id': 'x', 'last-event-id': '7' }))
  expectEcho(answer)
  expect(answer.headers.has('mcp-session-id')).toBe(false)
})
it('B86 initialize is no modern method', async () => {
  const params = { protocolVersion: '2026-07-28', capabilities: {} }
  const body = { jsonrpc: '2.0', id: 1, method: 'initialize', params }
  const answer = await send(yard.gateway, {
    body,
    ...headers({ 'mcp-method': undefined, 'mcp-name': undefined }),
  })
  expectError(answer, 400, -32020, 'Header mismatch: initialize is not part of 2026-07-28', 1)
})
it.each([
  ['B90', 'ping'],
  ['B90', 'logging/setLevel'],
  ['B90', 'resources/subscribe'],
  ['B91', 'nope'],
  ['B91', 'constructor'],
  ['B91', '__proto__'],
])('%s %s is no modern method', async (_, method) =>
  expectError(await yard.gateway.modern(method), 404, -32601, `Method not found: ${method}`, 1),
)
it('B112 a malformed traceparent is dropped', async () => {
  expectEcho(await send(yard.gateway, headers({ traceparent: '00-zz-"', tracestate: '=' })))
  const seen = yard.upstream.calls('tools/call').at(-1)?.headers
  expect(seen).not.toHaveProperty('tracestate')
  expect(seen?.['traceparent']).not.toBe('00-zz-"')
})
