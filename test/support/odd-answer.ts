/** What an upstream may answer instead of what it should: any status, any headers, any bytes, any events. */
import fc from 'fast-check'
import type { Fault } from './dial.ts'
import { coat, type Coat, edit, type Edit, oddValue } from './odd-text.ts'

/** Stands for the id of the request. */
const ID = '"@id"'
const TEXT = '{"type":"text","text":"hi"}'
/** Answers that are right for some request, in some era. */
const ANSWERS = [
  `{"jsonrpc":"2.0","id":${ID},"result":{"content":[${TEXT}]}}`,
  `{"jsonrpc":"2.0","id":${ID},"result":{"resultType":"complete","content":[${TEXT}],"_meta":{"a":1}}}`,
  `{"jsonrpc":"2.0","id":${ID},"result":{"contents":[{"uri":"test://one","text":"t"}],"ttlMs":0,"cacheScope":"public"}}`,
  `{"jsonrpc":"2.0","id":${ID},"result":{"task":{"taskId":"t","status":"working"},"tasks":[{"taskId":"t"},{"taskId":1}]}}`,
  `{"jsonrpc":"2.0","id":${ID},"result":{"resultType":"input_required","inputRequests":{"a":{"method":"roots/list","params":{}}},"requestState":"s"}}`,
  `{"jsonrpc":"2.0","id":${ID},"error":{"code":-32000,"message":"no","data":{"a":[1]}}}`,
  `{"jsonrpc":"2.0","id":${ID},"error":{"code":-32042,"message":"open","data":{"elicitations":[{"elicitationId":"e","url":"https://x"}]}}}`,
  `{"jsonrpc":"2.0","id":${ID},"error":{"code":-32021,"message":"needs","data":{"requiredCapabilities":{"roots":{}}}}}`,
  `{"jsonrpc":"2.0","error":{"code":-32002,"message":"not found"}}`,
  `{"jsonrpc":"2.0","id":${ID},"result":{"protocolVersion":"2025-11-25","capabilities":{"logging":{}},"serverInfo":{"name":"n","version":"1"}}}`,
]
/** What a stream may say besides. */
const SAID = [
  '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}',
  '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","logger":"l","data":"d"}}',
  '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}',
  '{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{"taskId":"t"}}',
  '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}',
  '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}',
  '{"jsonrpc":"2.0","id":"r","method":"roots/list","params":{"_meta":{"progressToken":"p"}}}',
  '{"jsonrpc":"2.0","id":null,"method":"sampling/createMessage","params":5}',
]

const edited = (texts: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(...texts), fc.array(edit, { maxLength: 2 }))
    .map(([text, edits]: [string, Edit[]]) => edits.reduce((changed, change) => change(changed), text))
const message = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...ANSWERS) },
  { weight: 6, arbitrary: edited(ANSWERS) },
  { weight: 1, arbitrary: oddValue },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
)
const event = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...SAID).map((text) => `data: ${text}`) },
  { weight: 4, arbitrary: edited(SAID).map((text) => `data: ${text}`) },
  { weight: 4, arbitrary: message.map((text) => `event: message\ndata: ${text}`) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ': comment',
      'data',
      'data:',
      'id: 7\nretry: 5\ndata: ',
      'id\nretry: x',
      'odd: 1',
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 80 }) },
)
const stream = fc
  .tuple(fc.array(event, { maxLength: 6 }), fc.constantFrom('\n\n', '\r\n\r\n', '\r\r', '\n', ''))
  .map(([events, end]) => events.map((text) => text + end).join(''))

// 429 is none of them: it would have the service left alone, and with it all answers that follow.
const STATUSES = [
  200, 200, 200, 200, 201, 202, 204, 206, 299, 301, 302, 304, 307, 400, 400, 401, 403, 404, 404, 405, 406,
  410, 413, 431, 500, 502, 503, 504, 521, 525, 530, 599, 999,
]
const JSON_TYPES = [
  'application/json',
  'application/json; charset=utf-16',
  'APPLICATION/JSON',
  'text/html',
  '',
]
const STREAM_TYPES = ['text/event-stream', 'text/event-stream;charset=x', 'Text/Event-Stream']
const HEADERS: readonly Readonly<Record<string, string>>[] = [
  {},
  {},
  {},
  { 'content-encoding': 'gzip' },
  { 'content-encoding': 'br, gzip' },
  { 'retry-after': '-1' },
  { 'retry-after': 'Wed, 21 Oct 2099 07:28:00 GMT' },
  { 'mcp-session-id': '\xff\xfe' },
  { 'mcp-session-id': 'x'.repeat(6_000) },
  { location: 'http://127.0.0.1:1/' },
  { 'set-cookie': 'a=b', 'www-authenticate': 'Bearer resource_metadata="http://127.0.0.1:1/"' },
  { connection: 'close' },
]

/** One answer as it is generated, so that a failure shows it. */
export type OddAnswer = OddResponse | { readonly raw: Uint8Array }

type OddResponse = {
  readonly status: number
  readonly type: string
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  readonly coat: Coat
  readonly pieceBytes: number | undefined
}
const MAX_PIECES = 1_000

export function faultOf(odd: OddAnswer): Fault {
  if ('raw' in odd) return { is: 'raw', bytes: odd.raw }
  const { status, type, headers, text, coat: wrap, pieceBytes } = odd
  return {
    is: 'respond',
    status,
    headers: { ...(type === '' ? {} : { 'content-type': type }), ...headers },
    body: (idText) => wrap(new TextEncoder().encode(text.replaceAll(ID, idText))),
    ...(pieceBytes !== undefined && {
      pieceBytes: Math.max(pieceBytes, Math.ceil(text.length / MAX_PIECES)),
    }),
  }
}
const common = {
  status: fc.constantFrom(...STATUSES),
  headers: fc.constantFrom(...HEADERS),
  coat,
  pieceBytes: fc.option(fc.constantFrom(1, 2, 7, 1_000), { nil: undefined }),
}
const HEADS = [
  '',
  'HTTP/1.1 200 OK\r\n',
  'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{}',
  'HTTP/9.9 abc\r\n\r\n',
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: text/event-stream\r\n\r\nzz\r\n',
  'SSH-2.0-x\r\n',
]

export const oddAnswer: fc.Arbitrary<OddAnswer> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ ...common, type: fc.constantFrom(...JSON_TYPES), text: message }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      ...common,
      status: fc.constantFrom(200, 200, 200, ...STATUSES),
      type: fc.constantFrom(...STREAM_TYPES),
      text: stream,
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...HEADS), fc.uint8Array({ maxLength: 100 }))
      .map(([head, bytes]) => ({ raw: new Uint8Array(Buffer.concat([Buffer.from(head), bytes])) })),
  },
)
