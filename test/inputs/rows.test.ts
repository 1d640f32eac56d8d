/** Rows B01–B103 of reliability.md that concern the methods served so far: one fault each, the exact answer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { API_KEY, type Answer, type Gateway, TOKEN } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let stack: Stack
let gateway: Gateway
let upstream: Upstream

beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  upstream = await startUpstream({ era: 'both', tools: [MIRRORED, ...SPOILED] })
  expect((await gateway.register('fixture', upstream.url)).status).toBe(201)
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})

const mark = (name: unknown, type = 'string') => ({ type, 'x-mcp-header': name })
const tool = (name: string, properties: object, rest: object = {}) =>
  JSON.stringify({ name, inputSchema: { type: 'object', properties, ...rest } })
const MIRRORED = tool('mirrored', {
  region: mark('Region'),
  n: mark('N', 'integer'),
  deep: { type: 'object', properties: { flag: mark('Flag', 'boolean') } },
})
const SPOILED = [
  tool('spoiled-empty', { a: mark('') }),
  tool('spoiled-twice', { a: mark('X'), b: mark('x') }),
  tool('spoiled-break', { a: mark('X\r\nEvil: 1') }),
  tool('spoiled-number', { a: mark('X', 'number') }),
  tool('spoiled-items', { a: { type: 'array', items: mark('X') } }),
  tool('spoiled-ref', { a: { $ref: '#/$defs/a' } }, { $defs: { a: mark('X') } }),
]

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
}
const HEADERS = {
  authorization: `Bearer ${TOKEN}`,
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
  'mcp-name': 'echo',
}
const CALL = {
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'echo', arguments: { text: 'hi' }, _meta: META },
}

type Change = {
  headers?: Record<string, string | undefined>
  body?: unknown
  raw?: string | Uint8Array<ArrayBuffer>
  params?: object
}

function send({ headers = {}, body, raw, params }: Change): Promise<Answer> {
  const all = Object.entries({ ...HEADERS, ...headers }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  const message = body ?? (params ? { ...CALL, params: { ...CALL.params, ...params } } : CALL)
  return gateway.fetch('/mcp', {
    method: 'POST',
    headers: Object.fromEntries(all),
    body: raw ?? JSON.stringify(message),
  })
}

/** Expects exactly this error; `id`: `undefined` means that the member is left out. */
function expectError(
  answer: Answer,
  status: number,
  code: number,
  message: string | RegExp,
  id?: string | number,
): void {
  expect(answer.body).toMatchObject({ jsonrpc: '2.0', error: { code } })
  if (typeof message === 'string') expect(answer.body.error.message).toBe(message)
  else expect(answer.body.error.message).toMatch(message)
  expect(answer.status).toBe(status)
  expect(answer.body.id).toBe(id)
  expect(answer.headers.get('content-type')).toBe('application/json')
  expect(answer.headers.get('cache-control')).toBe('no-store')
}

const text = 'hi'
function expectEcho(answer: Answer): void {
  expect(answer.status).toBe(200)
  expect(answer.body.result.content[0].text).toBe(text)
  expect(answer.body.id).toBe(1)
}

describe('HTTP', () => {
  it.each(['GET', 'DELETE', 'PUT', 'PATCH'])('B01-B03 %s is not allowed', async (method) => {
    const answer = await gateway.fetch('/mcp', { method, headers: { ...HEADERS, 'mcp-session-id': 'x' } })
    expectError(answer, 405, -31405, 'Method not allowed')
    expect(answer.headers.get('allow')).toBe('POST, OPTIONS')
    expect(answer.headers.has('mcp-session-id')).toBe(false)
  })
  it('B04 HEAD has no body', async () => {
    const answer = await gateway.fetch('/mcp', { method: 'HEAD', headers: HEADERS })
    expect([answer.status, answer.text]).toEqual([405, ''])
  })
  it.each(['/nope', '/mcp/', '/mcp/unknown-service', '/mcp/a/b'])(
    'B05 B06 POST %s is no endpoint',
    async (path) => {
      const answer = await gateway.post(JSON.stringify(CALL), { path, headers: HEADERS })
      expect([answer.status, answer.body]).toEqual([404, { error: 'not_found' }])
    },
  )
  it('B07 OPTIONS reflects an allowed origin exactly', async () => {
    const answer = await gateway.fetch('/mcp', {
      method: 'OPTIONS',
      headers: { origin: 'https://ok.example' },
    })
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([
      204,
      'https://ok.example',
    ])
  })
  it('B08 OPTIONS refuses another origin', async () => {
    const answer = await gateway.fetch('/mcp', {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example' },
    })
    expectError(answer, 403, -31403, 'Origin not allowed')
    expect(answer.headers.has('access-control-allow-origin')).toBe(false)
  })
  it.each([
    'https://evil.example',
    'null',
    'https://ok.example, https://evil.example',
    'https://ok.example.evil.example',
  ])('B09-B11 origin %s is refused', async (origin) =>
    expectError(await send({ headers: { origin } }), 403, -31403, 'Origin not allowed'),
  )
  it('B12 an allowed origin passes and may read the answer', async () => {
    const answer = await send({ headers: { origin: 'https://ok.example' } })
    expectEcho(answer)
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://ok.example')
  })
  it.each([undefined, 'text/plain', 'application/json; charset=utf-16', 'application/jsonx'])(
    'B13-B15 content type %s is refused',
    async (type) => {
      const raw = Uint8Array.from(new TextEncoder().encode(JSON.stringify(CALL)))
      expectError(
        await send({ headers: { 'content-type': type }, raw }),
        415,
        -31415,
        'Unsupported media type',
      )
    },
  )
  it('B16 Application/JSON;Charset=UTF-8 passes', async () =>
    expectEcho(await send({ headers: { 'content-type': 'Application/JSON;Charset=UTF-8' } })))
  it('B17 an encoded body is refused', async () =>
    expectError(
      await send({ headers: { 'content-encoding': 'gzip' } }),
      415,
      -31415,
      'Unsupported media type',
    ))
  it('B18 Accept: text/html is refused', async () =>
    expectError(await send({ headers: { accept: 'text/html' } }), 406, -31406, 'Not acceptable'))
  it.each([
    undefined,
    '*/*',
    'application/json',
    'text/event-stream',
    'application/json, text/event-stream;q=0.5',
  ])('B19 B20 Accept: %s passes', async (accept) => expectEcho(await send({ headers: { accept } })))
  it('B22 B23 a body over 1 MiB is refused, declared or not', async () => {
    const raw = `${' '.repeat(1_048_576)}{}`
    expectError(await send({ raw }), 413, -31413, 'Request body too large')
    const stream = new Blob([raw]).stream()
    const init = { method: 'POST', headers: HEADERS, body: stream, duplex: 'half' } as RequestInit
    expectError(await gateway.fetch('/mcp', init), 413, -31413, 'Request body too large')
  })
  it('a body of exactly 1 MiB passes', async () => {
    const call = JSON.stringify(CALL)
    expectEcho(await send({ raw: call + ' '.repeat(1_048_576 - call.length) }))
  })
})

describe('credentials', () => {
  const anonymous = { ...HEADERS, authorization: undefined }
  it.each([
    ['B24 a token in the query', '/mcp?access_token=', undefined],
    ['B25 no Authorization', '/mcp', undefined],
    ['B26 Basic', '/mcp', 'Basic YTpi'],
  ])('%s counts as none', async (_, path, authorization) => {
    const headers = { ...HEADERS, authorization: authorization ?? '' }
    if (authorization === undefined) Reflect.deleteProperty(headers, 'authorization')
    const url = path.endsWith('=') ? `${path}${TOKEN}` : path
    const answer = await gateway.fetch(url, { method: 'POST', headers, body: JSON.stringify(CALL) })
    expect(answer.status).toBe(401)
    expect(answer.body).toEqual({ error: 'unauthorized', error_description: 'Bearer token required' })
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer /)
    expect(answer.headers.get('www-authenticate')).not.toContain('error=')
  })
  it.each([
    ['B27 an empty bearer', 'Bearer '],
    ['B27 two tokens', `Bearer ${TOKEN} ${TOKEN}`],
    ['B28 a wrong token', 'Bearer wrong'],
    ['a token with one more character', `Bearer ${TOKEN}x`],
    ['B36 16 KB of it', `Bearer ${'a'.repeat(16_000)}`],
  ])('%s is invalid, whatever is wrong with it', async (_, authorization) => {
    const answer = await send({ headers: { authorization } })
    expect(answer.status).toBe(401)
    expect(answer.text).toBe('{"error":"invalid_token","error_description":"The access token is invalid"}')
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"')
  })
  it('the API key opens the endpoint as well', async () =>
    expectEcho(await send({ headers: { ...anonymous, 'x-api-key': API_KEY } })))
  it('S18 MCP_AUTH=open admits anonymous callers and still refuses a wrong credential', async () => {
    const open = await stack.gateway({ MCP_AUTH: 'open' })
    const headers = { 'content-type': 'application/json' }
    const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
    expect((await open.fetch('/mcp', { method: 'POST', headers, body })).status).toBe(200)
    const wrong = { ...headers, authorization: 'Bearer wrong' }
    expect((await open.fetch('/mcp', { method: 'POST', headers: wrong, body })).status).toBe(401)
    expect((await open.fetch('/api/v1/servers', { headers })).status).toBe(401)
  })
})

describe('bytes and JSON', () => {
  const bytes = (...parts: (string | number[])[]): Uint8Array<ArrayBuffer> =>
    new Uint8Array(
      parts.flatMap((part) => (typeof part === 'string' ? [...new TextEncoder().encode(part)] : part)),
    )
  it.each([
    ['B37 nothing', ''],
    ['B38 a brace', '{'],
    ['B39 two values', `${JSON.stringify(CALL)}{}`],
    ['B40 invalid UTF-8', bytes('{"jsonrpc":"2.0","id":1,"method":"ping","x":"', [0xff], '"}')],
    ['B41 UTF-16', Uint8Array.from(Buffer.from(JSON.stringify(CALL), 'utf16le'))],
    ['B43 NaN', '{"jsonrpc":"2.0","id":NaN,"method":"ping"}'],
    ['B43 single quotes', "{'jsonrpc':'2.0'}"],
    ['B43 a comment', `/* */${JSON.stringify(CALL)}`],
  ] as [string, string | Uint8Array<ArrayBuffer>][])('%s is a parse error', async (_, raw) =>
    expectError(await send({ raw }), 400, -32700, 'Parse error'),
  )
  it('B42 a byte order mark passes', async () =>
    expectEcho(await send({ raw: bytes([0xef, 0xbb, 0xbf], JSON.stringify(CALL)) })))
  it.each([
    ['B44', 65],
    ['B45', 200_000],
  ])('%s depth %i is too deep', async (_, depth) => {
    const nested = `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
    expectError(await send({ raw: nested }), 400, -32600, 'Invalid request: too deeply nested')
  })
  it('B46 20,001 values are too many', async () => {
    const raw = `{"a":[${'1,'.repeat(20_000)}1]}`
    expectError(await send({ raw }), 400, -32600, 'Invalid request: too many values')
  })
})

describe('shape', () => {
  const ID = 'Invalid request: id must be a string or integer'
  it.each([
    ['B47', null, 'Invalid request', undefined],
    ['B47', 7, 'Invalid request', undefined],
    ['B47', 'x', 'Invalid request', undefined],
    ['B48', [], 'Invalid request: batches are not supported', undefined],
    ['B49', [CALL], 'Invalid request: batches are not supported', undefined],
    ['B50', { ...CALL, jsonrpc: undefined }, 'Invalid request', 1],
    ['B50', { ...CALL, jsonrpc: '1.0' }, 'Invalid request', 1],
    ['B50', { ...CALL, jsonrpc: 2 }, 'Invalid request', 1],
    ['B51', { ...CALL, method: undefined }, 'Invalid request', undefined],
    ['B52', { ...CALL, method: 5 }, 'Invalid request', undefined],
    ['B53', { ...CALL, method: '' }, 'Invalid request', undefined],
    ['B54', { ...CALL, id: null }, ID, undefined],
    ['B55', { ...CALL, id: 1.5 }, ID, undefined],
    ['B55', { ...CALL, id: true }, ID, undefined],
    ['B55', { ...CALL, id: {} }, ID, undefined],
    ['B57', { ...CALL, id: 'x'.repeat(257) }, ID, undefined],
    ['B60', { jsonrpc: '2.0', id: 1, result: {} }, 'Invalid request: responses are not accepted', undefined],
  ])('%s %j', async (_, body, message, id) =>
    expectError(await send({ raw: JSON.stringify(body) }), 400, -32600, message, id),
  )
  it('B56 an id that cannot be echoed faithfully', async () =>
    expectError(
      await send({ raw: '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}' }),
      400,
      -32600,
      ID,
    ))
  it.each([0, -1, '', 'ü"\\'])('B58 id %j is echoed with its type', async (id) => {
    const answer = await send({ body: { ...CALL, id } })
    expect([answer.status, answer.body.id]).toEqual([200, id])
  })
  it('B59 params must be an object', async () =>
    expectError(
      await send({ body: { ...CALL, params: [] } }),
      400,
      -32602,
      'Invalid params: expected an object',
      1,
    ))
  it('B61 an unknown notification is dropped', async () => {
    const headers = { 'mcp-method': 'notifications/odd', 'mcp-name': undefined }
    const answer = await send({ headers, body: { jsonrpc: '2.0', method: 'notifications/odd' } })
    expect([answer.status, answer.text]).toEqual([202, ''])
  })
  it('B62 a notification whose header disagrees', async () => {
    const answer = await send({ body: { jsonrpc: '2.0', method: 'notifications/odd' } })
    expectError(answer, 400, -32020, /^Header mismatch: Mcp-Method header value 'tools\/call'/)
  })
  it('B63 of two methods the last wins, and the upstream sees one', async () => {
    const raw = JSON.stringify(CALL).replace('"method"', '"method":"tools/list","method"')
    expectEcho(await send({ raw }))
    const twice = JSON.stringify(CALL).replace('"name":"echo"', '"name":"fail","name":"echo"')
    expectEcho(await send({ raw: twice }))
    expect(upstream.calls('tools/call').at(-1)?.body).not.toContain('fail')
  })
  it('B64 S60 a __proto__ member is plain data', async () => {
    const raw = JSON.stringify(CALL).replace('"text":"hi"', '"text":"hi","__proto__":{"admin":true}')
    expectEcho(await send({ raw }))
    expect(upstream.calls('tools/call').at(-1)?.body).toContain('"__proto__":{"admin":true}')
  })
})

describe('era and headers', () => {
  const meta = (change: object) => ({ params: { _meta: { ...META, ...change } } })
  const version = 'io.modelcontextprotocol/protocolVersion'
  const capabilities = 'io.modelcontextprotocol/clientCapabilities'
  it.each<[string, Change, string, number]>([
    ['B65', { params: { _meta: undefined } }, 'Invalid params: missing _meta', -32602],
    ['B66', meta({ [capabilities]: undefined }), `Invalid params: missing _meta ${capabilities}`, -32602],
    ['B67', meta({ [version]: 20_260_728 }), `Invalid params: _meta ${version} must be a string`, -32602],
    [
      'B69',
      meta({ [version]: '2025-11-25' }),
      "Header mismatch: MCP-Protocol-Version header value '2026-07-28' does not match body value '2025-11-25'",
      -32020,
    ],
    [
      'B71',
      { headers: { 'mcp-protocol-version': undefined } },
      'Header mismatch: MCP-Protocol-Version header is missing',
      -32020,
    ],
    [
      'B72',
      { headers: { 'mcp-method': undefined } },
      'Header mismatch: Mcp-Method header is missing',
      -32020,
    ],
    [
      'B73',
      { headers: { 'mcp-method': 'tools/list' } },
      "Header mismatch: Mcp-Method header value 'tools/list' does not match body value 'tools/call'",
      -32020,
    ],
    [
      'B74',
      { headers: { 'mcp-method': 'TOOLS/CALL' } },
      "Header mismatch: Mcp-Method header value 'TOOLS/CALL' does not match body value 'tools/call'",
      -32020,
    ],
    ['B76', { headers: { 'mcp-name': undefined } }, 'Header mismatch: Mcp-Name header is missing', -32020],
    [
      'B77',
      { headers: { 'mcp-name': 'other' } },
      "Header mismatch: Mcp-Name header value 'other' does not match body value 'echo'",
      -32020,
    ],
    [
      'B79',
      { headers: { 'mcp-name': '=?base64?%%%?=' } },
      'Header mismatch: Mcp-Name header is not valid base64',
      -32020,
    ],
  ])('%s', async (_, change, message, code) => expectError(await send(change), 400, code, message, 1))
  it('B68 no clientInfo passes', async () => expectEcho(await send({})))
  it('B70 an unknown version in both', async () => {
    const answer = await send({
      ...meta({ [version]: '1900-01-01' }),
      headers: { 'mcp-protocol-version': '1900-01-01' },
    })
    expectError(answer, 400, -32022, 'Unsupported protocol version', 1)
    expect(answer.body.error.data).toEqual({
      supported: expect.arrayContaining(['2026-07-28', '2025-11-25']),
      requested: '1900-01-01',
    })
  })
  it('B75 B78 header names in any case, values with white space around', async () =>
    expectEcho(await send({ headers: { 'mcp-name': undefined, 'MCP-NAME': '  echo ' } })))
  it('B80 the right name in base64', async () =>
    expectEcho(await send({ headers: { 'mcp-name': `=?base64?${btoa('echo')}?=` } })))
  it('B84 an undeclared Mcp-Param is ignored', async () =>
    expectEcho(await send({ headers: { 'mcp-param-x': 'y' } })))
  it('B85 session headers of another time are ignored', async () => {
    const answer = await send({ headers: { 'mcp-session-id': 'x', 'last-event-id': '7' } })
    expectEcho(answer)
    expect(answer.headers.has('mcp-session-id')).toBe(false)
  })
  it('B86 initialize is no modern method', async () => {
    const body = {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2026-07-28', capabilities: {} },
    }
    const answer = await send({ body, headers: { 'mcp-method': undefined, 'mcp-name': undefined } })
    expectError(answer, 400, -32020, 'Header mismatch: initialize is not part of 2026-07-28', 1)
  })
  it.each([
    ['2025-11-25', '2025-11-25'],
    ['2025-06-18', '2025-06-18'],
    ['2025-03-26', '2025-03-26'],
    ['2024-11-05', '2024-11-05'],
    ['2099-01-01', '2025-11-25'],
    [undefined, '2025-11-25'],
  ])('B87 B88 a legacy client that asks for %s gets %s', async (asked, given) => {
    const answer = await gateway.rpc('initialize', {
      protocolVersion: asked,
      capabilities: {},
      clientInfo: { name: 't', version: '1' },
    })
    expect(answer.body.result).toMatchObject({
      protocolVersion: given,
      serverInfo: { name: 'switchyard' },
      capabilities: { tools: {} },
    })
  })
  it('B89 a legacy call of an unknown version', async () => {
    const answer = await gateway.rpc('tools/list', undefined, {
      headers: { 'mcp-protocol-version': '1900-01-01' },
    })
    expectError(answer, 400, -32022, 'Unsupported protocol version', 1)
  })
  it.each(['ping', 'logging/setLevel', 'resources/subscribe', 'nope', 'constructor', '__proto__'])(
    'B90 B91 %s is no modern method',
    async (method) =>
      expectError(await gateway.modern(method), 404, -32601, `Method not found: ${method}`, 1),
  )
  it('B92 an unknown legacy method', async () =>
    expectError(await gateway.rpc('nope'), 200, -32601, 'Method not found: nope', 1))
})

describe('mirrored arguments', () => {
  const call = (args: object, headers: Record<string, string | undefined>) =>
    send({
      headers: { 'mcp-name': 'mirrored', 'mcp-param-region': 'eu', 'mcp-param-n': '42', ...headers },
      params: { name: 'mirrored', arguments: { text: 'hi', region: 'eu', n: 42, ...args } },
    })
  it('pass when the headers repeat them, and go on to a modern upstream', async () => {
    expectEcho(await call({ deep: { flag: true } }, { 'mcp-param-flag': 'true' }))
    const seen = upstream.calls('tools/call').at(-1)?.headers
    expect(seen).toMatchObject({ 'mcp-param-region': 'eu', 'mcp-param-n': '42', 'mcp-param-flag': 'true' })
  })
  it('B81 a declared header is missing', async () =>
    expectError(
      await call({}, { 'mcp-param-region': undefined }),
      400,
      -32020,
      'Header mismatch: Mcp-Param-Region header is missing',
      1,
    ))
  it('B82 a declared header differs', async () => {
    const message = "Header mismatch: Mcp-Param-Region header value 'us' does not match body value 'eu'"
    expectError(await call({}, { 'mcp-param-region': 'us' }), 400, -32020, message, 1)
    expectError(
      await call({ deep: { flag: true } }, { 'mcp-param-flag': 'True' }),
      400,
      -32020,
      /Mcp-Param-Flag/,
      1,
    )
  })
  it('B83 numbers are compared as numbers', async () => expectEcho(await call({}, { 'mcp-param-n': '42.0' })))
  it('an argument that is absent or null needs no header', async () =>
    expectEcho(
      await call({ region: null, n: undefined }, { 'mcp-param-region': undefined, 'mcp-param-n': undefined }),
    ))
  it('S47 what a header cannot carry travels as base64', async () => {
    const region = 'a\r\nEvil: 1 ü'
    const encoded = `=?base64?${Buffer.from(region).toString('base64')}?=`
    expectEcho(await call({ region }, { 'mcp-param-region': encoded }))
    expect(upstream.calls('tools/call').at(-1)?.headers['mcp-param-region']).toBe(encoded)
  })
  it('are sent to a modern upstream for a legacy caller, who knows nothing of them', async () => {
    const { body } = await gateway.rpc('tools/call', {
      name: 'mirrored',
      arguments: { text: 'hi', region: 'eu' },
    })
    expect(body.result.content[0].text).toBe('hi')
    expect(upstream.calls('tools/call').at(-1)?.headers['mcp-param-region']).toBe('eu')
  })
  it('S46 a tool with a bad mark is not offered to modern callers', async () => {
    const { body } = await gateway.modern('tools/list')
    const names = body.result.tools.map(({ name }: { name: string }) => name)
    expect(names).toContain('mirrored')
    expect(names.filter((name: string) => name.startsWith('spoiled'))).toEqual([])
    expect((await gateway.toolNames()).filter((name) => name.startsWith('spoiled'))).toHaveLength(
      SPOILED.length,
    )
  })
})

describe('params', () => {
  it.each([
    ['B93', { arguments: {} }, 'Invalid params: name is required'],
    ['B94', { name: 5 }, 'Invalid params: name must be a string'],
    ['B95', { name: 'nope' }, 'Unknown tool: nope'],
    ['B98', { name: 'echo', arguments: [] }, 'Invalid params: arguments must be an object'],
    [
      'B110',
      { name: 'echo', _meta: { progressToken: {} } },
      'Invalid params: progressToken must be a string or integer',
    ],
  ])('%s', async (_, params, message) =>
    expectError(await gateway.rpc('tools/call', params), 200, -32602, message, 1),
  )
  it('B97 an unknown name is echoed short and clean', async () => {
    const answer = await gateway.rpc('tools/call', { name: `a\u001b[31m\u202e${'b'.repeat(10_000)}` })
    expectError(answer, 200, -32602, `Unknown tool: a\ufffd[31m\ufffd${'b'.repeat(128 - 7)}`, 1)
  })
  it('B100 big integers reach the upstream digit for digit', async () => {
    const raw =
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"hi","n":12345678901234567890}}}'
    expectEcho(await gateway.post(raw))
    expect(upstream.calls('tools/call').at(-1)?.body).toContain(
      '"arguments":{"text":"hi","n":12345678901234567890}',
    )
  })
  it('B101 a lone surrogate goes on escaped', async () => {
    const raw =
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"hi","s":"\\ud800"}}}'
    expectEcho(await gateway.post(raw))
    expect(upstream.calls('tools/call').at(-1)?.body).toContain('"s":"\\ud800"')
  })
  it.each(['garbage', '', 5])('B102 cursor %j', async (cursor) =>
    expectError(await gateway.rpc('tools/list', { cursor }), 200, -32602, 'Invalid cursor', 1),
  )
  it('B114 of two faults the earlier rung answers', async () => {
    const evil = { origin: 'https://evil.example' }
    expectError(
      await send({ headers: { ...evil, authorization: 'Bearer x' } }),
      403,
      -31403,
      'Origin not allowed',
    )
    expect(
      (await send({ headers: { authorization: 'Bearer x', 'content-type': 'text/plain' } })).status,
    ).toBe(401)
    expect((await send({ headers: { 'content-type': 'text/plain', accept: 'text/html' } })).status).toBe(415)
    expect((await send({ headers: { accept: 'text/html' }, raw: '{' })).status).toBe(406)
    expect((await send({ params: { name: 'nope', arguments: [] } })).body.error.code).toBe(-32020)
  })
})
