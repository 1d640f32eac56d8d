/** What a page of somebody else can do with the browser of a user (S32–S34). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CALL, expectEcho, expectError, HEADERS, openYard, send, type Yard } from '../support/base.ts'
import { API_KEY, type Gateway } from '../support/gateway.ts'
import { exchange } from '../support/wire.ts'

const EVIL = 'https://evil.example'
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

let yard: Yard
let listed: Gateway
beforeAll(async () => {
  yard = await openYard()
  listed = await yard.stack.gateway({ ALLOWED_HOSTS: 'Gateway.example, local.example:*, exact.example:8787' })
})
afterAll(() => yard.close())

/** As a browser asks that was told that the name of a page leads here. */
const askAs = (host: string, path = '/mcp', method = 'POST', gateway = listed) =>
  exchange(gateway.url, {
    method,
    path,
    headers: { ...HEADERS, 'x-api-key': API_KEY, host },
    body: utf8(JSON.stringify(CALL)),
  })

describe('where hosts are listed, a request to another name', () => {
  it.each([
    ['POST', '/mcp'],
    ['GET', '/mcp'],
    ['OPTIONS', '/mcp'],
    ['POST', '/mcp/fixture'],
    ['GET', '/api/v1/servers'],
    ['POST', '/register'],
    ['DELETE', '/api/v1/servers/fixture'],
    ['GET', '/sse'],
    ['GET', '/nothing'],
  ])('S32 is refused: %s %s', async (method, path) => {
    const before = yard.upstream.requests.length
    const answer = await askAs('evil.example', path, method)
    expect(answer.status).toBe(403)
    expect(JSON.parse(answer.text).error).toEqual({ code: -31403, message: 'Host not allowed' })
    expect(yard.upstream.requests.length).toBe(before)
  })

  it.each([
    'gateway.example.evil.example',
    'evil.example:8787',
    'exact.example',
    'exact.example:8788',
    'gateway.example:80',
    'gateway.example.',
  ])('S32 is refused by the name %s', async (host) => expect((await askAs(host)).status).toBe(403))

  it.each(['gateway.example', 'GATEWAY.EXAMPLE', 'local.example:1', 'local.example', 'exact.example:8787'])(
    'S32 passes by the name %s, which is listed',
    async (host) => expect((await askAs(host)).status).toBe(200),
  )

  it('S32 passes to the health of the gateway, which is looked at by address', async () =>
    expect((await askAs('10.0.0.1', '/health', 'GET')).status).toBe(200))
})

it('S32 where none are listed every name passes, and a foreign origin does not', async () => {
  expect((await askAs('any.example', '/mcp', 'POST', yard.gateway)).status).toBe(200)
  const answer = await send(yard.gateway, { headers: { origin: EVIL } })
  expectError(answer, 403, -31403, 'Origin not allowed')
})

describe('a simple request, for which a browser asks nobody', () => {
  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', undefined])(
    'S33 with a body of %s does nothing',
    async (type) => {
      const before = yard.upstream.requests.length
      const raw = Uint8Array.from(utf8(JSON.stringify(CALL)))
      const answer = await send(yard.gateway, { headers: { 'content-type': type }, raw })
      expectError(answer, 415, -31415, 'Unsupported media type')
      expect(yard.upstream.requests.length).toBe(before)
    },
  )

  it('S33 brings no credential along that counts: cookies are not read', async () => {
    const headers = { ...HEADERS, cookie: `token=${HEADERS.authorization}`, authorization: '' }
    const body = JSON.stringify(CALL)
    expect((await yard.gateway.fetch('/mcp', { method: 'POST', headers, body })).status).toBe(401)
  })
})

describe('an answer', () => {
  const originOf = async (path: string, method: string, origin: string): Promise<(string | null)[]> => {
    const init = { method, headers: { ...HEADERS, 'x-api-key': API_KEY, origin } }
    const { headers } = await yard.gateway.fetch(path, method === 'GET' ? init : { ...init, body: '{}' })
    return ['origin', 'credentials'].map((name) => headers.get(`access-control-allow-${name}`))
  }

  it.each(['/mcp', '/api/v1/servers', '/health', '/services', '/nothing'])(
    'S34 of %s can be read by no other origin, with credentials or without',
    async (path) => {
      for (const method of ['GET', 'POST', 'OPTIONS', 'PUT'])
        for (const origin of [EVIL, 'null', 'https://ok.example.evil.example'])
          expect(await originOf(path, method, origin)).toEqual([null, null])
    },
  )

  it('S34 can be read by an origin that is allowed, exactly and without credentials', async () => {
    expectEcho(await send(yard.gateway, { headers: { origin: 'https://ok.example' } }))
    for (const path of ['/mcp', '/api/v1/servers'])
      expect(await originOf(path, 'OPTIONS', 'https://ok.example')).toEqual(['https://ok.example', null])
  })
})
