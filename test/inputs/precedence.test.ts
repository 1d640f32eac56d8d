/** B114: of two faults the earlier rung answers. The pairs are made from the tables that the gateway climbs. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { BODY, ENTRY } from '../../src/protocol/door.ts'
import { LADDER } from '../../src/protocol/ladder.ts'
import {
  CAPABILITIES_KEY,
  type Change,
  headersOf,
  META,
  openYard,
  VERSION_KEY,
  type Yard,
} from '../support/base.ts'

let yard: Yard
beforeAll(async () => {
  yard = await openYard()
})
afterAll(() => yard.close())

/** One fault: the headers, members of the message, of its `params` or of its `_meta` that make it, and its answer. */
type Fault = {
  readonly httpMethod?: string
  readonly headers?: Change['headers']
  readonly message?: object
  readonly params?: object
  readonly meta?: object
  /** Instead of the whole message. */
  readonly raw?: string
  readonly answer: readonly [status: number, code: number | string, message?: string]
}

const DEEP = `{"a":${'['.repeat(64)}${']'.repeat(64)}}`
/** In the order of the checks; those named like a rung are its faults. */
const FAULTS: readonly (readonly [name: string, fault: Fault])[] = [
  ['method', { httpMethod: 'PUT', answer: [405, -31405] }],
  ['origin', { headers: { origin: 'https://evil.example' }, answer: [403, -31403] }],
  ['loop', { headers: { 'x-switchyard-hops': '4' }, answer: [508, -31508] }],
  ['caller', { headers: { authorization: 'Bearer wrong' }, answer: [401, 'invalid_token'] }],
  ['media', { headers: { 'content-type': 'text/plain' }, answer: [415, -31415] }],
  ['accept', { headers: { accept: 'text/html' }, answer: [406, -31406] }],
  ['size', { raw: ' '.repeat(1_048_577), answer: [413, -31413] }],
  ['json', { raw: '{', answer: [400, -32700] }],
  ['depth', { raw: DEEP, answer: [400, -32600, 'Invalid request: too deeply nested'] }],
  ['shape', { message: { jsonrpc: '1.0' }, answer: [400, -32600] }],
  [
    'handshake',
    {
      headers: { 'mcp-protocol-version': '2026-07-28' },
      message: { method: 'initialize' },
      meta: { [VERSION_KEY]: undefined },
      answer: [400, -32020, 'initialize is not part'],
    },
  ],
  ['envelope', { meta: { [CAPABILITIES_KEY]: 5 }, answer: [400, -32602] }],
  [
    'version header',
    { headers: { 'mcp-protocol-version': '2025-11-25' }, answer: [400, -32020, 'MCP-Protocol-Version'] },
  ],
  [
    'method header',
    { headers: { 'mcp-method': 'tools/list' }, answer: [400, -32020, 'Mcp-Method header value'] },
  ],
  [
    'version',
    {
      headers: { 'mcp-protocol-version': '1900-01-01' },
      meta: { [VERSION_KEY]: '1900-01-01' },
      answer: [400, -32022],
    },
  ],
  [
    'headers present',
    {
      message: { method: 'tools/call' },
      headers: { 'mcp-name': undefined },
      answer: [400, -32020, 'Mcp-Name header is missing'],
    },
  ],
  [
    'name header',
    {
      message: { method: 'tools/call' },
      headers: { 'mcp-name': 'other' },
      answer: [400, -32020, 'Mcp-Name header value'],
    },
  ],
  ['method', { message: { method: 'nope' }, headers: { 'mcp-method': 'nope' }, answer: [404, -32601] }],
  ['params', { params: { arguments: [] }, answer: [200, -32602, 'arguments'] }],
  [
    'name',
    { params: { name: 'nope' }, headers: { 'mcp-name': 'nope' }, answer: [200, -32602, 'Unknown tool'] },
  ],
]

const keysOf = ({ httpMethod, headers, message, params, meta, raw }: Fault): string[] => [
  ...(httpMethod ? ['method'] : []),
  ...(raw === undefined ? [] : ['body']),
  ...[headers, message, params, meta].flatMap((part, at) =>
    Object.keys(part ?? {}).map((key) => `${at} ${key}`),
  ),
]
const touchesBody = ({ message, params, meta, raw }: Fault): boolean =>
  [message, params, meta, raw].some((part) => part !== undefined)

/** Whether both can be wrong at once. */
function fit(a: Fault, b: Fault): boolean {
  if ((a.raw !== undefined && touchesBody(b)) || (b.raw !== undefined && touchesBody(a))) return false
  const keys = new Set(keysOf(a))
  return !keysOf(b).some((key) => keys.has(key))
}

const PAIRS = FAULTS.flatMap(([first, a], at) =>
  FAULTS.slice(at + 1).flatMap(([second, b]) => (fit(a, b) ? [[first, second, a, b] as const] : [])),
)

const send = (a: Fault, b: Fault) => {
  const meta = { ...META, ...a.meta, ...b.meta }
  const params = { name: 'echo', arguments: { text: 'hi' }, _meta: meta, ...a.params, ...b.params }
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', ...a.message, ...b.message, params }
  return yard.gateway.fetch('/mcp', {
    method: a.httpMethod ?? b.httpMethod ?? 'POST',
    headers: headersOf({ headers: { ...a.headers, ...b.headers } }),
    body: a.raw ?? b.raw ?? JSON.stringify(message),
  })
}

async function expectAnswerOf({ answer }: Fault, a: Fault, b: Fault): Promise<void> {
  const [status, code, message = ''] = answer
  const { status: given, body } = await send(a, b)
  expect([given, body.error.code ?? body.error]).toEqual([status, code])
  if (message !== '') expect(body.error.message).toContain(message)
}

it('every rung has a fault here, in its order', () => {
  const rungs = [...ENTRY, ...BODY, ...LADDER].map(({ rung }) => rung)
  const own = ['caller', 'json', 'depth', 'shape', 'name']
  expect(FAULTS.map(([name]) => name).filter((name) => !own.includes(name))).toEqual(rungs)
})
it.each(FAULTS)('B114 %s alone', async (_, fault) => expectAnswerOf(fault, fault, fault))
it('B114 there are pairs to try', () => expect(PAIRS.length).toBeGreaterThan(100))
it.each(PAIRS)('B114 %s before %s', async (_first, _second, a, b) => expectAnswerOf(a, a, b))
