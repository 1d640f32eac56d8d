/** A client that wants no answer any more, in every cell: its upstream is let go or told, whichever its era knows. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cells, IN_CELL, type Matrix, publicName, startMatrix } from '../support/cell.ts'
import { eventually } from '../support/gateway.ts'
import { modernCall } from '../support/modern-call.ts'
import { startUpstream } from '../support/upstream.ts'

let matrix: Matrix
beforeAll(async () => {
  matrix = await startMatrix()
})
afterAll(() => matrix.close())

describe.each(cells)(IN_CELL, (cell) => {
  it('lets go of a call within a second, and of no other', async () => {
    const upstream = matrix.upstream(cell)
    const client = await matrix.connect(cell)
    const [entered, cancelled] = [upstream.ledger.entered('hang'), upstream.cancelled()]
    const goingAway = new AbortController()
    const call = client
      .call(publicName(cell, 'hang'), {}, { signal: goingAway.signal })
      .catch((error: unknown) => error)
    const other = client.call(publicName(cell, 'wait'), { ms: 700, text: 'still here' })
    await eventually(2_000, () => expect(upstream.ledger.entered('hang')).toBe(entered + 1))
    goingAway.abort()
    await eventually(1_000, () => expect(upstream.cancelled()).toBe(cancelled + 1))
    expect(await call).toBeInstanceOf(Error)
    expect((await other).content[0].text).toBe('still here')
  })

  it('lets go of a call that waits for its client', async () => {
    const goingAway = new AbortController()
    const never = Promise.withResolvers<unknown>()
    const client = await matrix.connect(cell, { respond: () => never.promise })
    const call = client
      .call(publicName(cell, 'ask'), { kinds: ['form'] }, { signal: goingAway.signal })
      .catch((error: unknown) => error)
    await eventually(2_000, () => expect(client.asked).toHaveLength(1))
    goingAway.abort()
    never.resolve({ action: 'accept', content: { colour: 'late' } })
    expect(await call).toBeInstanceOf(Error)
    expect((await client.call(publicName(cell, 'fail'))).isError).toBe(true)
  })
})

describe.each([
  { can: 'be asked', capabilities: { elicitation: {} } },
  { can: 'not be asked', capabilities: {} },
])('a modern client that can $can', ({ capabilities }) => {
  it.each([{ stateful: true }, { stateful: false }])(
    'goes away before a legacy upstream has begun to answer, which is told (%o)',
    async ({ stateful }) => {
      const upstream = await startUpstream({ era: 'legacy', stateful })
      const name = `silent-${stateful}-${Object.keys(capabilities).length}`
      expect((await matrix.gateway.register(name, upstream.url)).status).toBe(201)
      upstream.dial.set({ is: 'silent', for: 'tools/call' })
      const goingAway = new AbortController()
      const body = modernCall('echo', { capabilities })
      const call = fetch(`${matrix.url}/mcp/${name}`, { ...body, signal: goingAway.signal }).catch(
        () => 'gone',
      )
      await eventually(2_000, () => expect(upstream.calls('tools/call')).toHaveLength(1))
      const closed = upstream.closed
      goingAway.abort()
      expect(await call).toBe('gone')
      await eventually(1_000, () => {
        expect(upstream.closed).toBe(closed + 1)
        const [told] = upstream.calls('notifications/cancelled')
        expect(told?.message?.params).toMatchObject({
          requestId: upstream.calls('tools/call')[0]?.message?.id,
        })
      })
      expect(upstream.calls('tools/call')).toHaveLength(1)
      await upstream.stop()
    },
  )
})

it.each(['legacy', 'modern'] as const)(
  'F03 a legacy upstream that takes too long for a %s client is told to stop',
  async (era) => {
    const upstream = await startUpstream({ era: 'legacy', stateful: true })
    const name = `slow-for-${era}`
    expect((await matrix.gateway.register(name, upstream.url, { timeoutMs: 200 })).status).toBe(201)
    upstream.dial.set({ is: 'silent', for: 'tools/call' })
    const call = era === 'modern' ? matrix.gateway.modern : matrix.gateway.rpc
    const { body } = await call.call(matrix.gateway, 'tools/call', { name: 'echo' }, { path: `/mcp/${name}` })
    expect(body.error.code).toBe(-31504)
    const requestId = upstream.calls('tools/call')[0]?.message?.id
    await eventually(1_000, () => {
      expect(upstream.calls('notifications/cancelled').map(({ message }) => message?.params)).toEqual([
        { requestId, reason: 'it took too long' },
      ])
    })
    await upstream.stop()
  },
)
