/** tools/call in the four cells of eras, JSON and streams, with and without upstream sessions. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Fault, ROWS } from '../support/dial.ts'
import { readEvents } from '../support/event.ts'
import { ASKED_ID } from '../support/fault.ts'
import { type Answer, eventually, type Gateway, TOKEN } from '../support/gateway.ts'
import { answerText, textResult } from '../support/message.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let stack: Stack
let gateway: Gateway
const upstreams: Record<string, Upstream> = {}
const KINDS = {
  legacy: { era: 'legacy' },
  modern: { era: 'modern' },
  stateful: { era: 'legacy', stateful: true },
  'legacy-sse': { era: 'legacy', answers: 'sse' },
  'modern-sse': { era: 'modern', answers: 'sse' },
  'stateful-sse': { era: 'legacy', stateful: true, answers: 'sse' },
} as const
const names = Object.keys(KINDS)

const upstream = (name: string): Upstream => {
  const found = upstreams[name]
  if (!found) throw new Error(`no upstream ${name}`)
  return found
}

beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  for (const [name, options] of Object.entries(KINDS)) {
    upstreams[name] = await startUpstream(options)
    expect((await gateway.register(name, upstream(name).url)).status).toBe(201)
  }
})
afterAll(async () => {
  await stack.close()
  await Promise.all(Object.values(upstreams).map((one) => one.stop()))
})

/** The messages of a stream, or the one message that is no stream. */
const messages = ({ text }: Answer): any[] => {
  const events = readEvents(text)
  return (events.length > 0 ? events : [text]).map((data) => JSON.parse(data))
}
const stream = (body: string): Fault => ({
  is: 'respond',
  headers: { 'content-type': 'text/event-stream' },
  body,
})
const path = (name: string) => ({ path: `/mcp/${name}` })

describe.each(names)('an upstream that is %s', (name) => {
  it('answers a legacy caller', async () => {
    const answer = await gateway.rpc(
      'tools/call',
      { name: 'echo', arguments: { text: 'ü' } },
      { ...path(name), id: 'a"b' },
    )
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({
      jsonrpc: '2.0',
      id: 'a"b',
      result: { content: [{ type: 'text', text: 'ü' }] },
    })
  })

  it('answers a modern caller, who learns that the result is complete', async () => {
    const answer = await gateway.modern('tools/call', { name: 'echo', arguments: { text: 'x' } }, path(name))
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({ id: 1, result: { resultType: 'complete', content: [{ text: 'x' }] } })
  })

  it.each(['application/json', 'text/event-stream'])(
    'answers in %s to a caller that accepts nothing else',
    async (accept) => {
      const answer = await gateway.rpc(
        'tools/call',
        { name: 'echo', arguments: { text: 'x' } },
        { ...path(name), headers: { accept } },
      )
      expect(answer.headers.get('content-type')).toBe(accept)
      expect(answer.body).toMatchObject({ id: 1, result: { content: [{ text: 'x' }] } })
    },
  )

  it('hands a tool error and an unknown tool of its own through untouched', async () => {
    const failed = await gateway.rpc('tools/call', { name: 'fail', arguments: {} }, path(name))
    expect(failed.body.result).toMatchObject({ isError: true, content: [{ text: 'it failed' }] })
  })

  it('passes what nobody here knows byte for byte, both ways', async () => {
    const raw =
      '{"content":[{"type":"hologram","big":12345678901234567890,"x":1.50}],"structuredContent":[1],"_meta":{"a.b/c":{"z":1,"a":2}}}'
    upstream(name).dial.raw = raw
    const given = '{ "n" : 98765432109876543210, "z":1, "a":{"é":"\\u00e9"} }'
    const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"raw","odd":[1, 2],"arguments":${given}}}`
    const answer = await gateway.post(call, path(name))
    expect(answer.text).toContain(raw.slice(1))
    const seen = upstream(name).calls('tools/call').at(-1)?.body
    expect(seen).toContain(`"arguments":${given}`)
    expect(seen).toContain('"odd":[1, 2]')
  })

  it('S15 S19 never sees a credential or a header of the caller', async () => {
    const headers = { 'x-forwarded-host': 'evil', cookie: 'a=b', 'x-odd': 'y' }
    const { body } = await gateway.rpc(
      'tools/call',
      { name: 'headers', arguments: {} },
      { ...path(name), headers },
    )
    const seen = JSON.parse(body.result.content[0].text)
    for (const odd of ['authorization', 'cookie', 'x-odd', 'x-forwarded-host', 'x-api-key'])
      expect(seen).not.toHaveProperty(odd)
    expect(JSON.stringify(upstream(name).requests.at(-1))).not.toContain(TOKEN)
    expect(seen['mcp-protocol-version']).toBe(name.startsWith('modern') ? '2026-07-28' : '2025-11-25')
  })

  it('F23 gets no for a request of its own, and the call goes on', async () => {
    upstream(name).dial.set({ ...ROWS.F23, for: 'tools/call', times: 1 })
    const before = upstream(name).requests.length
    const answer = await gateway.rpc(
      'tools/call',
      { name: 'echo', arguments: { text: 'x' } },
      { ...path(name), id: 7 },
    )
    expect(answer.text).not.toContain('sampling')
    expect(messages(answer)).toMatchObject([{ id: 7, result: { content: [{ text: 'x' }] } }])
    await eventually(1_000, () => {
      const told = upstream(name).requests.slice(before)
      expect(told.map(({ message }) => message)).toContainEqual(
        expect.objectContaining({ id: ASKED_ID, outcome: expect.objectContaining({ code: -32601 }) }),
      )
    })
  })
})

describe('an upstream that waits for what it asked', () => {
  it.each(names.filter((name) => !name.startsWith('modern')))('F23 hears the no: %s', async (name) => {
    const params = { name: 'ask', arguments: { method: 'sampling/createMessage' } }
    const answers = messages(await gateway.rpc('tools/call', params, path(name)))
    expect(answers).toMatchObject([{ id: 1, result: { content: [{ text: expect.any(String) }] } }])
    expect(JSON.parse(answers[0].result.content[0].text)).toMatchObject({ code: -32601 })
  })
})

describe('progress', () => {
  it.each(names.filter((name) => name.endsWith('sse')))(
    'of %s reaches the caller before the answer',
    async (name) => {
      const params = { name: 'slow', arguments: { ms: 60 }, _meta: { progressToken: 7 } }
      const events = messages(await gateway.rpc('tools/call', params, path(name)))
      expect(
        events.slice(0, 3).map(({ params: { progress, progressToken } }) => [progress, progressToken]),
      ).toEqual([
        [1, 7],
        [2, 7],
        [3, 7],
      ])
      expect(events[3]).toMatchObject({ id: 1, result: { content: [{ text: 'done' }] } })
    },
  )

  it('is dropped for a caller that accepts no stream', async () => {
    const params = { name: 'slow', arguments: { ms: 30 }, _meta: { progressToken: 7 } }
    const { body } = await gateway.rpc('tools/call', params, {
      ...path('legacy-sse'),
      headers: { accept: 'application/json' },
    })
    expect(body).toMatchObject({ id: 1, result: { content: [{ text: 'done' }] } })
  })
})

describe('cancellation', () => {
  /** Sends a call over a socket of its own, so that the test decides how the caller goes away. */
  const open = async (name: string, steps: number): Promise<Socket> => {
    const params = { name: 'slow', arguments: { ms: 9_000, steps }, _meta: { progressToken: 1 } }
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
    const { hostname, port } = new URL(gateway.url)
    const socket = connect(Number(port), hostname).on('error', () => undefined)
    const started = upstream(name).calls('tools/call').length
    socket.write(
      [
        `POST /mcp/${name} HTTP/1.1`,
        `host: ${hostname}`,
        `authorization: Bearer ${TOKEN}`,
        'content-type: application/json',
        'accept: application/json, text/event-stream',
        `content-length: ${body.length}`,
        '',
        body,
      ].join('\r\n'),
    )
    await eventually(2_000, () => expect(upstream(name).calls('tools/call').length).toBe(started + 1))
    return socket
  }

  // Plain workerd notices a reset at once, a mere end of the connection at its next write; the edge notices both.
  it.each(names)('F39 a caller that goes away lets go of %s within a second', async (name) => {
    const before = upstream(name).closed
    const socket = await open(name, 1)
    socket.resetAndDestroy()
    await eventually(1_000, () => expect(upstream(name).closed).toBe(before + 1))
  })

  it.each(names)('F39 so does a caller of %s that has part of the answer', async (name) => {
    const before = upstream(name).closed
    const socket = await open(name, 300)
    await once(socket, 'data', { signal: AbortSignal.timeout(2_000) })
    socket.resetAndDestroy()
    await eventually(1_000, () => expect(upstream(name).closed).toBe(before + 1))
  })
})

describe('upstream sessions', () => {
  const call = (text = 'x') =>
    gateway.rpc('tools/call', { name: 'echo', arguments: { text } }, path('stateful'))

  it('are opened once and kept', async () => {
    await call()
    const opened = upstream('stateful').calls('initialize').length
    for (let at = 0; at < 5; at++) await call()
    expect(upstream('stateful').calls('initialize').length).toBe(opened)
  })

  it('F22 are opened anew when the upstream has forgotten them, and the call is sent once more', async () => {
    await call()
    const sent = () => ['initialize', 'tools/call'].map((method) => upstream('stateful').calls(method).length)
    const [opened = 0, called = 0] = sent()
    upstream('stateful').dial.set({ ...ROWS.F22, for: 'tools/call', times: 1 })
    const answer = await call('again')
    expect(answer.body.result.content[0].text).toBe('again')
    expect(sent()).toEqual([opened + 1, called + 2])
  })

  it('carry ids of their own, so that callers with the same ids never meet', async () => {
    const ids = upstream('stateful')
      .calls('tools/call')
      .map(({ body }) => JSON.parse(body).id)
    expect(new Set(ids.slice(-4)).size).toBe(4)
    const answers = await Promise.all(Array.from({ length: 40 }, (_, at) => call(`text ${at}`)))
    expect(answers.map(({ body }) => [body.id, body.result.content[0].text])).toEqual(
      answers.map((_, at) => [1, `text ${at}`]),
    )
  })
})

describe('an upstream that fails', () => {
  beforeEach(() => gateway.registerAnew('legacy', upstream('legacy').url))
  afterEach(() => upstream('legacy').dial.clear())
  const fail = (fault: Fault): (() => void) => upstream('legacy').dial.set({ ...fault, for: 'tools/call' })
  const call = (headers = {}) =>
    gateway.rpc('tools/call', { name: 'echo', arguments: { text: 'x' } }, { ...path('legacy'), headers })
  const error = async () => {
    const { status, body } = await call()
    expect(status).toBe(200)
    expect(body.id).toBe(1)
    expect(body.error.message).toContain("'legacy'")
    return body.error
  }
  const good = answerText('1', { result: textResult('x') })

  it('F01 refuses the connection', async () => {
    await upstream('legacy').stop()
    expect(await error()).toMatchObject({ code: -31501, data: { upstream: 'legacy' } })
    await upstream('legacy').start()
  })

  const TYPED = { 'content-type': 'application/json' }
  it.each<[string, number, Fault]>([
    ['F07', -31502, ROWS.F07],
    ['F08', -31502, ROWS.F08],
    ['F09', -31530, ROWS.F09],
    ['F11', -31511, ROWS.F11],
    ['F12', -31502, ROWS.F12],
    ['F13', -31502, ROWS.F13],
    ['F14', -31502, ROWS.F14],
    ['F15', -31502, ROWS.F15],
    ['F15 a number', -31502, { is: 'wrong_id', id: 2 }],
    ['F15 the same digits', -31502, { is: 'wrong_id', id: '1' }],
    ['500 in JSON', -31502, { is: 'respond', status: 500, headers: TYPED, body: 'a stack trace' }],
    ['503 without a body', -31502, { is: 'respond', status: 503, headers: { 'retry-after': '7' } }],
    ['no JSON-RPC', -31502, { is: 'respond', body: '[]' }],
    ['neither result nor error', -31502, { is: 'respond', body: '{"jsonrpc":"2.0","id":1}' }],
  ])('%s is told in-band with its own code %i', async (_, code, fault) => {
    const before = upstream('legacy').calls('tools/call').length
    fail(fault)
    const told = await error()
    expect(told.code).toBe(code)
    expect(JSON.stringify(told)).not.toMatch(
      /stack trace|repairs|too fast|who are you|realm|169\.254|welcome/,
    )
    if (code === -31530) expect(told.data).toEqual({ upstream: 'legacy', retryAfterMs: 7_000 })
    const sent = upstream('legacy').calls('tools/call').length - before
    expect(sent).toBe(code === -31511 ? 2 : 1)
  })
  it('F03 F04 never answers, or stalls half-way: the timeout of the service holds', async () => {
    await gateway.manage('PUT', '/api/v1/servers/legacy', { timeoutMs: 300 })
    const end = fail(ROWS.F03)
    expect(await error()).toMatchObject({ code: -31504, data: { upstream: 'legacy', afterMs: 300 } })
    end()
    fail(ROWS.F04)
    expect(await error()).toMatchObject({ code: -31504 })
    await gateway.manage('PUT', '/api/v1/servers/legacy', { timeoutMs: 30_000 })
  })
  it.each<[string, Fault]>([
    ['with a reset', ROWS.F21],
    ['without one', { is: 'cut', afterBytes: 10 }],
  ])('F21 breaks off in the middle, %s', async (_, fault) => {
    fail(fault)
    expect(await error()).toMatchObject({ code: -31502 })
  })
  it.each<[string, Fault, string | number]>([
    ['F16 two answers', ROWS.F16, 'x'],
    ['F17 no answer', ROWS.F17, -31502],
    ['F17 nothing at all', stream(': nothing\n\n'), -31502],
    [
      'S44 an answer to somebody else first',
      stream(`data: ${good.replace('"id":1', '"id":9')}\n\ndata: ${good}\n\n`),
      'x',
    ],
    ['junk first', stream(`data: {{{\n\ndata: ${good}\n\n`), 'x'],
    ['F18 an event of 2 MiB', ROWS.F18, -31513],
    ['F18 a line of 2 MiB without an end', stream(`data: ${'x'.repeat(2_097_152)}`), -31513],
  ])('%s on a stream', async (_, fault, expected) => {
    fail(fault)
    for (const accept of ['application/json, text/event-stream', 'application/json']) {
      const answers = messages(await call({ accept })).filter(({ method }) => method === undefined)
      expect(answers).toHaveLength(1)
      expect(answers[0].id).toBe(1)
      expect(answers[0].error?.code ?? answers[0].result.content[0].text).toBe(expected)
    }
  })
  it.each<[string, Fault]>([
    ['F19 declared', { is: 'respond', body: 'x'.repeat(9 << 20) }],
    ['F19 not declared', { is: 'huge_json', bytes: 9 << 20 }],
    ['F19 of 50 MiB', ROWS.F19],
    ['F20 compressed', ROWS.F20],
  ])('%s an answer of more than 8 MiB', async (_, fault) => {
    fail(fault)
    expect(await error()).toMatchObject({ code: -31513, data: { limitBytes: 8_388_608 } })
  })
  it('large answers arrive whole', async () => {
    for (const bytes of [70_000, 1_048_576, 8_000_000]) {
      const { body } = await gateway.rpc('tools/call', { name: 'big', arguments: { bytes } }, path('legacy'))
      expect(body.result.content[0].text.length).toBe(bytes)
    }
  })
  it.each([5_000, 100_000])(
    'large answers on a stream arrive as they were sent, in pieces of %s',
    async (pieceBytes) => {
      const text = Array.from({ length: 60_000 }, (_, at) => `${at}é`).join('')
      const result = { content: [{ type: 'text', text }] }
      const body = (id: string): string =>
        `data: {"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(result)}}\n\n`
      for (const accept of ['application/json, text/event-stream', 'application/json']) {
        fail({ is: 'respond', headers: { 'content-type': 'text/event-stream' }, body, pieceBytes })
        expect(messages(await call({ accept })).at(-1).result).toEqual(result)
      }
    },
  )
})
