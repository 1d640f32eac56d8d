/** What can go wrong with an upstream on the older transport: each fault told with its code, nothing left open. */
import type { ServerResponse } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { eventually, type Gateway } from '../support/gateway.ts'
import { modernCall } from '../support/modern-call.ts'
import { eventText, type Older, type OlderFault, resultOf, startOlder } from '../support/older.ts'
import { startStack, type Stack } from '../support/stack.ts'

let stack: Stack
let gateway: Gateway
let older: Older

beforeAll(async () => {
  ;[stack, older] = await Promise.all([startStack(), startOlder()])
  gateway = await stack.gateway()
})
beforeEach(() => gateway.registerAnew('older', older.url, { transport: 'sse' }))
afterAll(async () => {
  await stack.close()
  await older.close()
})
afterEach(async () => {
  older.fail()
  await eventually(2_000, () => expect(older.streams()).toBe(0))
})

const PATH = { path: '/mcp/older' }
const PARAMS = { name: 'echo', arguments: { text: 'x' } }
const TIMED_OUT = -31504
/** The timeout of the service. */
const allow = (timeoutMs: number) => gateway.manage('PUT', '/api/v1/servers/older', { timeoutMs })
const call = () => gateway.rpc('tools/call', PARAMS, PATH)
const status =
  (code: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void =>
    void response.writeHead(code, headers).end('a stack trace')

const GARBAGE = `: hello\n\nid: 7\nretry: 1\n\nevent: weather\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\ndata: {{{\n\ndata: [1]\n\ndata: {"jsonrpc":"2.0","id":"someone-else","result":{}}\n\n`
const ENDLESS = `data: ${'x'.repeat(2_097_152)}`
const foreign = 'http://127.0.0.1:9/message'

describe('a call', () => {
  it.each<[string, number, OlderFault]>([
    ['F07 GET answered with 500', -31502, { get: status(500) }],
    ['F09 GET answered with 429', -31530, { get: status(429, { 'retry-after': '7' }) }],
    ['F11 GET answered with 401', -31511, { get: status(401) }],
    ['GET answered with 404', -31502, { get: status(404) }],
    ['F12 GET answered with a redirect', -31502, { get: status(302, { location: foreign }) }],
    ['F13 GET answered with a page', -31502, { get: status(200, { 'content-type': 'text/html' }) }],
    ['GET answered with JSON', -31502, { get: status(200, { 'content-type': 'application/json' }) }],
    ['F03 GET never answered', TIMED_OUT, { get: () => undefined }],
    ['F21 GET reset', -31501, { get: (response) => void response.socket?.resetAndDestroy() }],
    ['no endpoint named', TIMED_OUT, { open: ({ response }) => response.flushHeaders() }],
    [
      'the stream ending before an endpoint is named',
      -31502,
      { open: ({ response }) => void response.end() },
    ],
    [
      'F18 an endless event instead of the endpoint',
      -31513,
      { open: ({ response }) => void response.write(ENDLESS) },
    ],
    ['F07 POST answered with 500', -31502, { post: status(500) }],
    ['F09 POST answered with 429', -31530, { post: status(429, { 'retry-after': '7' }) }],
    ['F11 POST answered with 401', -31511, { post: status(401) }],
    ['POST answered with 400', -31502, { post: status(400) }],
    ['F22 POST answered with 404', -31502, { post: status(404) }],
    ['F12 POST answered with a redirect', -31502, { post: status(307, { location: foreign }) }],
    ['F03 POST never answered', TIMED_OUT, { post: () => undefined }],
    ['F21 POST reset', -31501, { post: (response) => void response.socket?.resetAndDestroy() }],
    ['F17 the stream ending without an answer', -31502, { call: ({ response }) => void response.end() }],
    ['F21 the stream reset', -31502, { call: ({ response }) => void response.socket?.resetAndDestroy() }],
    [
      'F18 an answer of 2 MiB',
      -31513,
      { call: (stream, { id }) => stream.answer(id, resultOf('x'.repeat(2_097_152))) },
    ],
    [
      'F15 an answer to somebody else',
      -31502,
      {
        call: (stream) => {
          stream.answer('other', resultOf('theirs'))
          stream.response.end()
        },
      },
    ],
  ])('%s is told with %i, and sent once', async (_, code, fault) => {
    const calls = (): number => older.received.filter(({ method }) => method === 'tools/call').length
    const before = calls()
    await allow(code === TIMED_OUT ? 400 : 30_000)
    older.fail(fault)
    const { status: given, text, body } = await call()
    expect(given).toBe(200)
    const [message] = text.startsWith('event') ? [JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? '')] : [body]
    expect(message).toMatchObject({ id: 1, error: { code, message: expect.stringContaining("'older'") } })
    expect(text).not.toContain('stack trace')
    expect(calls() - before).toBeLessThanOrEqual(code === -31511 ? 2 : 1)
  })

  it.each<[string, OlderFault]>([
    [
      'garbage before the endpoint is named',
      {
        open: ({ response, endpoint }) => void response.write(`${GARBAGE}${eventText(endpoint, 'endpoint')}`),
      },
    ],
    [
      'garbage before the answer',
      {
        call: (stream, { id }) => {
          stream.response.write(GARBAGE)
          stream.answer(id, resultOf('x'))
        },
      },
    ],
    [
      'an event of another name that looks like the answer',
      {
        call: (stream, { id }) => {
          const posing = { jsonrpc: '2.0', id, result: resultOf('again') }
          stream.response.write(eventText(posing, 'weather'))
          stream.answer(id, resultOf('x'))
        },
      },
    ],
    [
      'S01 a second endpoint, elsewhere',
      {
        call: (stream, { id }) => {
          stream.response.write(eventText(foreign, 'endpoint'))
          stream.answer(id, resultOf('x'))
        },
      },
    ],
    [
      'an endpoint as a whole URL, in pieces',
      {
        open: ({ response, endpoint }) => {
          const named = eventText(new URL(endpoint, older.url).href, 'endpoint')
          response.write(named.slice(0, 20))
          setTimeout(() => response.write(named.slice(20)), 20)
        },
      },
    ],
    [
      'F16 two answers',
      {
        call: (stream, { id }) => {
          stream.answer(id, resultOf('x'))
          stream.answer(id, resultOf('again'))
        },
      },
    ],
    [
      'an answer before the message was accepted',
      {
        post: (response, stream) => {
          stream.answer(older.received.at(-1)?.id, resultOf('x'))
          setTimeout(() => response.writeHead(202).end(), 50)
        },
      },
    ],
    [
      'POST answered with 200 and a body',
      {
        post: (response, stream) => {
          response.writeHead(200, { 'content-type': 'text/plain' }).end('ok')
          stream.answer(older.received.at(-1)?.id, resultOf('x'))
        },
      },
    ],
  ])('is answered in spite of %s', async (_, fault) => {
    older.fail(fault)
    for (const headers of [{}, { accept: 'application/json' }]) {
      const { text } = await gateway.rpc('tools/call', PARAMS, { ...PATH, headers })
      expect(text).toContain('"text":"x"')
      expect(text).not.toContain('again')
    }
  })
})

describe('a call that may wait for its caller, in an object that outlives it', () => {
  it.each<[string, OlderFault]>([
    ['that names no endpoint but an endless event', { open: ({ response }) => void response.write(ENDLESS) }],
    ['that takes no message', { post: status(500) }],
    ['that refuses the handshake', { initialize: { error: { code: -32603, message: 'no' } } }],
  ])('leaves no stream open at an upstream %s', async (_, fault) => {
    older.fail(fault)
    const init = modernCall('echo', { capabilities: { elicitation: {} } })
    const response = await fetch(`${gateway.url}/mcp/older`, init)
    expect(await response.text()).toContain("'older'")
  })
})

it('F03 gives up after 10 s on an upstream that names no endpoint, however long its calls may take', async () => {
  await allow(60_000)
  older.fail({ open: ({ response }) => response.flushHeaders() })
  expect((await call()).body.error).toMatchObject({ code: TIMED_OUT, data: { afterMs: 10_000 } })
})

describe('registration', () => {
  const register = (rest: object = {}) => gateway.register('another', older.url, rest)

  it('names what is wrong, and stores nothing', async () => {
    older.fail({ open: ({ response }) => void response.end() })
    const { status: given, body } = await register({ transport: 'sse' })
    expect([given, body.code, body.reason]).toEqual([502, 'discovery_failed', 'not_mcp'])
    expect((await gateway.manage('GET', '/api/v1/servers/another')).status).toBe(404)
  })

  it('gives up on a server that names no endpoint', async () => {
    older.fail({ open: ({ response }) => void response.write(': waiting\n\n') })
    const { status: given, body } = await register({ transport: 'sse' })
    expect([given, body.reason]).toEqual([502, 'timeout'])
  })

  it('takes a URL without a path for /sse', async () => {
    const { origin } = new URL(older.url)
    const { body } = await gateway.register('another', origin, { transport: 'sse' })
    expect(body).toMatchObject({ url: older.url, transport: 'sse', protocolVersion: '2024-11-05' })
    await gateway.manage('DELETE', '/api/v1/servers/another')
  })

  it('finds the transport out where nobody names it, and not against what is named', async () => {
    expect((await register({ transport: 'http' })).status).toBe(502)
    expect((await register()).body.transport).toBe('sse')
    const moved = await gateway.manage('PUT', '/api/v1/servers/another', { transport: 'http' })
    expect(moved.status).toBe(502)
    expect((await gateway.manage('POST', '/api/v1/servers/another/refresh')).body.transport).toBe('sse')
    await gateway.manage('DELETE', '/api/v1/servers/another')
  })
})
