/** What the figures of `npm run bench:load` rest on: its load does not wait for answers, and its clocks begin in time. */
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { offer } from '../../../bench/load/offer.ts'
import { byKind, dueTimes, failed, type Load, percentile, type Sample } from '../../../bench/load/plan.ts'
import { mixed } from '../../../bench/load/request.ts'

const ANSWER = '{"jsonrpc":"2.0","id":1,"result":{}}'
let server: Server | undefined

afterEach(() => {
  server?.close()
  server?.closeAllConnections()
  server = undefined
})

async function listen(respond: (response: ServerResponse) => void): Promise<string> {
  server = createServer((request, response) => {
    request.resume()
    respond(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : ''
}

const loadOf = (url: string): Load => ({
  kind: 'call',
  shot: { url, headers: { 'content-type': 'application/json' }, body: '{}' },
  ratePerSecond: 100,
  fromMs: 0,
  forMs: 300,
})

const sample = (tookMs: number): Sample => ({
  kind: 'call',
  dueMs: 0,
  tookMs,
  status: 200,
  outcome: 'result',
  code: undefined,
  messages: 1,
})

describe('the load', () => {
  it('is sent when it is due although nothing is answered, and each wait counts from then', async () => {
    const waiting: ServerResponse[] = []
    const url = await listen((response) => {
      waiting.push(response)
      // Not one answer before the last request is here.
      if (waiting.length === 30) for (const each of waiting) each.end(ANSWER)
    })
    const samples = await offer([loadOf(url)])
    expect(failed(samples)).toEqual([])
    const ends = samples.map(({ dueMs, tookMs }) => dueMs + tookMs)
    expect(Math.min(...ends)).toBeGreaterThan(289)
    expect(samples[0]?.tookMs).toBeGreaterThan(samples[29]?.tookMs ?? 0)
  })

  it('tells results, errors and what is no answer apart', async () => {
    const answers = [
      ANSWER,
      '{"jsonrpc":"2.0","id":1,"error":{"code":-31523,"message":"open"}}',
      '<html>',
      undefined,
    ]
    const url = await listen((response) => {
      const answer = answers.shift()
      if (answer === undefined) response.destroy()
      else response.end(answer)
    })
    const samples = await offer([{ ...loadOf(url), forMs: 40 }])
    // Each on a connection of its own: which arrives first is nobody's to say.
    const told = samples.map(({ status, outcome, code = 0 }) => `${status} ${outcome} ${code}`)
    expect(told.toSorted()).toEqual(['0 none 0', '200 error -31523', '200 none 0', '200 result 0'])
  })

  it('counts the messages of a stream, of which the last is the answer', async () => {
    const progress = 'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{}}\n\n'
    const url = await listen((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(`${progress}${progress}data: ${ANSWER}\n\n`)
    })
    const [only] = await offer([{ ...loadOf(url), forMs: 10 }])
    expect(only).toMatchObject({ outcome: 'result', messages: 3 })
  })

  it('gives up what is not answered in time', async () => {
    const url = await listen(() => undefined)
    const [only] = await offer([{ ...loadOf(url), forMs: 10 }], 50)
    expect(only).toMatchObject({ status: 0, outcome: 'none' })
  })

  it('keeps its shares', () => {
    const targets = ['one', 'two'].map((name) => ({
      url: 'http://a.example',
      tool: name,
      uri: `note://${name}`,
    }))
    const loads = mixed(targets, { ratePerSecond: 100, fromMs: 500, forMs: 1_000 })
    const due = loads.flatMap((load, at) =>
      dueTimes(load, at / loads.length).map((dueMs) => ({ ...load, dueMs })),
    )
    const counts = ['call', 'list', 'read'].map((kind) => due.filter((each) => each.kind === kind).length)
    expect(counts).toEqual([70, 20, 10])
    expect(due.every(({ dueMs }) => dueMs >= 500 && dueMs < 1_500)).toBe(true)
  })
})

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, at) => sample(100 - at))

  it('is the time that so many percent stay within', () => {
    expect([50, 99, 100].map((percent) => percentile(hundred, percent))).toEqual([50, 99, 100])
    expect(percentile([sample(7)], 99)).toBe(7)
  })

  it('is not a number where there is nothing, so that no bound holds', () => {
    expect(percentile(byKind(hundred, 'list'), 50)).toBeNaN()
  })
})
