/** An upstream that closes the stream of a call and finishes it later (2025-11-25, "Sending Messages to the Server"). */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ConformanceFixture, startConformanceFixture } from '../support/conformance/fixture.ts'
import type { Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'

let stack: Stack
let gateway: Gateway
let fixture: ConformanceFixture
beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  fixture = await startConformanceFixture()
  expect((await gateway.register('fixture', fixture.url)).status).toBe(201)
})
afterAll(async () => {
  await stack.close()
  await fixture.stop()
})

/** What a client of this version reads on the stream of a call whose upstream lets go of it. */
async function readCall(protocolVersion: string): Promise<string> {
  const params = { protocolVersion, capabilities: {}, clientInfo: { name: 'test', version: '1' } }
  const { headers } = await gateway.rpc('initialize', params)
  const session = { 'mcp-session-id': headers.get('mcp-session-id') ?? '' }
  const { text } = await gateway.rpc('tools/call', { name: 'test_reconnection' }, { headers: session })
  return text
}

it('is passed on to a client that knows of it, which comes back for the answer', async () => {
  const text = await readCall('2025-11-25')
  expect(text).toMatch(/^id: \S+\nretry: 500\ndata: ?\n\n$/)
})

it.each(['2025-06-18', '2025-03-26'])(
  'is hidden from a client of %s, whose call would be lost',
  async (version) => {
    const text = await readCall(version)
    expect(text).not.toMatch(/^data: ?$/m)
    expect(text).toContain('The client came back for this.')
  },
)
