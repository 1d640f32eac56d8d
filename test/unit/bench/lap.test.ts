/**
 * What the figures of `npm run bench` rest on: no answer counts that is not right. A relay that lies in one way stands
 * between the clients and an upstream; each lie must end the lap, and each honest way of answering must not.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Lap, Work } from '../../../bench/ratio/client/lap.ts'
import { runLap } from '../../../bench/ratio/client/run.ts'
import type { Contender } from '../../../bench/ratio/contender/contender.ts'
import { PLAIN, type ServiceOffer, toolNames } from '../../../bench/ratio/offer.ts'
import { listen } from '../../../bench/ratio/upstream/server.ts'

const OFFERS: readonly ServiceOffer[] = [
  PLAIN,
  { ...PLAIN, answers: 'stream' },
  { ...PLAIN, hasSessions: true },
]
const [PLAIN_AT, STREAM_AT, SESSION_AT] = [0, 1, 2]
const urls: string[] = []
let relay: Server | undefined

beforeAll(async () => {
  for (const service of OFFERS.keys()) urls.push((await listen(service, OFFERS)).url)
})

afterEach(() => {
  relay?.close()
  relay?.closeAllConnections()
  relay = undefined
})

const call = (service: number, more: Partial<Work & { is: 'call' }> = {}): Work => ({
  is: 'call',
  tools: toolNames(service, OFFERS),
  wording: { more: 0, data: 0 },
  isModern: false,
  ...more,
})
const list = (service: number): Work => ({ is: 'list', tools: toolNames(service, OFFERS) })

const at = (url: string, more: Partial<Contender> = {}): Contender => ({
  name: 'relay',
  url,
  headers: {},
  isGreeted: true,
  lagMs: 0,
  processes: {},
  ...more,
})

const run = (contender: Contender, work: Work, forMs = 30): Promise<Lap> =>
  runLap({ contender, work, lanes: 3, warmMs: 5, forMs })

/** Ends with the lie, however late that comes on a busy machine. */
const LONG_MS = 10_000

type Answer = { readonly status: number; readonly text: string }
/** What becomes of the answer to a request, by its place among those of its method. */
type Lie = (answer: Answer, place: number) => Answer | undefined

/** Lies to requests of one method. */
async function startRelay(service: number, method: string, lie: Lie): Promise<string> {
  let place = 0
  relay = createServer((incoming, outgoing) => {
    void pass(incoming, outgoing, urls[service] ?? '', (sent, answer) =>
      sent.includes(`"${method}"`) ? lie(answer, place++) : answer,
    )
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  const address = relay.address()
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/mcp`
}

async function pass(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  url: string,
  change: (sent: string, answer: Answer) => Answer | undefined,
): Promise<void> {
  const sent = await textOf(incoming)
  const asking = request(url, { method: 'POST', headers: { 'content-length': sent.length } })
  asking.end(sent)
  const [response] = await once(asking, 'response')
  const answer = change(sent, { status: response.statusCode, text: await textOf(response) })
  if (!answer) return void outgoing.destroy()
  outgoing.writeHead(answer.status, { 'content-type': response.headers['content-type'] ?? 'text/plain' })
  outgoing.end(answer.text)
}

async function textOf(message: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of message.setEncoding('utf8')) text += chunk
  return text
}

const edit =
  (from: string | RegExp, to: string): Lie =>
  ({ status, text }) => ({ status, text: text.replace(from, to) })

describe('an honest contender is counted that answers', () => {
  it.each([
    ['calls by JSON', PLAIN_AT, call(PLAIN_AT)],
    ['calls by event stream', STREAM_AT, call(STREAM_AT)],
    ['calls within a session', SESSION_AT, call(SESSION_AT)],
    ['calls of the newer era', PLAIN_AT, call(PLAIN_AT, { isModern: true })],
    ['calls at length', PLAIN_AT, call(PLAIN_AT, { wording: { more: 300_000, data: 0 } })],
    ['long calls', PLAIN_AT, call(PLAIN_AT, { wording: { more: 0, data: 300_000 } })],
    ['lists', PLAIN_AT, list(PLAIN_AT)],
    ['lists by event stream', STREAM_AT, list(STREAM_AT)],
  ])('%s', async (_, service, work) => {
    const lap = await run(at(urls[service] ?? ''), work)
    expect(lap.answers).toBeGreaterThan(0)
    expect(lap.p50Ms).toBeLessThanOrEqual(lap.mostMs)
  })

  it('through a relay that leaves everything as it is, in chunks', async () => {
    const url = await startRelay(PLAIN_AT, 'tools/call', (answer) => answer)
    expect((await run(at(url), call(PLAIN_AT))).answers).toBeGreaterThan(0)
  })

  it('lists to whoever does not greet it', async () => {
    expect(
      (await run(at(urls[PLAIN_AT] ?? '', { isGreeted: false }), list(PLAIN_AT))).answers,
    ).toBeGreaterThan(0)
  })
})

describe('a lap ends with the first call', () => {
  let last: Answer | undefined
  it.each<readonly [string, Lie, RegExp]>([
    ['whose text is another', edit(/"s000_t(\d+) 0 /, '"s000_t$1 1 '), /not what was to be said/],
    ['that another tool answered', edit(/s000_t0001/, 's000_t0002'), /not what was to be said/],
    [
      'that is an error of its tool',
      edit('"result":{', '"result":{"isError":true,'),
      /not what was to be said/,
    ],
    ['with more content than was said', edit('"}]', '"},{"type":"text","text":""}]'), /not what/],
    ['of another id', edit(/"id":(\d+)/, '"id":1$1'), /not the result of request/],
    ['that is an error', edit(/"result":.*/, '"error":{"code":-32603,"message":"no"}}'), /not the result of/],
    ['of another status', ({ text }) => ({ status: 500, text }), /not 200/],
    ['that is cut short', ({ status, text }) => ({ status, text: text.slice(0, -3) }), /no JSON/],
    ['that is empty', ({ status }) => ({ status, text: '' }), /no JSON/],
    ['whose connection is cut', () => undefined, /closed|reset/],
    [
      'that gets what an earlier one should have got',
      (answer) => {
        const earlier = last ?? answer
        last = answer
        const id = /"id":\d+/.exec(answer.text)?.[0] ?? ''
        return { status: 200, text: earlier.text.replace(/"id":\d+/, id) }
      },
      /not what was to be said/,
    ],
  ])('%s', async (_, lie, told) => {
    const url = await startRelay(PLAIN_AT, 'tools/call', (answer, place) =>
      place < 8 ? answer : lie(answer, place),
    )
    await expect(run(at(url), call(PLAIN_AT, { tools: ['s000_t0001'] }), LONG_MS)).rejects.toThrow(told)
  })
})

describe('a lap ends with the first list', () => {
  it.each<readonly [string, Lie, RegExp]>([
    ['without a tool', edit(/,\{"name":"s000_t0009".*\}\]/, ']'), /a list without s000_t0009/],
    ['with a tool twice', edit(/\{"name":"s000_t0001".*?\]\}\},/, '$&$&'), /s000_t0001 twice/],
    ['with a tool that nobody offers', edit('s000_t0003"', 's000_t0099"'), /s000_t0099, which nobody/],
    ['with another description', edit('s000_t0003: Says', 's000_t0003: says'), /another s000_t0003/],
    ['with another schema', edit('8000000', '8000001'), /another s000_t0000/],
    [
      'with a member more',
      edit('{"name":"s000_t0003"', '{"title":"","name":"s000_t0003"'),
      /another s000_t0003/,
    ],
    ['that goes on elsewhere', edit('"tools":', '"nextCursor":"2","tools":'), /only the first page/],
    ['of another id', edit('"id":1', '"id":2'), /not the result of request 1/],
    ['that is none', edit(/"tools":.*\]/, '"tools":7'), /no list/],
  ])('%s, also after right ones', async (_, lie, told) => {
    const url = await startRelay(PLAIN_AT, 'tools/list', (answer, place) =>
      place < 8 ? answer : lie(answer, place),
    )
    await expect(run(at(url), list(PLAIN_AT), LONG_MS)).rejects.toThrow(told)
  })
})

it('a lap with a contender that refuses the greeting is none', async () => {
  const url = await startRelay(PLAIN_AT, 'initialize', () => ({ status: 401, text: '{}' }))
  await expect(run(at(url), call(PLAIN_AT))).rejects.toThrow(/greeting/)
})
