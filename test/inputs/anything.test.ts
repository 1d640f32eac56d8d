/**
 * Whatever a client sends, it is told something that the documents describe, and the gateway stays well. A failure
 * names its seed; `FUZZ_SEED=<seed>` sends the same again.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { HEADERS, openYard, type Yard } from '../support/base.ts'
import { expectDocumented } from '../support/documented.ts'
import { headerEdits, PATHS, randomRequest, spoiledRequest, withEdits } from '../support/odd.ts'
import { exchange, type WireRequest } from '../support/wire.ts'

const RUNS: fc.Parameters<unknown> = {
  numRuns: 2_000,
  interruptAfterTimeLimit: 9_000,
  seed: Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31),
}

let yard: Yard
let said = ''
beforeAll(async () => {
  yard = await openYard(
    { resources: [{ uri: 'test://one', name: 'one' }], prompts: [{ name: 'greet' }] },
    { sink: (text) => (said += text) },
  )
})
afterAll(() => yard.close())

/** Several at once, since what one request leaves behind must not reach another. */
const isAnswered = (requests: fc.Arbitrary<WireRequest>) =>
  fc.asyncProperty(fc.array(requests, { minLength: 1, maxLength: 6 }), async (sent) => {
    await Promise.all(
      sent.map(async (request) => {
        const answer = await exchange(yard.gateway.url, request)
        expect(answer.status).toBeLessThan(500)
        if (request.method !== 'HEAD') expectDocumented(answer, request.body, true)
      }),
    )
  })

it('any bytes', () => fc.assert(isAnswered(randomRequest), RUNS), 30_000)
it('valid messages with faults put in', () => fc.assert(isAnswered(spoiledRequest), RUNS), 30_000)

it('any other method, with any headers', async () => {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } }
  const begun = await Promise.all(Array.from({ length: 40 }, () => yard.gateway.rpc('initialize', params)))
  const sessions = begun.map(({ headers }) => headers.get('mcp-session-id') ?? '')
  const { 'content-type': _t, 'mcp-method': _m, 'mcp-name': _n, ...plain } = HEADERS
  const request = fc
    .record({
      method: fc.constantFrom('GET', 'GET', 'DELETE', 'PUT', 'HEAD', 'OPTIONS', 'PATCH'),
      path: fc.constantFrom(
        ...PATHS,
        '/mcp/',
        '/mcp/a/b',
        '/mcp/%ff',
        '/mcp/%00',
        '/mcp?a=%',
        '/mcp/__proto__',
      ),
      session: fc.oneof(fc.constantFrom(...sessions), fc.constantFrom('', 'x', `${sessions[0]}x`)),
      edits: headerEdits,
      body: fc.constant(new Uint8Array()),
    })
    .map(({ session, edits, ...rest }) => ({
      ...rest,
      headers: withEdits(
        { ...plain, 'mcp-protocol-version': '2025-11-25', 'mcp-session-id': session },
        edits,
      ),
    }))
  await fc.assert(isAnswered(request), RUNS)
}, 30_000)

it('the gateway is well afterwards, and nothing was a bug', async () => {
  const { status, body } = await yard.gateway.fetch('/health')
  expect([status, body.status]).toEqual([200, 'ok'])
  const echo = await yard.gateway.rpc('tools/call', { name: 'echo', arguments: { text: 'well' } })
  expect(echo.body.result.content[0].text).toBe('well')
  expect(said.split('\n').filter((line) => /"event":"bug"|uncaught|Uncaught/.test(line))).toEqual([])
})
