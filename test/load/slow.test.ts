/** Rows whose time is that of the gateway itself: streams that say nothing useful, and callers that read no more. */
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readEvents } from '../support/event.ts'
import { eventually, type Gateway, TOKEN } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let stack: Stack
let gateway: Gateway
const upstreams = new Map<string, Upstream>()
beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  for (const name of ['chatty', 'dripping', 'unread']) {
    const upstream = await startUpstream({ era: 'legacy', answers: 'sse' })
    upstreams.set(name, upstream)
    expect((await gateway.register(name, upstream.url)).status).toBe(201)
  }
})
afterAll(async () => {
  await stack.close()
  await Promise.all([...upstreams.values()].map((upstream) => upstream.stop()))
})

const upstream = (name: string): Upstream => {
  const found = upstreams.get(name)
  if (!found) throw new Error(`no upstream ${name}`)
  return found
}
const call = (name: string) =>
  gateway.rpc(
    'tools/call',
    { name: 'echo', arguments: { text: 'x'.repeat(1_000) } },
    { path: `/mcp/${name}` },
  )

describe.concurrent('streams', () => {
  it.each([
    ['F06 of comments only', 'chatty', { is: 'comments' }],
    ['F05 of one byte a second', 'dripping', { is: 'drip' }],
  ] as const)('%s are ended after 120 s with a last word', { timeout: 150_000 }, async (_, name, fault) => {
    upstream(name).dial.set({ ...fault, for: 'tools/call' })
    const begunAt = performance.now()
    const { text } = await call(name)
    expect(performance.now() - begunAt).toBeGreaterThan(119_000)
    const last = JSON.parse(readEvents(text).at(-1) ?? '')
    expect(last).toMatchObject({ id: 1, error: { code: -31504, data: { upstream: name, afterMs: 120_000 } } })
    await eventually(2_000, () => expect(upstream(name).open).toBe(0))
  })

  it(
    'F40 that nobody reads hold their upstream back, and let it go after 30 s',
    { timeout: 90_000 },
    async () => {
      const { dial } = upstream('unread')
      const said = `event: message\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":"${'x'.repeat(100_000)}"}}\n\n`
      const headers = { 'content-type': 'text/event-stream' }
      dial.set({ is: 'respond', for: 'tools/call', headers, body: said.repeat(500), pieceBytes: 65_536 })
      const { hostname, port } = new URL(gateway.url)
      const socket = connect(Number(port), hostname).on('error', () => undefined)
      const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}'
      const lines = [
        'POST /mcp/unread HTTP/1.1',
        'host: localhost',
        `authorization: Bearer ${TOKEN}`,
        'content-type: application/json',
        'accept: application/json, text/event-stream',
        `content-length: ${body.length}`,
      ]
      const begunAt = performance.now()
      socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`)
      socket.pause()
      await eventually(5_000, () => expect(upstream('unread').open).toBe(1))
      await eventually(80_000, () =>
        expect([upstream('unread').open, upstream('unread').closed]).toEqual([0, 1]),
      )
      const tookMs = performance.now() - begunAt
      expect(tookMs).toBeGreaterThan(29_000)
      expect(tookMs).toBeLessThan(60_000)
      socket.resume()
      let taken = 0
      socket.on('data', (bytes) => (taken += bytes.length))
      await new Promise((resolve) => socket.on('close', resolve))
      expect(taken).toBeLessThan(said.length * 300)
    },
  )
})
