/** Content type, Accept and size: what is refused before the body is read. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CALL, expectEcho, expectError, HEADERS, META, openYard, send, type Yard } from '../support/base.ts'
import { API_KEY } from '../support/gateway.ts'
import { sendRaw } from '../support/wire.ts'

const LIMIT = 1_048_576

let yard: Yard
beforeAll(async () => {
  yard = await openYard()
})
afterAll(() => yard.close())

it.each([
  ['B13', undefined],
  ['B14', 'text/plain'],
  ['B14', 'application/jsonx'],
  ['B15', 'application/json; charset=utf-16'],
])('%s the content type %s is refused', async (_, type) => {
  const raw = Uint8Array.from(new TextEncoder().encode(JSON.stringify(CALL)))
  const answer = await send(yard.gateway, { headers: { 'content-type': type }, raw })
  expectError(answer, 415, -31415, 'Unsupported media type')
})
it('B16 Application/JSON;Charset=UTF-8 passes', async () =>
  expectEcho(await send(yard.gateway, { headers: { 'content-type': 'Application/JSON;Charset=UTF-8' } })))
it('B17 an encoded body is refused', async () => {
  const answer = await send(yard.gateway, { headers: { 'content-encoding': 'gzip' } })
  expectError(answer, 415, -31415, 'Unsupported media type')
})

it('B18 Accept: text/html is refused', async () =>
  expectError(await send(yard.gateway, { headers: { accept: 'text/html' } }), 406, -31406, 'Not acceptable'))
it.each([
  ['B19', undefined],
  ['B19', '*/*'],
  ['B20', 'application/json'],
  ['B20', 'text/event-stream'],
  ['B20', 'application/json, text/event-stream;q=0.5'],
])('%s Accept: %s passes', async (_, accept) => expectEcho(await send(yard.gateway, { headers: { accept } })))
it('B20 who accepts JSON only is answered as JSON', async () => {
  const answer = await send(yard.gateway, { headers: { accept: 'application/json' } })
  expect(answer.headers.get('content-type')).toBe('application/json')
})
it('B21 a subscription is a stream, so who takes none is refused', async () => {
  const body = {
    ...CALL,
    method: 'subscriptions/listen',
    params: { notifications: { toolsListChanged: true }, _meta: META },
  }
  const headers = { accept: 'application/json', 'mcp-method': body.method, 'mcp-name': undefined }
  expectError(await send(yard.gateway, { headers, body }), 406, -31406, 'Not acceptable', 1)
})

const post = (path: string, headers: Record<string, string>, pieces?: Iterable<string>) =>
  sendRaw(yard.gateway.url, `POST ${path}`, { ...HEADERS, 'x-api-key': API_KEY, ...headers }, pieces)
const TOO_LARGE = /^HTTP\/1\.1 413 [^]*("code":-31413,"message":"Request body too large"|"code":"too_large")/
const PATHS = ['/mcp', '/api/v1/servers']
it.each(PATHS)(
  'B22 a declared length over 1 MiB is refused before any of the body has come to %s',
  async (path) => {
    expect(await post(path, { 'content-length': String(LIMIT + 1) })).toMatch(TOO_LARGE)
  },
)
it.each(PATHS)('B23 a body without end is read to 1 MiB and no further by %s', async (path) => {
  const CHUNK = `10000\r\n${' '.repeat(65_536)}\r\n`
  // Its end never comes; what is more than the gateway reads could cost the client its answer.
  const oneTooMany = Array.from({ length: 17 }, () => CHUNK)
  expect(await post(path, { 'transfer-encoding': 'chunked' }, oneTooMany)).toMatch(TOO_LARGE)
})
/** The sizes about which the pieces change that a body is read in. */
const SIZES = [16_383, 16_384, 16_385, 32_769, 32_770, 32_771, 65_540, 131_079, 600_000]
it.each(SIZES)('B22 a body of %s bytes is read as it was sent, whatever it comes in', async (size) => {
  const whole = (text: string) => ({ ...CALL, params: { ...CALL.params, arguments: { text } } })
  const marks = Array.from({ length: size / 6 + 1 }, (_, at) => String(at).padStart(6, '0')).join('')
  const text = marks.slice(0, size - JSON.stringify(whole('')).length)
  const body = JSON.stringify(whole(text))
  expect(body.length).toBe(size)
  for (const bytes of [body, new Blob([body]).stream()]) {
    const init = { method: 'POST', headers: HEADERS, body: bytes, duplex: 'half' }
    const answer = await yard.gateway.fetch('/mcp', init as RequestInit)
    expect(answer.body.result.content).toEqual([{ type: 'text', text }])
  }
})

/** A client that still writes may find the connection closed before it reads why: it asks again. */
async function heard<T>(send: () => Promise<T>, tries = 5): Promise<T> {
  try {
    return await send()
  } catch (error) {
    if (tries === 1) throw error
    return await heard(send, tries - 1)
  }
}

it.each([
  ['B22', (text: string) => text],
  ['B23', (text: string) => new Blob([text]).stream()],
])('%s exactly 1 MiB passes, one byte more does not', async (_, bodyOf) => {
  const post = (text: string) =>
    yard.gateway.fetch('/mcp', {
      method: 'POST',
      headers: HEADERS,
      body: bodyOf(text),
      duplex: 'half',
    } as RequestInit)
  const call = JSON.stringify(CALL)
  expectEcho(await post(call + ' '.repeat(LIMIT - call.length)))
  const tooLarge = call + ' '.repeat(LIMIT + 1 - call.length)
  expectError(await heard(() => post(tooLarge)), 413, -31413, 'Request body too large')
})
