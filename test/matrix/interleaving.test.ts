/** Callers that use the same ids at the same time never see anything of each other (S44), in every cell. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { cells, IN_CELL, type Matrix, pathOf, publicName, startMatrix } from '../support/cell.ts'
import { type Answer, eventually } from '../support/gateway.ts'
import { type LegacySession, openLegacySession } from '../support/legacy-session.ts'
import { modernCall } from '../support/modern-call.ts'
import { ALL_CAPABILITIES, type SdkClient } from '../support/sdk-client.ts'

let matrix: Matrix
beforeAll(async () => {
  matrix = await startMatrix()
})
afterEach(() => matrix.disconnect())
afterAll(() => matrix.close())

type Id = string | number
const numbers = Array.from({ length: 100 }, (_, at) => at + 1)
const IDS: readonly (readonly [string, readonly Id[]])[] = [
  ['numbers', numbers],
  ['strings', numbers.map(String)],
  ['numbers and the same digits as strings', numbers.slice(0, 50).flatMap((id) => [id, String(id)])],
]

describe.each(cells.filter(({ at }) => at === 'all'))(IN_CELL, (cell) => {
  const name = publicName(cell, 'wait')
  const path = pathOf(cell)
  type Call = (id: Id, given: object) => Promise<Answer>

  async function caller(): Promise<Call> {
    if (cell.client === 'modern') {
      return (id, given) =>
        matrix.gateway.fetch(path, modernCall(name, { id, arguments: given, capabilities: ALL_CAPABILITIES }))
    }
    const session = await openLegacySession(matrix.gateway, { path, capabilities: ALL_CAPABILITIES })
    return (id, given) =>
      session.post(
        JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: given } }),
      )
  }

  it.each(IDS)('two callers with the same ids get each their own answers: %s', async (_, ids) => {
    const callers = [await caller(), await caller()]
    const { ledger } = matrix.upstream(cell)
    const before = ledger.done('wait')
    const asked = ids.flatMap((id, at) =>
      callers.map(async (call, who) => {
        const text = `${who} ${typeof id} ${id}`
        const { body } = await call(id, { ms: (at * 37 + who * 23) % 60, text })
        return { id, text, body }
      }),
    )
    for (const { id, text, body } of await Promise.all(asked)) {
      expect(body).toMatchObject({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }] } })
    }
    expect(ledger.done('wait')).toBe(before + 200)
  })

  it('two clients that are asked at the same time answer each for themselves', async () => {
    const colours = ['teal', 'plum']
    const clients = await Promise.all(
      colours.map((colour) =>
        matrix.connect(cell, {
          respond: ({ method }) =>
            method === 'roots/list'
              ? { roots: [{ uri: `file:///${colour}` }] }
              : { action: 'accept', content: { colour } },
        }),
      ),
    )
    const ask = (client: SdkClient): Promise<any> =>
      client.call(publicName(cell, 'ask'), { kinds: ['form', 'roots'] })
    const calls = Array.from({ length: 10 }, () => clients.map(ask))
    for (const pair of calls) {
      for (const [who, result] of (await Promise.all(pair)).entries()) {
        const colour = colours[who]
        expect(JSON.parse(result.content[0].text)).toEqual([
          { action: 'accept', content: { colour } },
          { roots: [{ uri: `file:///${colour}` }] },
        ])
      }
    }
    expect(clients.map(({ asked }) => asked.length)).toEqual([20, 20])
  })
})

describe.each(cells.filter(({ client }) => client === 'legacy'))(IN_CELL, (cell) => {
  it('what one client cancels is not the call with the same id of another', async () => {
    const open = (): Promise<LegacySession> => openLegacySession(matrix.gateway, { path: pathOf(cell) })
    const [one, other] = [await open(), await open()]
    const { ledger } = matrix.upstream(cell)
    const call = (tool: string, given: object): string => {
      const params = { name: publicName(cell, tool), arguments: given }
      return JSON.stringify({ jsonrpc: '2.0', id: 5, method: 'tools/call', params })
    }
    const entered = ledger.entered('hang')
    const cancelled = matrix.upstream(cell).cancelled()
    const hanging = one.post(call('hang', {}))
    const waiting = other.post(call('wait', { ms: 800, text: 'mine' }))
    await eventually(2_000, () => expect(ledger.entered('hang')).toBe(entered + 1))
    const cancel = '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}'
    expect((await one.post(cancel)).status).toBe(202)
    await eventually(1_000, () => expect(matrix.upstream(cell).cancelled()).toBe(cancelled + 1))
    expect((await waiting).body).toMatchObject({ id: 5, result: { content: [{ text: 'mine' }] } })
    await hanging
  })
})
