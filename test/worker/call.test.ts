/** tools/call in the four cells of eras, JSON and streams, with and without upstream sessions. */
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, type Gateway, TOKEN } from '../support/gateway.ts'
import { end, type FakeServer, startServer, textResult } from '../support/server.ts'
import { startStack, type Stack } from '../support/stack.ts'

let stack: Stack
let gateway: Gateway
const servers: Record<string, FakeServer> = {}
const KINDS = {
  legacy: { era: 'legacy' },
  modern: { era: 'modern' },
  stateful: { era: 'legacy', isStateful: true },
  'legacy-sse': { era: 'legacy', answers: 'sse' },
  'modern-sse': { era: 'modern', answers: 'sse' },
  'stateful-sse': { era: 'legacy', isStateful: true, answers: 'sse' },
} as const
const names = Object.keys(KINDS)

const server = (name: string): FakeServer => {
  const found = servers[name]
  if (!found) throw new Error(`no server ${name}`)
  return found
}

beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  for (const [name, options] of Object.entries(KINDS)) {
    servers[name] = await startServer(options)
    expect((await gateway.register(name, server(name).url)).status).toBe(201)
  }
})
afterAll(async () => {
  await stack.close()
  await Promise.all(Object.values(servers).map((one) => one.stop()))
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
    server(name).rawResult = raw
    const given = '{ "n" : 98765432109876543210, "z":1, "a":{"é":"\\u00e9"} }'
    const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"raw","odd":[1, 2],"arguments":${given}}}`
    const answer = await gateway.post(call, path(name))
    expect(answer.text).toContain(raw.slice(1))
    const seen = server(name).calls('tools/call').at(-1)?.body
    expect(seen).toContain(`"arguments":${given}`)
    expect(seen).toContain('"odd":[1, 2]')
  })

  it('never sees a credential or a header of the caller (S15, S19)', async () => {
    const headers = { 'x-forwarded-host': 'evil', cookie: 'a=b', 'x-odd': 'y' }
    const { body } = await gateway.rpc(
      'tools/call',
      { name: 'headers', arguments: {} },
      { ...path(name), headers },
    )
    const seen = JSON.parse(body.result.content[0].text)
    for (const odd of ['authorization', 'cookie', 'x-odd', 'x-forwarded-host', 'x-api-key'])
      expect(seen).not.toHaveProperty(odd)
    expect(seen['mcp-protocol-version']).toBe(name.startsWith('modern') ? '2026-07-28' : '2025-11-25')
  })

  it('F23 gets no for a request of its own, and the call goes on', async () => {
    const answer = await gateway.rpc('tools/call', { name: 'ask', arguments: {} }, path(name))
    expect(answer.text).not.toContain('sampling')
    if (name.endsWith('sse')) {
      expect(answer.body.result.content[0].text).toBe('asked')
      await eventually(1_000, () =>
        expect(server(name).seen.some(({ body }) => body.includes('-32601') && body.includes('"q1"'))).toBe(
          true,
        ),
      )
    }
  })
})

describe('progress', () => {
  it.each(names.filter((name) => name.endsWith('sse')))(
    'of %s reaches the caller before the answer',
    async (name) => {
      const params = { name: 'slow', arguments: { ms: 60 }, _meta: { progressToken: 7 } }
      const { text } = await gateway.rpc('tools/call', params, path(name))
      const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data))
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
  const open = async (name: string): Promise<Socket> => {
    const params = { name: 'slow', arguments: { ms: 9_000 }, _meta: { progressToken: 1 } }
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
    const { hostname, port } = new URL(gateway.url)
    const socket = connect(Number(port), hostname).on('error', () => undefined)
    const started = server(name).calls('tools/call').length
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
    await eventually(2_000, () => expect(server(name).calls('tools/call').length).toBe(started + 1))
    return socket
  }

  // Plain workerd notices a reset at once, a mere end of the connection at its next write; the edge notices both.
  it.each(names)('F39 a caller that goes away lets go of %s within a second', async (name) => {
    const before = server(name).brokenOff
    const socket = await open(name)
    socket.resetAndDestroy()
    await eventually(1_000, () => expect(server(name).brokenOff).toBe(before + 1))
  })
})

describe('upstream sessions', () => {
  const call = (text = 'x') =>
    gateway.rpc('tools/call', { name: 'echo', arguments: { text } }, path('stateful'))

  it('are opened once and kept', async () => {
    await call()
    const opened = server('stateful').calls('initialize').length
    for (let at = 0; at < 5; at++) await call()
    expect(server('stateful').calls('initialize').length).toBe(opened)
  })

  it('F22 are opened anew when the upstream has forgotten them, and the call is sent once more', async () => {
    await call()
    server('stateful').forgetSessions()
    const answer = await call('again')
    expect(answer.body.result.content[0].text).toBe('again')
  })

  it('carry ids of their own, so that callers with the same ids never meet', async () => {
    const ids = server('stateful')
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
  const call = (headers = {}) =>
    gateway.rpc('tools/call', { name: 'echo', arguments: { text: 'x' } }, { ...path('legacy'), headers })
  const error = async (headers = {}) => {
    const { status, body } = await call(headers)
    expect(status).toBe(200)
    expect(body.id).toBe(1)
    expect(body.error.message).toContain("'legacy'")
    return body.error
  }
  const reply = (status: number, text: string, headers = {}) => {
    server('legacy').dial.set('tools/call', (_, response) =>
      end(response, status, text, { 'content-type': 'application/json', ...headers }),
    )
  }
  const good = `{"jsonrpc":"2.0","id":1,"result":${textResult('x')}}`

  it('F01 refuses the connection', async () => {
    await server('legacy').stop()
    expect(await error()).toMatchObject({ code: -31501, data: { upstream: 'legacy' } })
    await server('legacy').start()
  })
  it.each([
    ['F07', 500, 'secret stack', {}, -31502],
    ['F08', 503, '', { 'retry-after': '7' }, -31502],
    ['F09', 429, '', { 'retry-after': '7' }, -31530],
    ['F11', 401, '', { 'www-authenticate': 'Bearer secret' }, -31511],
    ['F12', 302, '', { location: 'http://127.0.0.1:1/' }, -31502],
    ['F13', 200, '<html>', { 'content-type': 'text/html' }, -31502],
    ['F14', 200, good.slice(0, -9), {}, -31502],
    ['F15', 200, good.replace('"id":1', '"id":2'), {}, -31502],
    ['F15', 200, good.replace('"id":1', '"id":"1"'), {}, -31502],
    ['no JSON-RPC', 200, '[]', {}, -31502],
    ['neither result nor error', 200, '{"jsonrpc":"2.0","id":1}', {}, -31502],
  ])('%s %i is told in-band with its own code', async (_, status, text, headers, code) => {
    reply(status, text, headers)
    const told = await error()
    expect(told.code).toBe(code)
    expect(JSON.stringify(told)).not.toContain('secret')
    if (code === -31530) expect(told.data).toEqual({ upstream: 'legacy', retryAfterMs: 7_000 })
  })
  it('F03 F04 never answers, or stalls half-way: the timeout of the service holds', async () => {
    await gateway.manage('PUT', '/api/v1/servers/legacy', { timeoutMs: 300 })
    server('legacy').dial.set('tools/call', () => undefined)
    expect(await error()).toMatchObject({ code: -31504, data: { upstream: 'legacy', afterMs: 300 } })
    server('legacy').dial.set('tools/call', (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write('{"jsonrpc"')
    })
    expect(await error()).toMatchObject({ code: -31504 })
    await gateway.manage('PUT', '/api/v1/servers/legacy', { timeoutMs: 30_000 })
  })
  it('F21 breaks off in the middle', async () => {
    server('legacy').dial.set('tools/call', (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
      response.write('{"jsonrpc"', () => response.destroy())
    })
    expect(await error()).toMatchObject({ code: -31502 })
  })
  it.each([
    ['F16 two answers', `data: ${good}\n\ndata: ${good.replace('"x"', '"y"')}\n\n`, 'x'],
    ['F17 no answer', ': nothing\n\n', -31502],
    [
      'S44 an answer to somebody else first',
      `data: ${good.replace('"id":1', '"id":9')}\n\ndata: ${good}\n\n`,
      'x',
    ],
    ['junk first', `data: {{{\n\ndata: ${good}\n\n`, 'x'],
    ['F18 an event of 2 MiB', `data: ${'x'.repeat(2_097_152)}`, -31513],
  ])('%s on a stream', async (_, text, expected) => {
    server('legacy').dial.set('tools/call', (__, response) =>
      end(response, 200, text, { 'content-type': 'text/event-stream' }),
    )
    for (const accept of ['application/json, text/event-stream', 'application/json']) {
      const { body } = await call({ accept })
      expect(body.id).toBe(1)
      expect(body.error?.code ?? body.result.content[0].text).toBe(expected)
    }
  })
  it('F19 F20 an answer of more than 8 MiB, declared or not', async () => {
    for (const declared of [true, false]) {
      server('legacy').dial.set('tools/call', (_, response) => {
        response.writeHead(200, {
          'content-type': 'application/json',
          ...(declared ? { 'content-length': String(9 << 20) } : {}),
        })
        response.on('error', () => undefined)
        response.end('x'.repeat(9 << 20))
      })
      expect(await error()).toMatchObject({ code: -31513, data: { limitBytes: 8_388_608 } })
    }
  })
  it('large answers arrive whole', async () => {
    server('legacy').dial.clear()
    for (const bytes of [70_000, 1_048_576, 8_000_000]) {
      const { body } = await gateway.rpc('tools/call', { name: 'big', arguments: { bytes } }, path('legacy'))
      expect(body.result.content[0].text.length).toBe(bytes)
    }
  })
})
