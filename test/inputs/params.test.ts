/** Parameters: what is refused here, and what is the upstream's business. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { expectEcho, expectError, META, openYard, send, type Yard } from '../support/base.ts'

let yard: Yard
beforeAll(async () => {
  yard = await openYard()
})
afterAll(() => yard.close())

const call = (params: unknown) => yard.gateway.rpc('tools/call', params)
const lastCall = () => yard.upstream.calls('tools/call').at(-1)

it.each([
  ['B93', undefined, 'Invalid params: name is required'],
  ['B93', { arguments: {} }, 'Invalid params: name is required'],
  ['B94', { name: 5 }, 'Invalid params: name must be a string'],
  ['B94', { name: { toString: 1 } }, 'Invalid params: name must be a string'],
  ['B95', { name: 'nope' }, 'Unknown tool: nope'],
  ['B95', { name: 'constructor' }, 'Unknown tool: constructor'],
  ['B98', { name: 'echo', arguments: [] }, 'Invalid params: arguments must be an object'],
  ['B98', { name: 'echo', arguments: null }, 'Invalid params: arguments must be an object'],
  [
    'B110',
    { name: 'echo', _meta: { progressToken: {} } },
    'Invalid params: progressToken must be a string or integer',
  ],
  [
    'B110',
    { name: 'echo', _meta: { progressToken: 1.5 } },
    'Invalid params: progressToken must be a string or integer',
  ],
])('%s %j', async (_, params, message) => expectError(await call(params), 200, -32602, message, 1))

it.each(['loud', 5, ''])('B111 the log level %j', async (level) => {
  const _meta = { ...META, 'io.modelcontextprotocol/logLevel': level }
  const answer = await send(yard.gateway, { params: { _meta } })
  expectError(answer, 200, -32602, 'Invalid params: unknown log level', 1)
})
it('B111 the log level of a legacy client', async () => {
  const answer = await yard.gateway.rpc('logging/setLevel', { level: 'loud' })
  expectError(answer, 200, -32602, 'Invalid params: unknown log level', 1)
})
it('B97 an unknown name is echoed short and clean', async () => {
  const answer = await call({ name: `a\u001b[31m\u202e${'b'.repeat(10_000)}` })
  expectError(answer, 200, -32602, `Unknown tool: a\ufffd[31m\ufffd${'b'.repeat(128 - 7)}`, 1)
})

it('B99 arguments that break the schema of the tool are the upstream’s to judge', async () => {
  await call({ name: 'echo', arguments: { text: { odd: [1] } } })
  expect(lastCall()?.body).toContain('"arguments":{"text":{"odd":[1]}}')
  const refused = await call({
    name: 'rpc-error',
    arguments: { code: -32602, message: 'text must be a string' },
  })
  expect(refused.status).toBe(200)
  expect(refused.body).toEqual({
    jsonrpc: '2.0',
    id: 1,
    error: { code: -32602, message: 'text must be a string', data: { because: 'of the test' } },
  })
  const failed = await call({ name: 'fail', arguments: { text: 'no such text' } })
  expect(failed.body.result).toMatchObject({ isError: true, content: [{ text: 'no such text' }] })
})
const raw = (args: string): string =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":${args}}}`
it.each([
  ['B100 big integers reach the upstream digit for digit', '{"text":"hi","n":12345678901234567890}'],
  ['B100 fractions, exponents and zeros as well', '{"text":"hi","n":[1.50,1e400,-0,0.1e-7]}'],
  ['B101 a lone surrogate goes on escaped', '{"text":"hi","s":"\\ud800"}'],
])('%s', async (_, args) => {
  expectEcho(await yard.gateway.post(raw(args)))
  expect(lastCall()?.body).toContain(`"arguments":${args}`)
})
it('B101 a lone surrogate in a name is echoed well-formed', async () => {
  const answer = await yard.gateway.post(raw('{}').replace('"echo"', '"x\\ud800y"'))
  expectError(answer, 200, -32602, 'Unknown tool: x\ufffdy', 1)
})
