/** Arguments that a tool wants repeated in headers. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Change, expectEcho, expectError, openYard, send, type Yard } from '../support/base.ts'
import { startUpstream } from '../support/upstream.ts'

const mark = (name: unknown, type = 'string') => ({ type, 'x-mcp-header': name })
const tool = (name: string, properties: object, rest: object = {}) =>
  JSON.stringify({ name, inputSchema: { type: 'object', properties, ...rest } })
const MIRRORED = tool('mirrored', {
  region: mark('Region'),
  n: mark('N', 'integer'),
  deep: { type: 'object', properties: { flag: mark('Flag', 'boolean') } },
})
const SPOILED = [
  tool('spoiled-empty', { a: mark('') }),
  tool('spoiled-twice', { a: mark('X'), b: mark('x') }),
  tool('spoiled-break', { a: mark('X\r\nEvil: 1') }),
  tool('spoiled-number', { a: mark('X', 'number') }),
  tool('spoiled-items', { a: { type: 'array', items: mark('X') } }),
  tool('spoiled-ref', { a: { $ref: '#/$defs/a' } }, { $defs: { a: mark('X') } }),
]

let yard: Yard
beforeAll(async () => {
  yard = await openYard({ era: 'both', tools: [MIRRORED, ...SPOILED] })
})
afterAll(() => yard.close())

const call = (args: object, headers: Change['headers'] = {}) =>
  send(yard.gateway, {
    headers: { 'mcp-name': 'mirrored', 'mcp-param-region': 'eu', 'mcp-param-n': '42', ...headers },
    params: { name: 'mirrored', arguments: { text: 'hi', region: 'eu', n: 42, ...args } },
  })
const lastHeaders = () => yard.upstream.calls('tools/call').at(-1)?.headers

it('pass when the headers repeat them, and go on to a modern upstream', async () => {
  expectEcho(await call({ deep: { flag: true } }, { 'mcp-param-flag': 'true' }))
  expect(lastHeaders()).toMatchObject({
    'mcp-param-region': 'eu',
    'mcp-param-n': '42',
    'mcp-param-flag': 'true',
  })
})
it('B81 a declared header is missing', async () => {
  const answer = await call({}, { 'mcp-param-region': undefined })
  expectError(answer, 400, -32020, 'Header mismatch: Mcp-Param-Region header is missing', 1)
})
it('B82 a declared header differs', async () => {
  const message = "Header mismatch: Mcp-Param-Region header value 'us' does not match body value 'eu'"
  expectError(await call({}, { 'mcp-param-region': 'us' }), 400, -32020, message, 1)
  const flag = await call({ deep: { flag: true } }, { 'mcp-param-flag': 'True' })
  expectError(flag, 400, -32020, /Mcp-Param-Flag/, 1)
})
it('B82 B97 values that differ are echoed short and clean', async () => {
  const answer = await call({ region: `\u0007${'e'.repeat(9_000)}` }, { 'mcp-param-region': 'u'.repeat(900) })
  const values = `value '${'u'.repeat(128)}' does not match body value '\ufffd${'e'.repeat(127)}'`
  expectError(answer, 400, -32020, `Header mismatch: Mcp-Param-Region header ${values}`, 1)
})
it('B83 numbers are compared as numbers', async () => expectEcho(await call({}, { 'mcp-param-n': '42.0' })))
it('B84 an undeclared header is ignored, and does not go on', async () => {
  expectEcho(await call({}, { 'mcp-param-x': 'y' }))
  expect(lastHeaders()).not.toHaveProperty('mcp-param-x')
})
it('an argument that is absent or null needs no header', async () =>
  expectEcho(
    await call({ region: null, n: undefined }, { 'mcp-param-region': undefined, 'mcp-param-n': undefined }),
  ))
it('S47 what a header cannot carry travels as base64', async () => {
  const region = 'a\r\nEvil: 1 ü'
  const encoded = `=?base64?${Buffer.from(region).toString('base64')}?=`
  expectEcho(await call({ region }, { 'mcp-param-region': encoded }))
  expect(lastHeaders()?.['mcp-param-region']).toBe(encoded)
})
it('are sent to a modern upstream for a legacy caller, who knows nothing of them', async () => {
  const params = { name: 'mirrored', arguments: { text: 'hi', region: 'eu' } }
  const { body } = await yard.gateway.rpc('tools/call', params)
  expect(body.result.content[0].text).toBe('hi')
  expect(lastHeaders()?.['mcp-param-region']).toBe('eu')
})
it('are not sent where they are too long for a header', async () => {
  const params = { name: 'mirrored', arguments: { text: 'hi', region: 'x'.repeat(8_193) } }
  const answer = await yard.gateway.rpc('tools/call', params)
  expectError(answer, 200, -32602, /^Invalid params: .* too long for the headers that must repeat it$/, 1)
})
const modernNames = async (path = '/mcp'): Promise<string[]> => {
  const { body } = await yard.gateway.modern('tools/list', {}, { path })
  return body.result.tools.map(({ name }: { name: string }) => name)
}
const spoiled = (names: readonly string[]): string[] => names.filter((name) => name.startsWith('spoiled'))

it('S46 a tool with a bad mark of a modern upstream is offered to nobody, and cannot be called', async () => {
  expect(await modernNames()).toContain('mirrored')
  expect(spoiled(await modernNames())).toEqual([])
  expect(spoiled(await yard.gateway.toolNames())).toEqual([])
  const calls = yard.upstream.calls('tools/call').length
  const params = { name: 'spoiled-number', arguments: { a: 1 } }
  for (const { body } of [
    await yard.gateway.rpc('tools/call', params),
    await yard.gateway.modern('tools/call', params),
  ]) {
    expect(body.error.code).toBe(-32602)
  }
  expect(yard.upstream.calls('tools/call')).toHaveLength(calls)
})
it('S46 a tool with a bad mark of a legacy upstream is offered to legacy callers, who mirror nothing', async () => {
  const older = await startUpstream({ era: 'legacy', tools: SPOILED })
  expect((await yard.gateway.register('older', older.url)).status).toBe(201)
  expect(spoiled(await modernNames('/mcp/older'))).toEqual([])
  expect(spoiled(await yard.gateway.toolNames('/mcp/older'))).toHaveLength(SPOILED.length)
  await older.stop()
})
