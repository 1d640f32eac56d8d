/** Subscriptions that ask for nothing, for too much, or too often. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { expectError, headersOf, META, openYard, type Yard } from '../support/base.ts'
import { API_KEY, eventually } from '../support/gateway.ts'

let yard: Yard
const streams: AbortController[] = []
beforeAll(async () => {
  yard = await openYard()
})
afterEach(() => {
  for (const stream of streams.splice(0)) stream.abort()
})
afterAll(() => yard.close())

it.each([
  [{}, 'notifications is required'],
  [{ notifications: true }, 'notifications must be an object'],
  [
    { notifications: { resourceSubscriptions: 'all' } },
    'notifications.resourceSubscriptions must be a list of at most 100 strings',
  ],
  [{ notifications: { taskIds: [1] } }, 'notifications.taskIds must be a list of at most 100 strings'],
])('B107 a subscription with %j', async (params, detail) =>
  expectError(
    await yard.gateway.modern('subscriptions/listen', params),
    200,
    -32602,
    `Invalid params: ${detail}`,
    1,
  ),
)

async function listen(headers: Record<string, string> = {}): Promise<Response> {
  const stream = new AbortController()
  streams.push(stream)
  const params = { notifications: { toolsListChanged: true }, _meta: META }
  return await fetch(`${yard.gateway.url}/mcp`, {
    method: 'POST',
    headers: headersOf({
      headers: { 'mcp-method': 'subscriptions/listen', 'mcp-name': undefined, ...headers },
    }),
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params }),
    signal: stream.signal,
  })
}
it('B108 S56 the seventeenth stream of one caller is refused, those of others are not', async () => {
  const opened = await Promise.all(Array.from({ length: 16 }, () => listen()))
  expect(opened.map(({ status }) => status)).toEqual(Array.from({ length: 16 }, () => 200))
  const refused = await listen()
  const text = await refused.text()
  expectError(
    { status: refused.status, headers: refused.headers, text, body: JSON.parse(text) },
    429,
    -31429,
    'Rate limit exceeded',
    1,
  )
  expect(refused.headers.get('retry-after')).toBe('10')
  expect((await listen({ 'x-api-key': API_KEY })).status).toBe(200)
  streams[0]?.abort()
  // The runtime notices a connection that was closed when it next writes to it.
  await yard.gateway.manage('POST', '/api/v1/servers/fixture/disconnect')
  await eventually(5_000, async () => expect((await listen()).status).toBe(200))
})
