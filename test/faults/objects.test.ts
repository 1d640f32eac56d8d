/** Durable Objects that cannot be had: their storage is taken away from under a running gateway. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CAPABILITIES_KEY, expectError, HEADERS, headersOf, META } from '../support/base.ts'
import type { Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const AWAY = 'Gateway temporarily unavailable'

let stack: Stack
let gateway: Gateway
let upstream: Upstream
let session: Record<string, string>
beforeAll(async () => {
  stack = await startStack()
  const directory = await mkdtemp(join(tmpdir(), 'objects-'))
  gateway = await stack.gateway({}, { dataDirectory: directory })
  upstream = await startUpstream({
    era: 'legacy',
    stateful: true,
    resources: [{ uri: 'test://one', name: 'one' }],
  })
  expect((await gateway.register('fixture', upstream.url)).status).toBe(201)
  await rm(directory, { recursive: true })
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } }
  const { headers } = await gateway.rpc('initialize', params)
  session = { 'mcp-protocol-version': '2025-11-25', 'mcp-session-id': headers.get('mcp-session-id') ?? '' }
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})

describe('F43 a session whose memory is lost', () => {
  it.each([
    ['logging/setLevel', { level: 'info' }],
    ['resources/subscribe', { uri: 'test://one' }],
    ['resources/unsubscribe', { uri: 'test://one' }],
  ])('%s is refused for now', async (method, params) => {
    const answer = await gateway.rpc(method, params, { headers: session })
    expectError(answer, 503, -31503, AWAY, 1)
    expect(answer.headers.get('retry-after')).toBe('1')
  })
  it.each(['GET', 'DELETE'])('%s is refused for now', async (method) => {
    const headers = { ...HEADERS, ...session, accept: 'text/event-stream' }
    const answer = await gateway.fetch('/mcp', { method, headers })
    expectError(answer, 503, -31503, AWAY)
    expect(answer.headers.get('retry-after')).toBe('1')
  })
  it('goes on calling: its sessions with upstreams are this isolate’s own', async () => {
    const call = () =>
      gateway.rpc('tools/call', { name: 'echo', arguments: { text: 'hi' } }, { headers: session })
    for (const answer of [await call(), await call()]) expect(answer.body.result.content[0].text).toBe('hi')
    expect(upstream.sessions).toBe(1)
  })
})

describe('F43 a call that may have to wait for its caller and has no place for it', () => {
  it.each(['application/json', 'application/json, text/event-stream'])(
    'is not made, and a caller that accepts %s is told',
    async (accept) => {
      const before = upstream.calls('tools/call').length
      const params = {
        name: 'ask',
        arguments: { method: 'roots/list' },
        _meta: { ...META, [CAPABILITIES_KEY]: { roots: {} } },
      }
      const answer = await gateway.fetch('/mcp', {
        method: 'POST',
        headers: headersOf({ headers: { accept, 'mcp-name': 'ask' } }),
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
      })
      expect(answer.status).toBe(200)
      expect(answer.body).toMatchObject({ id: 1, error: { code: -31503 } })
      expect(answer.body.error.message).toMatch(/^The call was interrupted .* may have had effects: /)
      expect(upstream.calls('tools/call')).toHaveLength(before)
    },
  )
})

it('F47 fifty at once are all answered, none with a bug', async () => {
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, id) =>
      gateway.rpc('logging/setLevel', { level: 'info' }, { id, headers: session }),
    ),
  )
  expect(answers.map(({ status, body }) => [status, body.id])).toEqual(answers.map((_, id) => [503, id]))
})
