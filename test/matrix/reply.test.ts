/**
 * B60: what a legacy client answers to a request that it was sent counts once, from the session that was asked, under
 * the id that it was given. Every other response is refused, and changes nothing.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cells, IN_CELL, type Matrix, pathOf, publicName, startMatrix } from '../support/cell.ts'
import { type Answer, API_KEY } from '../support/gateway.ts'
import { type LegacySession, openLegacySession } from '../support/legacy-session.ts'
import { ALL_CAPABILITIES } from '../support/sdk-client.ts'

let matrix: Matrix
beforeAll(async () => {
  matrix = await startMatrix()
})
afterAll(() => matrix.close())

const accept = (colour: string) => ({ action: 'accept', content: { colour } })
const reply = (id: unknown, result: object): string => JSON.stringify({ jsonrpc: '2.0', id, result })

function expectRefused({ status, body, headers }: Answer): void {
  expect(body).toEqual({
    jsonrpc: '2.0',
    error: { code: -32600, message: 'Invalid request: responses are not accepted' },
  })
  expect([status, headers.get('content-type')]).toEqual([400, 'application/json'])
}

describe('B60 a response that nobody asked for', () => {
  const bodies = [
    reply(1, {}),
    reply('1', {}),
    reply(null, {}),
    '{"jsonrpc":"2.0","result":{}}',
    '{"jsonrpc":"2.0","id":"x","error":{"code":-1,"message":"no"}}',
    '{"jsonrpc":"2.0","id":"x","result":{},"error":{"code":-1,"message":"no"}}',
  ]
  it.each(bodies)('is refused without a session: %s', async (body) => {
    expectRefused(await matrix.gateway.post(body))
    expectRefused(await matrix.gateway.post(body, { headers: { 'mcp-protocol-version': '2026-07-28' } }))
  })
  it('is refused in a session', async () => {
    const session = await openLegacySession(matrix.gateway, { capabilities: ALL_CAPABILITIES })
    for (const body of bodies) expectRefused(await session.post(body))
  })
})

describe.each(cells.filter(({ client }) => client === 'legacy'))(`B60 ${IN_CELL}`, (cell) => {
  const path = pathOf(cell)
  const open = (token?: string): Promise<LegacySession> =>
    openLegacySession(matrix.gateway, { path, capabilities: ALL_CAPABILITIES, ...(token && { token }) })

  /** A call that has asked, the id of what it asked, and what comes of it. */
  async function ask(session: LegacySession, callId: number) {
    const params = { name: publicName(cell, 'ask'), arguments: { kinds: ['form'] } }
    const messages = session.follow(
      JSON.stringify({ jsonrpc: '2.0', id: callId, method: 'tools/call', params }),
    )
    let asked = JSON.parse(String((await messages.next()).value))
    while (asked.method !== 'elicitation/create') asked = JSON.parse(String((await messages.next()).value))
    const end = async (): Promise<any> => {
      for await (const text of messages) if (JSON.parse(text).id === callId) return JSON.parse(text)
      return undefined
    }
    return { id: asked.id as string, end }
  }
  const answered = (message: any): unknown => JSON.parse(message.result.content[0].text)

  it('counts once, whatever is sent beside it', async () => {
    const { ledger } = matrix.upstream(cell)
    const done = ledger.done('ask')
    const [session, other, foreign] = [await open(), await open(), await open(API_KEY)]
    const { id, end } = await ask(session, 1)
    const altered = [`${id}A`, id.slice(1), `A${id.slice(1)}B`, `${id} `, id.toLowerCase()]
    for (const wrong of altered) expectRefused(await session.post(reply(wrong, accept('red'))))
    expectRefused(await other.post(reply(id, accept('red'))))
    expectRefused(await foreign.post(reply(id, accept('red'))))
    const stolen = { authorization: `Bearer ${API_KEY}` }
    expect((await session.post(reply(id, accept('red')), stolen)).status).toBe(404)
    expect((await session.post(reply(id, accept('teal')))).status).toBe(202)
    expect(answered(await end())).toEqual([accept('teal')])
    // What a legacy upstream asked is its own to judge: its id is good, and the upstream no longer waits for it.
    const late = await session.post(reply(id, accept('red')))
    expect(late.status).toBe(cell.upstream === 'legacy' ? 202 : 400)
    expect(ledger.done('ask')).toBe(done + 1)
  })

  it('counts once when it is sent many times at the same moment', async () => {
    const { ledger } = matrix.upstream(cell)
    const done = ledger.done('ask')
    const session = await open()
    const { id, end } = await ask(session, 1)
    const colours = ['a', 'b', 'c', 'd', 'e', 'f']
    const answers = await Promise.all(colours.map((colour) => session.post(reply(id, accept(colour)))))
    const taken = answers.filter(({ status }) => status === 202)
    expect(taken).toHaveLength(cell.upstream === 'legacy' ? colours.length : 1)
    const [given] = answered(await end()) as { content: { colour: string } }[]
    expect(colours).toContain(given?.content.colour)
    expect(ledger.done('ask')).toBe(done + 1)
  })

  it('is told apart from that to another call of the same session', async () => {
    const session = await open()
    const [first, second] = [await ask(session, 1), await ask(session, 2)]
    expect(first.id).not.toBe(second.id)
    expect((await session.post(reply(second.id, accept('second')))).status).toBe(202)
    expect((await session.post(reply(first.id, accept('first')))).status).toBe(202)
    expect(answered(await first.end())).toEqual([accept('first')])
    expect(answered(await second.end())).toEqual([accept('second')])
  })

  it('may be an error, which ends the call and nothing else', async () => {
    const { ledger } = matrix.upstream(cell)
    const done = ledger.done('ask')
    const session = await open()
    const { id, end } = await ask(session, 1)
    const error = { code: -1, message: 'the user has left' }
    expect((await session.post(JSON.stringify({ jsonrpc: '2.0', id, error }))).status).toBe(202)
    expect(JSON.stringify(await end())).toContain('the user has left')
    expect(ledger.done('ask')).toBe(done)
  })

  it('is refused when the session that was asked has ended, also from its successor', async () => {
    const session = await open()
    const { id } = await ask(session, 1)
    const ended = await matrix.gateway.fetch(path, { method: 'DELETE', headers: session.headers })
    expect(ended.status).toBe(204)
    expect((await session.post(reply(id, accept('red')))).status).toBe(404)
    expectRefused(await (await open()).post(reply(id, accept('red'))))
  })
})
