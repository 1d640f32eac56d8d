/**
 * Input that an upstream wants in the middle of a call, in every cell: elicitation by form and by URL, sampling, roots;
 * of tools, prompts and resources. Whatever is asked, the work is done once.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cells, IN_CELL, type Matrix, publicName, publicUri, startMatrix } from '../support/cell.ts'
import { ALL_CAPABILITIES, ANSWERS, type SdkClient } from '../support/sdk-client.ts'
import { ASK_KINDS, ASKS } from '../support/sdk-upstream.ts'

let matrix: Matrix
beforeAll(async () => {
  matrix = await startMatrix()
})
afterAll(() => matrix.close())

describe.each(cells)(IN_CELL, (cell) => {
  let client: SdkClient
  beforeAll(async () => {
    client = await matrix.connect(cell)
  })
  const tool = (name: string): string => publicName(cell, name)
  /** What the tool says it was answered. */
  const answersIn = (result: any): unknown => JSON.parse(result.content[0].text)
  /** How often something was entered and done while `work` ran. A modern upstream is entered in each round. */
  const countOf = async (name: string, work: () => Promise<unknown>): Promise<[number, number]> => {
    const { ledger } = matrix.upstream(cell)
    const [entered, done] = [ledger.entered(name), ledger.done(name)]
    await work()
    return [ledger.entered(name) - entered, ledger.done(name) - done]
  }
  const entries = (rounds: number): number => (cell.upstream === 'modern' ? rounds + 1 : 1)

  it.each(ASK_KINDS)('asks for %s and works with the answer', async (kind) => {
    const asked = client.asked.length
    let result: unknown
    const count = await countOf('ask', async () => {
      result = await client.call(tool('ask'), { kinds: [kind] })
    })
    expect(answersIn(result)).toEqual([ANSWERS[kind]])
    expect(count).toEqual([entries(1), 1])
    expect(client.asked.slice(asked)).toMatchObject([ASKS[kind]])
  })

  it('asks one thing after the other', async () => {
    const kinds = ['form', 'sampling', 'roots', 'form'] as const
    let result: unknown
    const count = await countOf('ask', async () => {
      result = await client.call(tool('ask'), { kinds })
    })
    expect(answersIn(result)).toEqual(kinds.map((kind) => ANSWERS[kind]))
    expect(count).toEqual([entries(4), 1])
  })

  it('asks several things at once', async () => {
    const kinds = ['roots', 'form', 'sampling'] as const
    let result: unknown
    const count = await countOf('ask-together', async () => {
      result = await client.call(tool('ask-together'), { kinds })
    })
    expect(answersIn(result)).toEqual(kinds.map((kind) => ANSWERS[kind]))
    expect(count).toEqual([entries(1), 1])
  })

  it.each([{ action: 'decline' }, { action: 'cancel' }])('hands through a user who says ', async (answer) => {
    const own = await matrix.connect(cell, { respond: () => answer })
    expect(answersIn(await own.call(tool('ask'), { kinds: ['form'] }))).toEqual([answer])
  })

  it('asks for what a prompt needs', async () => {
    let result: any
    const count = await countOf('interview-prompt', async () => {
      result = await client.prompt(tool('interview'))
    })
    expect(JSON.parse(result.messages[0].content.text)).toEqual([ANSWERS.form])
    expect(count).toEqual([entries(1), 1])
  })

  it('asks for what a resource needs', async () => {
    let result: any
    const count = await countOf('interview', async () => {
      result = await client.read(publicUri(cell, 'interview'))
    })
    expect(JSON.parse(result.contents[0].text)).toEqual([ANSWERS.form])
    expect(count).toEqual([entries(1), 1])
  })

  it('puts what is asked in many calls at the same time each to its own', async () => {
    const own = await matrix.connect(cell)
    const calls = Array.from({ length: 8 }, () => own.call(tool('ask'), { kinds: ['sampling', 'form'] }))
    const count = await countOf('ask', () => Promise.all(calls))
    for (const result of await Promise.all(calls))
      expect(answersIn(result)).toEqual([ANSWERS.sampling, ANSWERS.form])
    expect(own.asked).toHaveLength(16)
    expect(count[1]).toBe(8)
  })

  it.each([
    ['form', 'elicitation'],
    ['sampling', 'sampling'],
    ['roots', 'roots'],
  ] as const)('B113 asks nothing of a client that takes no %s', async (kind, capability) => {
    const { [capability]: _, ...capabilities } = ALL_CAPABILITIES
    const own = await matrix.connect(cell, { capabilities })
    let outcome: any
    const count = await countOf('ask', async () => {
      outcome = await own.call(tool('ask'), { kinds: [kind] }).catch((error: unknown) => error)
    })
    expect(own.asked).toEqual([])
    expect(count).toEqual([1, 0])
    // A legacy upstream hears the no in the words of its era, and makes of it what it will.
    if (cell.client === 'legacy' && cell.upstream === 'legacy') {
      expect(outcome).toMatchObject({
        isError: true,
        content: [{ text: expect.stringContaining(`the client takes no ${ASKS[kind].method}`) }],
      })
    } else {
      expect(outcome).toMatchObject({ code: -32021, data: { requiredCapabilities: { [capability]: {} } } })
    }
  })

  it('asks a client that takes forms, but opens no URLs, for forms only', async () => {
    const own = await matrix.connect(cell, { capabilities: { elicitation: { form: {} } } })
    const form = await own.call(tool('ask'), { kinds: ['form'] })
    expect(answersIn(form)).toEqual([ANSWERS.form])
    const outcome: any = await own.call(tool('ask'), { kinds: ['url'] }).catch((error: unknown) => error)
    expect(outcome.isError === true || typeof outcome.code === 'number').toBe(true)
    expect(own.asked).toHaveLength(1)
  })
})

describe.each(cells.filter(({ upstream }) => upstream === 'legacy'))(IN_CELL, (cell) => {
  it('tells of a URL that must be opened first, in the words of the era of the client', async () => {
    const client = await matrix.connect(cell, { respond: () => ({ action: 'decline' }) })
    const outcome: any = await client.call(publicName(cell, 'url-first')).catch((error: unknown) => error)
    if (cell.client === 'legacy') {
      expect(outcome).toMatchObject({
        code: -32042,
        data: { elicitations: [{ ...ASKS.url.params, elicitationId: 'pay-1' }] },
      })
    } else {
      expect(client.asked[0]).toMatchObject(ASKS.url)
    }
  })
})
