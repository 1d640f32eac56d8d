/** What upstreams and callers send at once counts against one budget of the isolate, and comes back by every way out. */
import { type ClientRequest, request } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { HEADERS, openYard, type Yard } from '../support/base.ts'
import type { Fault } from '../support/dial.ts'
import { type Answer, eventually } from '../support/gateway.ts'

const LARGE = 8_000_000
const MEMORY_SPENT = -31503

let yard: Yard
beforeAll(async () => {
  yard = await openYard({ era: 'legacy' })
})
afterAll(() => yard.close())
afterEach(() => yard.upstream.dial.clear())

const BIG = { name: 'big', arguments: { bytes: LARGE } }
/** Of a modern caller, so that the answer of a legacy upstream is read and rewritten. */
const call = (): Promise<Answer> => yard.gateway.modern('tools/call', BIG)
const fail = (fault: Fault): void => void yard.upstream.dial.set({ ...fault, for: 'tools/call' })
const textOf = ({ body }: Answer): string | undefined => body.result?.content[0].text

/** A request whose caller leaves without a word when it is told to. */
function send(body: string, length = Buffer.byteLength(body)): ClientRequest {
  const { hostname, port } = new URL(yard.gateway.url)
  const headers = { ...HEADERS, 'mcp-name': 'big', 'content-length': String(length) }
  const sent = request({ hostname, port, path: '/mcp', method: 'POST', headers }).on('error', () => undefined)
  sent.write(body)
  return sent
}
const leave = (sent: ClientRequest): void => void sent.socket?.resetAndDestroy()
const message = (padding = '') =>
  JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: {
      ...BIG,
      padding,
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  })

describe('large answers', () => {
  it('F67 are refused in-band where there is no memory for them, and whole where there is', async () => {
    fail({ is: 'huge_json', bytes: LARGE })
    const answers = await Promise.all(Array.from({ length: 40 }, call))
    const refused = answers.filter(({ body }) => body.error !== undefined)
    expect(refused.length).toBeGreaterThan(0)
    expect(refused.length).toBeLessThan(answers.length)
    for (const { status, body } of refused) {
      expect([status, body.id, body.error.code]).toEqual([200, 1, MEMORY_SPENT])
      expect(body.error.data).toEqual({ retryAfterMs: 1_000 })
      expect(body.error.message).toMatch(/out of memory for answers.*try again in 1 s/)
    }
    for (const answer of answers.filter(({ body }) => body.result)) expect(textOf(answer)?.length).toBe(LARGE)
  })

  it('F67 leave small ones their room', async () => {
    fail({ is: 'huge_json', bytes: LARGE })
    const large = Array.from({ length: 10 }, call)
    const small = await Promise.all(
      Array.from({ length: 10 }, () => yard.gateway.modern('tools/list', { name: 'x' })),
    )
    expect(small.filter(({ body }) => body.result)).toHaveLength(10)
    await Promise.all(large)
  })
})

describe('the memory of an answer is there again', () => {
  const ROUNDS = 5
  const isThere = async (): Promise<void> =>
    await eventually(2_000, async () => expect(textOf(await call())?.length).toBe(LARGE))

  it('F67 when it was answered', async () => {
    for (let round = 0; round < ROUNDS; round++) expect(textOf(await call())?.length).toBe(LARGE)
  })

  it.each<[string, Fault, number]>([
    ['F19 F67 when it was too large', { is: 'huge_json', bytes: 9_000_000 }, -31513],
    ['F14 F67 when it was no JSON', { is: 'truncated' }, -31502],
    ['F15 F67 when it was for somebody else', { is: 'wrong_id' }, -31502],
    ['F21 F67 when it broke off', { is: 'reset', afterBytes: 7_000_000 }, -31502],
    ['F04 F67 when it stalled', { is: 'stall' }, -31504],
  ])('%s', async (_, fault, code) => {
    await yard.gateway.manage('PUT', '/api/v1/servers/fixture', { timeoutMs: 1_000 })
    fail(fault)
    for (let round = 0; round < ROUNDS; round++) expect((await call()).body.error.code).toBe(code)
    yard.upstream.dial.clear()
    await yard.gateway.manage('PUT', '/api/v1/servers/fixture', { timeoutMs: 30_000 })
    await isThere()
  })

  it('F39 F67 when its caller went away before it was there', async () => {
    fail({ is: 'stall' })
    for (let round = 0; round < ROUNDS; round++) {
      const { closed, takenBytes } = yard.upstream
      const sent = send(message())
      await eventually(5_000, () =>
        expect(yard.upstream.takenBytes).toBeGreaterThan(takenBytes + LARGE / 2 - 500_000),
      )
      leave(sent)
      await eventually(2_000, () => expect(yard.upstream.closed).toBe(closed + 1))
    }
    yard.upstream.dial.clear()
    await isThere()
  })

  it('F40 F67 when its caller went away without having read it', async () => {
    const sent = Array.from({ length: ROUNDS }, () => send(message()))
    await Promise.all(
      sent.map((one) => new Promise<void>((resolve) => one.once('response', () => resolve()))),
    )
    sent.forEach(leave)
    await isThere()
  })
})

it('F33 F67 a catalogue of many large pages is given up as a whole, and the last good one stays', async () => {
  let page = 0
  const tool = (at: number): string =>
    `{"name":"t${at}","description":"${'x'.repeat(1_000_000)}","inputSchema":{}}`
  yard.upstream.dial.set({
    is: 'respond',
    for: 'tools/list',
    body: (id) => `{"jsonrpc":"2.0","id":${id},"result":{"tools":[${tool(++page)}],"nextCursor":"${page}"}}`,
  })
  const { status, body } = await yard.gateway.manage('POST', '/api/v1/servers/fixture/refresh')
  expect([status, body.reason]).toEqual([502, 'too_large'])
  expect(page).toBe(9)
  expect(await yard.gateway.toolNames()).toContain('big')
})

describe('large requests', () => {
  it('F67 are answered one after another, however many', async () => {
    const body = message('x'.repeat(1_000_000))
    for (let at = 0; at < 20; at++) {
      const { status } = await yard.gateway.post(body, { headers: { ...HEADERS, 'mcp-name': 'big' } })
      expect(status).toBe(200)
    }
  })

  it('F67 are refused at the door where there is no memory for them, until others have gone', async () => {
    const body = message('x'.repeat(1_000_000))
    const sent = Array.from({ length: 20 }, () => send(body, body.length + 1))
    const told = await Promise.any(
      sent.map(
        (one) =>
          new Promise<{ status: number | undefined; after: string | undefined; text: string }>((resolve) => {
            one.once('response', async (response) => {
              const text = (await response.toArray()).join('')
              resolve({ status: response.statusCode, after: response.headers['retry-after'], text })
            })
          }),
      ),
    )
    expect(told).toMatchObject({ status: 503, after: '1' })
    expect(JSON.parse(told.text).error.code).toBe(MEMORY_SPENT)
    sent.forEach(leave)
    await eventually(2_000, async () => {
      const { status } = await yard.gateway.post(body, { headers: { ...HEADERS, 'mcp-name': 'big' } })
      expect(status).toBe(200)
    })
  })
})
