/** Legacy clients: versions, sessions and answers to what they were asked. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { expectError, HEADERS, openYard, type Yard } from '../support/base.ts'
import { readEvents } from '../support/event.ts'
import { API_KEY } from '../support/gateway.ts'

let yard: Yard
beforeAll(async () => {
  yard = await openYard({ era: 'legacy', stateful: true })
})
afterAll(() => yard.close())

const initialize = (protocolVersion: string | undefined, capabilities: object = {}, path = '/mcp') => {
  const params = { protocolVersion, capabilities, clientInfo: { name: 't', version: '1' } }
  return yard.gateway.rpc('initialize', params, { path })
}
const sessionHeaders = async (capabilities: object = {}): Promise<Record<string, string>> => {
  const { headers } = await initialize('2025-11-25', capabilities)
  return { 'mcp-protocol-version': '2025-11-25', 'mcp-session-id': headers.get('mcp-session-id') ?? '' }
}

it.each([
  ['B87', '2025-11-25', '2025-11-25'],
  ['B87', '2025-06-18', '2025-06-18'],
  ['B87', '2025-03-26', '2025-03-26'],
  ['B87', '2024-11-05', '2024-11-05'],
  ['B88', '2099-01-01', '2025-11-25'],
  ['B88', undefined, '2025-11-25'],
])('%s who asks for %s gets %s, and a sealed session', async (_, asked, given) => {
  const answer = await initialize(asked)
  expect(answer.status).toBe(200)
  expect(answer.body.result).toMatchObject({
    protocolVersion: given,
    serverInfo: { name: 'switchyard' },
    capabilities: { tools: {} },
  })
  expect(answer.headers.get('mcp-session-id')).toMatch(/^[\w-]{40,}$/)
})
it('B89 a call of an unknown version', async () => {
  const headers = { 'mcp-protocol-version': '1900-01-01' }
  const answer = await yard.gateway.rpc('tools/list', undefined, { headers })
  expectError(answer, 400, -32022, 'Unsupported protocol version', 1)
  expect(answer.body.error.data.requested).toBe('1900-01-01')
})
it('B92 an unknown method', async () =>
  expectError(await yard.gateway.rpc('nope'), 200, -32601, 'Method not found: nope', 1))

it('B85 a session that is unknown, altered, another caller’s or another endpoint’s is not found', async () => {
  const headers = await sessionHeaders()
  const id = headers['mcp-session-id'] ?? ''
  const list = (change: Record<string, string>, path = '/mcp') =>
    yard.gateway.rpc('tools/list', undefined, { path, headers: { ...headers, ...change } })
  expect((await list({})).status).toBe(200)
  const refused = [
    await list({ 'mcp-session-id': 'x' }),
    await list({ 'mcp-session-id': `${id.startsWith('A') ? 'B' : 'A'}${id.slice(1)}` }),
    await list({ 'x-api-key': API_KEY }),
    await list({}, '/mcp/fixture'),
  ]
  for (const answer of refused) expectError(answer, 404, -31404, 'Session not found, initialize again', 1)
})

/** The messages of a stream as they come; the first `n` of them. */
async function* messagesOf(response: Response): AsyncGenerator<any> {
  let text = ''
  let seen = 0
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk
    const events = readEvents(text)
    for (const event of events.slice(seen)) if (event !== '') yield JSON.parse(event)
    seen = events.length
  }
}
it('B60 an answer to what this client was asked is taken, once it names the sealed id', async () => {
  const headers = await sessionHeaders({ roots: {} })
  const call = { name: 'ask', arguments: { method: 'roots/list' } }
  const response = await fetch(`${yard.gateway.url}/mcp`, {
    method: 'POST',
    headers: { ...HEADERS, ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: call }),
  })
  const messages = messagesOf(response)
  const asked = (await messages.next()).value
  expect(asked.method).toBe('roots/list')
  const reply = (id: unknown, change: Record<string, string> = headers) =>
    yard.gateway.post(JSON.stringify({ jsonrpc: '2.0', id, result: { roots: [{ uri: 'file:///r' }] } }), {
      headers: change,
    })
  const other = await sessionHeaders({ roots: {} })
  for (const wrong of [await reply(`${asked.id}x`), await reply(asked.id, other), await reply(1)])
    expectError(wrong, 400, -32600, 'Invalid request: responses are not accepted')
  const taken = await reply(asked.id)
  expect([taken.status, taken.text]).toEqual([202, ''])
  const { id, result } = (await messages.next()).value
  expect([id, result.content[0].text]).toEqual([7, '{"roots":[{"uri":"file:///r"}]}'])
})
