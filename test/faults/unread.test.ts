/** What is not read of an upstream is let go: its body is cancelled, its connection is free or closed. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openYard, type Yard } from '../support/base.ts'
import type { Fault } from '../support/dial.ts'
import { type Answer, eventually } from '../support/gateway.ts'

const MANY_BYTES = 40_000_000

let yard: Yard
beforeAll(async () => {
  yard = await openYard({ era: 'legacy' })
})
afterAll(() => yard.close())
afterEach(() => yard.upstream.dial.clear())

const call = (): Promise<Answer> => yard.gateway.rpc('tools/call', { name: 'echo', arguments: { text: 'x' } })
const tool = (id: number, name: string, given: object = {}) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: given },
})
const batch = (messages: readonly object[]): Promise<Answer> =>
  yard.gateway.post(JSON.stringify(messages), { headers: { 'mcp-protocol-version': '2025-03-26' } })
const fail = (fault: Fault, method = 'tools/call'): void =>
  void yard.upstream.dial.set({ ...fault, for: method })
const page = (status: number, type = 'text/html', length = MANY_BYTES): Fault => ({
  is: 'respond',
  status,
  headers: { 'content-type': type, location: 'http://127.0.0.1:1/' },
  body: 'x'.repeat(length),
  pieceBytes: 65_536,
})

describe('an endless answer that is of no use', () => {
  it.each<[string, Fault, number]>([
    ['F13 a page', page(200), -31502],
    ['F07 an error', page(500), -31502],
    ['F08 an outage', page(503), -31502],
    ['F11 a demand for a credential', page(403), -31511],
    ['F12 a redirect', page(302), -31502],
    ['F22 an unknown session, in words', page(404), -31502],
    ['F19 too much JSON', page(200, 'application/json'), -31513],
    ['F18 too large an event', page(200, 'text/event-stream'), -31513],
  ])('%s is broken off while the request that brought it goes on', async (_, fault, code) => {
    const { closed } = yard.upstream
    yard.upstream.dial.set({ ...fault, for: 'tools/call', times: 1 })
    let isOver = false
    const answered = batch([tool(1, 'echo'), tool(2, 'slow', { ms: 2_000, steps: 1 })]).finally(() => {
      isOver = true
    })
    await eventually(2_000, () => expect([yard.upstream.open, yard.upstream.closed]).toEqual([1, closed + 1]))
    expect(isOver).toBe(false)
    const { body } = await answered
    expect([body[0].error.code, body[1].result.content[0].text]).toEqual([code, 'done'])
  })

  it('F03 one that never comes is no longer waited for', async () => {
    await yard.gateway.manage('PUT', '/api/v1/servers/fixture', { timeoutMs: 200 })
    const { closed } = yard.upstream
    fail({ is: 'silent' })
    expect((await call()).body.error.code).toBe(-31504)
    await eventually(2_000, () => expect([yard.upstream.open, yard.upstream.closed]).toEqual([0, closed + 1]))
    await yard.gateway.manage('PUT', '/api/v1/servers/fixture', { timeoutMs: 30_000 })
  })

  it('F13 so is what answers a notification, and a discovery', async () => {
    const { closed } = yard.upstream
    fail(page(200), 'notifications/initialized')
    expect((await yard.gateway.manage('POST', '/api/v1/servers/fixture/refresh')).status).toBe(200)
    await eventually(5_000, () => expect(yard.upstream.closed).toBeGreaterThan(closed))
    const before = yard.upstream.closed
    fail(page(200), 'initialize')
    expect((await yard.gateway.manage('POST', '/api/v1/servers/fixture/refresh')).status).toBe(502)
    await eventually(5_000, () => expect(yard.upstream.closed).toBeGreaterThan(before))
  })
})

it('F13 connections are used again after short answers that nobody reads', async () => {
  fail({ is: 'respond', headers: { 'content-type': 'text/html' }, body: '<html>welcome</html>' })
  for (let at = 0; at < 30; at++) expect((await call()).body.error.code).toBe(-31502)
  expect(yard.upstream.open).toBe(0)
  expect(yard.upstream.sockets).toBeLessThan(10)
})
