/** What a legacy upstream asks in the middle of a call, but on the listening stream of the session. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { SessionEvents } from '../support/conformance/events.ts'
import { cells, IN_CELL, type Matrix, publicName, startMatrix } from '../support/cell.ts'
import { TOKEN } from '../support/gateway.ts'
import { ANSWERS, connectModern } from '../support/sdk-client.ts'
import { startLegacyServer } from '../support/sdk-legacy.ts'
import { startStack } from '../support/stack.ts'

let matrix: Matrix
beforeAll(async () => {
  matrix = await startMatrix()
})
afterEach(() => matrix.disconnect())
afterAll(() => matrix.close())

describe.each(cells.filter(({ upstream }) => upstream === 'legacy'))(IN_CELL, (cell) => {
  const name = publicName(cell, 'ask-aside')
  const connect = (as: string) =>
    matrix.connect(cell, {
      respond: ({ params }) => ({ action: 'accept', content: { colour: `${as}: ${params.message}` } }),
    })
  const answerOf = (as: string, who: string) => ({ colour: `${as}: Which colour, ${who}?` })
  const contentOf = (result: any): unknown => JSON.parse(result.content[0].text)

  it('is asked of the caller, and the call runs once', async () => {
    const { ledger } = matrix.upstream(cell)
    const before = [ledger.entered('ask-aside'), ledger.done('ask-aside')]
    const client = await connect('me')
    expect(contentOf(await client.call(name, { who: 'alice' }))).toEqual(answerOf('me', 'alice'))
    const after = [ledger.entered('ask-aside'), ledger.done('ask-aside')]
    expect(after).toEqual(before.map((count) => count + 1))
  })

  it('is asked of the caller of this call, of many with one credential', async () => {
    const names = Array.from({ length: 8 }, (_, at) => `caller ${at}`)
    const clients = await Promise.all(names.map(connect))
    const calls = clients.map((client, at) => client.call(name, { who: names[at] }))
    expect((await Promise.all(calls)).map(contentOf)).toEqual(names.map((each) => answerOf(each, each)))
  })

  it('is asked again and again in one session after the other', async () => {
    const client = await connect('me')
    for (const who of ['alice', 'bob', 'carol']) {
      expect(contentOf(await client.call(name, { who }))).toEqual(answerOf('me', who))
    }
  })
})

describe('of a server that lets its clients take up streams again', () => {
  it('is no place in the stream of the call, whose answer arrives', async () => {
    const upstream = await startLegacyServer({ events: () => new SessionEvents() })
    const [stack, { url, close }] = [await startStack(), upstream]
    try {
      const gateway = await stack.gateway()
      expect((await gateway.register('marked', url)).status).toBe(201)
      const client = await connectModern(`${gateway.url}/mcp`, TOKEN, { respond: () => ANSWERS.form })
      const result = await client.call('marked__ask-then-aside', { who: 'alice' })
      expect(JSON.parse(result.content[0].text)).toEqual([ANSWERS.form, ANSWERS.form])
      expect(upstream.ledger.entered('ask-then-aside')).toBe(1)
      await client.close()
    } finally {
      await stack.close()
      await close()
    }
  })
})
