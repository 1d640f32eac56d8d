/** Each fault of the fake upstream is on the wire what its row says. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { callerOf, HEADERS, json, messages } from './caller.ts'
import { ROWS } from './dial.ts'
import { ASKED_ID } from './fault.ts'
import { eventually } from './gateway.ts'
import { startUpstream, type Upstream, type UpstreamOptions } from './upstream.ts'

let upstream: Upstream
const use = async (options: UpstreamOptions): Promise<void> => {
  await upstream.stop()
  upstream = await startUpstream({ era: 'legacy', ...options })
}
beforeEach(async () => {
  upstream = await startUpstream({ era: 'legacy' })
})
afterEach(() => upstream.stop())

const { ask, call, echo, names } = callerOf(() => upstream.url)

/** The decoded size of a body, which is never held. */
async function sizeOf(response: Response): Promise<number> {
  let size = 0
  for await (const chunk of response.body ?? []) size += chunk.length
  return size
}

describe('faults', () => {
  it('F03 never sends headers, and sees that the caller has gone', async () => {
    upstream.dial.set(ROWS.F03)
    await expect(call('echo', {}, { signal: AbortSignal.timeout(80) })).rejects.toThrow('timeout')
    await eventually(1_000, () => expect([upstream.open, upstream.closed]).toEqual([0, 1]))
  })

  it.each(['json', 'sse'] as const)('F04 stalls after headers and half of the body: %s', async (answers) => {
    await use({ answers })
    upstream.dial.set(ROWS.F04)
    const response = await call('echo', {}, { signal: AbortSignal.timeout(150) })
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow('timeout')
  })

  it('F05 drips', async () => {
    upstream.dial.set({ is: 'drip', everyMs: 1 })
    expect(await echo()).toBe('fine')
    upstream.dial.clear()
    upstream.dial.set(ROWS.F05)
    const response = await call('echo', {}, { signal: AbortSignal.timeout(1_200) })
    const first = await response.body?.getReader().read()
    expect(first?.value).toHaveLength(1)
  })

  it('F06 sends comments only', async () => {
    upstream.dial.set({ is: 'comments', everyMs: 10 })
    const response = await call('echo', {}, { signal: AbortSignal.timeout(150) })
    const chunks: string[] = []
    const reading = (async () => {
      for await (const chunk of response.body ?? []) chunks.push(Buffer.from(chunk).toString())
    })()
    await expect(reading).rejects.toThrow('timeout')
    expect(chunks.length).toBeGreaterThan(3)
    expect(chunks.join('')).toMatch(/^(: still here\n)+$/)
  })

  it.each([
    ['F07', 500, 'content-type', 'text/plain'],
    ['F08', 503, 'retry-after', '7'],
    ['F09', 429, 'retry-after', '7'],
    ['F11', 401, 'www-authenticate', 'Bearer realm="upstream"'],
    ['F12', 302, 'location', 'http://169.254.169.254/latest/meta-data/'],
    ['F13', 200, 'content-type', 'text/html'],
  ] as const)('%s answers %i', async (row, status, header, value) => {
    upstream.dial.set(ROWS[row])
    const response = await call('echo')
    expect([response.status, response.headers.get(header)]).toEqual([status, value])
    await response.text()
  })

  it('F10 is 401 once', async () => {
    upstream.dial.set({ ...ROWS.F11, times: 1 })
    expect((await call('echo')).status).toBe(401)
    expect(await echo()).toBe('fine')
  })

  it('F14 truncates the JSON, not the body', async () => {
    upstream.dial.set(ROWS.F14)
    const text = await (await call('echo')).text()
    expect(text).toMatch(/^\{"jsonrpc"/)
    expect(() => JSON.parse(text)).toThrow(SyntaxError)
  })

  it('F15 answers another id', async () => {
    upstream.dial.set(ROWS.F15)
    expect((await json(await call('echo'))).id).toBe('of-another-request')
  })

  it('F16 answers twice', async () => {
    upstream.dial.set(ROWS.F16)
    const both = messages(await (await call('echo', { text: 'first' })).text())
    expect(both.map(({ id, result }) => [id, result.content[0].text])).toEqual([
      [1, 'first'],
      [1, 'second'],
    ])
  })

  it('F17 ends a stream without an answer', async () => {
    upstream.dial.set(ROWS.F17)
    const all = messages(await (await call('echo')).text())
    expect(all.map(({ method }) => method)).toEqual(['notifications/message'])
  })

  it.each([
    ['F18', 2, 'text/event-stream', null],
    ['F19', 50, 'application/json', null],
    ['F20', 50, 'application/json', 'gzip'],
  ] as const)('%s sends %i MiB', async (row, mebibytes, type, encoding) => {
    upstream.dial.set(ROWS[row])
    const response = await call('echo')
    expect([response.headers.get('content-type'), response.headers.get('content-length')]).toEqual([
      type,
      null,
    ])
    expect(response.headers.get('content-encoding')).toBe(encoding)
    const size = await sizeOf(response)
    expect(size - mebibytes * 1024 ** 2).toBeGreaterThan(0)
    expect(size - mebibytes * 1024 ** 2).toBeLessThan(200)
  })

  it('F19 stops when the caller has had enough', async () => {
    upstream.dial.set(ROWS.F19)
    await (await call('echo')).body?.cancel()
    await eventually(1_000, () => expect([upstream.open, upstream.closed]).toEqual([0, 1]))
  })

  it('a huge answer is a right one', async () => {
    upstream.dial.set({ is: 'huge_json', bytes: 200_000 })
    const { id, result } = await json(await call('echo'))
    expect([id, result.content[0].text.length]).toEqual([1, 200_000])
  })

  it('F21 resets the connection after some bytes, or before any', async () => {
    upstream.dial.set(ROWS.F21)
    const response = await call('echo')
    await expect(response.text()).rejects.toThrow('terminated')
    upstream.dial.clear()
    upstream.dial.set({ is: 'reset' })
    await expect(call('echo')).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } })
    expect(upstream.closed).toBe(0)
  })

  it('ends the connection in the middle of the body', async () => {
    upstream.dial.set({ is: 'cut', afterBytes: 10 })
    const response = await call('echo')
    expect(Number(response.headers.get('content-length'))).toBeGreaterThan(10)
    await expect(response.text()).rejects.toThrow('terminated')
    await eventually(1_000, () => expect([upstream.open, upstream.closed]).toEqual([0, 0]))
  })

  it('F22 forgets the session once', async () => {
    await use({ stateful: true })
    const initialize = () => ask('initialize', { params: { protocolVersion: '2025-11-25' } })
    const first = (await initialize()).headers.get('mcp-session-id') ?? ''
    upstream.dial.set({ ...ROWS.F22, for: 'tools/call', times: 1 })
    expect((await call('echo', {}, { headers: { 'mcp-session-id': first } })).status).toBe(404)
    const second = (await initialize()).headers.get('mcp-session-id') ?? ''
    expect((await call('echo', {}, { headers: { 'mcp-session-id': second } })).status).toBe(200)
  })

  it.each(['json', 'sse'] as const)('F23 asks the caller before the answer: %s', async (answers) => {
    await use({ answers })
    upstream.dial.set(ROWS.F23)
    const both = messages(await (await call('echo', { text: 'fine' })).text())
    expect(both).toMatchObject([
      { id: ASKED_ID, method: 'sampling/createMessage' },
      { id: 1, result: { content: [{ text: 'fine' }] } },
    ])
  })

  it('F23 waits for what the caller says, and hears the refusal', async () => {
    const response = await call('ask', { method: 'sampling/createMessage' })
    const reader = response.body?.getReader()
    const asked = messages(Buffer.from((await reader?.read())?.value ?? []).toString())[0]
    expect(asked.method).toBe('sampling/createMessage')
    const body = { jsonrpc: '2.0', id: asked.id, error: { code: -32601, message: 'no' } }
    const told = await fetch(upstream.url, { method: 'POST', headers: HEADERS, body: JSON.stringify(body) })
    expect(told.status).toBe(202)
    const answer = messages(Buffer.from((await reader?.read())?.value ?? []).toString())[0]
    expect(JSON.parse(answer.result.content[0].text).code).toBe(-32601)
  })

  it('F31 answers late', async () => {
    upstream.dial.set({ is: 'delay', ms: 60 })
    const start = performance.now()
    expect(await echo()).toBe('fine')
    expect(performance.now() - start).toBeGreaterThan(55)
  })

  it('F32 never ends its pages, or repeats a cursor', async () => {
    upstream.dial.set({ ...ROWS.F32, times: 3 })
    expect(await names()).toEqual({ names: ['page-0'], nextCursor: '1' })
    expect(await names('1')).toEqual({ names: ['page-1'], nextCursor: '2' })
    expect(await names('999')).toEqual({ names: ['page-999'], nextCursor: '1000' })
    upstream.dial.set(ROWS.F32b)
    expect([(await names()).nextCursor, (await names('again')).nextCursor]).toEqual(['again', 'again'])
  })

  it('F33 and F34: offers too many tools, or two of one name', async () => {
    upstream.dial.set({ ...ROWS.F33, times: 1 })
    expect(new Set((await names()).names).size).toBe(10_000)
    upstream.dial.set(ROWS.F34)
    const twice = (await names()).names
    expect(twice.length).toBe(2 * new Set(twice).size)
  })

  it('says what is no JSON-RPC at all', async () => {
    upstream.dial.set({ is: 'respond', body: (idText) => `{"id":${idText},"hello":"world"}` })
    expect(await (await call('echo')).text()).toBe('{"id":1,"hello":"world"}')
  })
})
