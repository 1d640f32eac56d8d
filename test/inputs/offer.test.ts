/** Cursors, resources and prompts that there are not. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { expectError, openYard, type Yard } from '../support/base.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const tools = Array.from({ length: 700 }, (_, at) => ({ name: `t${at}`, inputSchema: { type: 'object' } }))

let yard: Yard
let other: Upstream
beforeAll(async () => {
  yard = await openYard({
    tools,
    resources: [{ uri: 'test://one', name: 'one' }],
    prompts: [{ name: 'greet' }],
  })
  other = await startUpstream({ tools, resources: [{ uri: 'test://two', name: 'two' }] })
  expect((await yard.gateway.register('other', other.url)).status).toBe(201)
})
afterAll(async () => {
  await yard.close()
  await other.stop()
})

it.each(['garbage', '', 5, null, {}])('B102 the cursor %j', async (cursor) =>
  expectError(await yard.gateway.rpc('tools/list', { cursor }), 200, -32602, 'Invalid cursor', 1),
)
it.each([
  ['B104', 'test://nope'],
  ['B105', 'file:///etc/passwd'],
  ['B105', 'javascript:alert(1)'],
  ['B105', 'http://169.254.169.254/latest/meta-data/'],
  ['B105', `data:,${'x'.repeat(200)}`],
])('%s the resource %s is not found, and nothing is fetched', async (_, uri) => {
  const seen = () => yard.upstream.requests.length + other.requests.length
  const before = seen()
  const modern = await yard.gateway.modern('resources/read', { uri }, { headers: { 'mcp-name': uri } })
  expectError(modern, 200, -32602, 'Resource not found', 1)
  expect(modern.body.error.data).toEqual({ uri: uri.slice(0, 128) })
  expectError(await yard.gateway.rpc('resources/read', { uri }), 200, -32002, 'Resource not found', 1)
  expect(seen()).toBe(before)
})
it('B105 the only service that has resources is asked for one that nobody lists, and fetches nothing for us', async () => {
  const uri = 'http://169.254.169.254/'
  const answer = await yard.gateway.rpc('resources/read', { uri }, { path: '/mcp/fixture' })
  expect(answer.body.error).toMatchObject({ message: 'Resource not found' })
  expect(yard.upstream.requests.at(-1)?.message?.params).toMatchObject({ uri })
})
it('B105 what a modern upstream could not take in a header is not sent to it', async () => {
  const read = (uri: string) => yard.gateway.rpc('resources/read', { uri }, { path: '/mcp/fixture' })
  const longest = `test:${'x'.repeat(8_192 - 5)}`
  expect((await read(longest)).body.error.message).toBe('Resource not found')
  const before = yard.upstream.requests.length
  const refusal = 'Invalid params: what the request is about is too long for the headers that must repeat it'
  for (const uri of [`${longest}x`, 'ü'.repeat(5_000)]) expectError(await read(uri), 200, -32602, refusal, 1)
  expect(yard.upstream.requests).toHaveLength(before)
})
it('B106 an unknown prompt', async () => {
  const ask = (name: string) => yard.gateway.rpc('prompts/get', { name })
  expectError(await ask('nope'), 200, -32602, 'Unknown prompt: nope', 1)
  expect((await ask('greet')).body.result.messages).toHaveLength(1)
})

it('B103 a cursor of another list, endpoint, era or snapshot', async () => {
  const list = (cursor?: string, path = '/mcp') => yard.gateway.rpc('tools/list', { cursor }, { path })
  const cursor = (await list()).body.result.nextCursor
  expect((await list(cursor)).body.result.tools.length).toBeGreaterThan(0)
  expectError(await list(cursor, '/mcp/fixture'), 200, -32602, 'Invalid cursor', 1)
  expectError(await list(cursor, '/mcp?names=prefixed'), 200, -32602, 'Invalid cursor', 1)
  expectError(await yard.gateway.modern('tools/list', { cursor }), 200, -32602, 'Invalid cursor', 1)
  expectError(await yard.gateway.rpc('prompts/list', { cursor }), 200, -32602, 'Invalid cursor', 1)
  const { headers } = await yard.gateway.manage('POST', '/api/v1/servers/other/disconnect')
  expect(headers.get('etag')).not.toBeNull()
  expectError(await list(cursor), 200, -32602, 'Invalid cursor', 1)
})
