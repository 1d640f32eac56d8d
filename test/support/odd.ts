/** Requests that are odd in some way: valid ones with faults put in, and what was never one. */
import fc from 'fast-check'
import { CAPABILITIES_KEY, HEADERS, META } from './base.ts'
import { coat, edit, oddValue } from './odd-text.ts'
import type { WireRequest } from './wire.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

const CAPABLE = { ...META, [CAPABILITIES_KEY]: { roots: {}, elicitation: {}, sampling: {} } }
const NAMES = {
  'tools/call': { name: 'echo', arguments: { text: 'hi', n: 1 } },
  'tools/list': {},
  'prompts/get': { name: 'greet', arguments: {} },
  'resources/read': { uri: 'test://one' },
  'resources/templates/list': { cursor: 'x' },
  'completion/complete': { ref: { type: 'ref/prompt', name: 'greet' }, argument: { name: 'a', value: '' } },
  'tasks/get': { taskId: 'x' },
  'subscriptions/listen': {
    notifications: { toolsListChanged: true, resourceSubscriptions: ['test://one'] },
  },
  'server/discover': {},
  initialize: {
    protocolVersion: '2025-11-25',
    capabilities: { roots: {} },
    clientInfo: { name: 'c', version: '1' },
  },
  ping: {},
  'logging/setLevel': { level: 'info' },
  'resources/subscribe': { uri: 'test://one' },
  'tasks/list': {},
  'notifications/cancelled': { requestId: 1 },
  'notifications/initialized': {},
} as const

/** A message in place of which faults are put; its headers agree with it. */
type Base = { readonly headers: Readonly<Record<string, string>>; readonly message: unknown }

const methods = Object.entries(NAMES)
const messageOf = (method: string, params: object) => ({
  jsonrpc: '2.0',
  ...(method.startsWith('notifications/') ? {} : { id: 7 }),
  method,
  params,
})
const { 'mcp-method': _m, 'mcp-name': _n, 'mcp-protocol-version': _v, ...PLAIN } = HEADERS
const modern: Base[] = methods.map(([method, params]) => ({
  headers: {
    ...HEADERS,
    'mcp-method': method,
    'mcp-name': 'name' in params ? params.name : 'uri' in params ? params.uri : 'x',
  },
  message: messageOf(method, { ...params, _meta: CAPABLE }),
}))
const legacy: Base[] = methods.map(([method, params]) => ({
  headers: { ...PLAIN, 'mcp-protocol-version': '2025-11-25' },
  message: messageOf(method, params),
}))
const others: Base[] = [
  { headers: PLAIN, message: methods.map(([method, params]) => messageOf(method, params)) },
  { headers: PLAIN, message: { jsonrpc: '2.0', id: 'x', result: { roots: [] } } },
]
export const BASES: readonly Base[] = [...modern, ...legacy, ...others]

const ODD_HEADERS = [
  '',
  ' ',
  'x',
  'null',
  '0',
  '-1',
  '2026-07-28',
  '2025-11-25',
  '2025-03-26',
  '1900-01-01',
  'tools/call',
  'TOOLS/LIST',
  '=?base64?%%?=',
  '=?base64?7a+/?=',
  '=?base64?',
  'application/json',
  'application/json;charset="',
  'text/event-stream',
  '*/*',
  'text/html;q=',
  'Bearer',
  'Bearer a b',
  'u',
  'u====',
  'g1',
  'g-1',
  'g99999999999999999999',
  '\xff\xfe',
  'a'.repeat(9_000),
]
const HEADER_NAMES = [
  'content-type',
  'accept',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
  'mcp-param-region',
  'mcp-session-id',
  'last-event-id',
  'authorization',
  'x-api-key',
  'origin',
  'content-encoding',
  'traceparent',
  'cookie',
  'expect-ct',
]
const headerValue = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...ODD_HEADERS) },
  {
    weight: 1,
    arbitrary: fc.string({ maxLength: 60 }).map((text) => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '')),
  },
)
export const headerEdits: fc.Arbitrary<Record<string, string | undefined>> = fc.dictionary(
  fc.constantFrom(...HEADER_NAMES),
  fc.option(headerValue, { nil: undefined }),
  { maxKeys: 3 },
)

export const withEdits = (
  headers: Readonly<Record<string, string>>,
  edits: Readonly<Record<string, string | undefined>>,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ ...headers, ...edits }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  )

export const PATHS = ['/mcp', '/mcp', '/mcp', '/mcp/fixture', '/mcp?names=prefixed', '/mcp/nope'] as const

/** A valid message with up to four faults, in its body or its headers. */
export const spoiledRequest: fc.Arbitrary<WireRequest> = fc
  .record({
    base: fc.constantFrom(...BASES),
    edits: fc.array(edit, { maxLength: 3 }),
    coat,
    headers: fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: headerEdits }),
    path: fc.constantFrom(...PATHS),
  })
  .map(({ base, edits, coat: wrap, headers, path }) => ({
    method: 'POST',
    path,
    headers: withEdits(base.headers, headers),
    body: wrap(utf8(edits.reduce((text, change) => change(text), JSON.stringify(base.message)))),
  }))

/** Bytes that nobody meant as a message, under the headers of one. */
export const randomRequest: fc.Arbitrary<WireRequest> = fc
  .record({
    base: fc.constantFrom(...BASES),
    body: fc.oneof(
      fc.uint8Array({ maxLength: 3_000 }),
      fc.json({ maxDepth: 8 }).map(utf8),
      oddValue.map(utf8),
      fc.string({ unit: 'binary', maxLength: 300 }).map(utf8),
    ),
    headers: headerEdits,
    path: fc.constantFrom(...PATHS),
  })
  .map(({ base, body, headers, path }) => ({
    method: 'POST',
    path,
    body,
    headers: withEdits(base.headers, headers),
  }))
