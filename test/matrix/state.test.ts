/**
 * B109: the state of a call that waits for its modern caller, in front of a legacy upstream. It is good once, for
 * whoever called, for that very call; whatever is tried with it, the tool runs once.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Matrix, startMatrix } from '../support/cell.ts'
import { API_KEY, type Answer } from '../support/gateway.ts'
import { type ModernCall, modernCall } from '../support/modern-call.ts'
import { ALL_CAPABILITIES, ANSWERS } from '../support/sdk-client.ts'
import type { SdkUpstream } from '../support/sdk-upstream.ts'

let matrix: Matrix
let upstream: SdkUpstream
let counted: { entered: number; done: number }

beforeAll(async () => {
  matrix = await startMatrix()
  upstream = matrix.upstream({ client: 'modern', upstream: 'legacy', at: 'all' })
  expect((await matrix.gateway.register('twin', upstream.url)).status).toBe(201)
})
beforeEach(() => {
  counted = countOf()
})
afterAll(() => matrix.close())

/** Of every tool that asks. */
function countOf(): { entered: number; done: number } {
  const names = ['ask', 'ask-together', 'interview-prompt', 'add']
  const sum = (count: (name: string) => number): number =>
    names.reduce((total, name) => total + count(name), 0)
  const { ledger } = upstream
  return { entered: sum((name) => ledger.entered(name)), done: sum((name) => ledger.done(name)) }
}
const expectRuns = (entered: number, done: number): void =>
  expect(countOf()).toEqual({ entered: counted.entered + entered, done: counted.done + done })

type Options = ModernCall & { readonly path?: string; readonly tool?: string }
const ARGUMENTS = { kinds: ['form'] }

const send = ({ path = '/mcp', tool = 'legacy__ask', ...call }: Options = {}): Promise<Answer> =>
  matrix.gateway.fetch(
    path,
    modernCall(tool, { capabilities: ALL_CAPABILITIES, arguments: ARGUMENTS, ...call }),
  )

const answerTo = ({ body }: Answer): object => ({
  requestState: body.result.requestState,
  inputResponses: { [Object.keys(body.result.inputRequests)[0] ?? '']: ANSWERS.form },
})

async function begin(options: Options = {}): Promise<{ asked: Answer; back: any }> {
  const asked = await send(options)
  expect(asked.body.result.resultType).toBe('input_required')
  return { asked, back: answerTo(asked) }
}

function expectRefused({ status, body }: Answer): void {
  expect(body).toMatchObject({ error: { code: -32602, message: 'Invalid request state' } })
  expect(status).toBe(200)
}
function expectDone({ body }: Answer, count = 1): void {
  const answers = JSON.parse(body.result.content[0].text)
  expect(answers).toEqual(Array.from({ length: count }, () => ANSWERS.form))
}

describe('a state', () => {
  it('is good once', async () => {
    const { back } = await begin()
    expectDone(await send({ id: 2, rest: back }))
    for (const id of [2, 3]) expectRefused(await send({ id, rest: back }))
    expectRuns(1, 1)
  })

  it('is good once when it is brought back many times at the same moment', async () => {
    const { back } = await begin()
    const answers = await Promise.all(Array.from({ length: 12 }, (_, id) => send({ id, rest: back })))
    const done = answers.filter(({ body }) => body.result)
    expect(done).toHaveLength(1)
    for (const answer of answers) if (!answer.body.result) expectRefused(answer)
    expectRuns(1, 1)
  })

  it('of an earlier round is spent when the next has begun, and the next is good', async () => {
    const twice = { kinds: ['form', 'form'] }
    const { back } = await begin({ arguments: twice })
    const second = await send({ id: 2, arguments: twice, rest: back })
    expect(second.body.result.resultType).toBe('input_required')
    expect(second.body.result.requestState).not.toBe(back.requestState)
    expectRefused(await send({ id: 3, arguments: twice, rest: back }))
    expectDone(await send({ id: 4, arguments: twice, rest: answerTo(second) }), 2)
    expectRuns(1, 1)
  })

  it('is refused when it was altered, whatever was altered, and is good still', async () => {
    const { back } = await begin()
    const { requestState: state } = back
    const flipped = [0, 20, Math.floor(state.length / 2), state.length - 1].map((at) => {
      const other = state[at] === 'A' ? 'B' : 'A'
      return state.slice(0, at) + other + state.slice(at + 1)
    })
    const altered = [
      ...flipped,
      state.slice(1),
      state.slice(0, -4),
      `${state}AAAA`,
      '',
      'null',
      `${state} `,
      5,
      {},
      true,
    ]
    for (const requestState of altered) expectRefused(await send({ rest: { ...back, requestState } }))
    expectDone(await send({ rest: back }))
    expectRuns(1, 1)
  })

  it('is refused from another principal', async () => {
    const { back } = await begin()
    expectRefused(await send({ rest: back, token: API_KEY }))
    expectDone(await send({ rest: back }))
    expectRuns(1, 1)
  })

  it('is refused at another service, another tool and another method', async () => {
    const { back } = await begin()
    expectRefused(await send({ rest: back, tool: 'twin__ask' }))
    expectRefused(await send({ rest: back, tool: 'ask', path: '/mcp/twin' }))
    expectRefused(await send({ rest: back, tool: 'legacy__ask-together' }))
    expectRefused(await send({ rest: back, tool: 'legacy__add', arguments: { a: 1, b: 2 } }))
    expectRefused(await send({ rest: back, tool: 'legacy__interview', method: 'prompts/get', arguments: {} }))
    expectRefused(await send({ rest: back, tool: 'note://legacy/interview', method: 'resources/read' }))
    expectDone(await send({ rest: back }))
    expectRuns(1, 1)
  })

  it('is refused by a gateway with another key', async () => {
    const { back } = await begin()
    const other = await matrix.stack.gateway({ ENCRYPTION_KEY: Buffer.alloc(32, 8).toString('base64') })
    const call = modernCall('legacy__ask', {
      capabilities: ALL_CAPABILITIES,
      arguments: ARGUMENTS,
      rest: back,
    })
    expectRefused(await other.fetch('/mcp', call))
    expectRuns(1, 0)
  })

  it('is demanded back also where the same call began twice: each goes on with its own', async () => {
    const [first, second] = [await begin(), await begin()]
    expect(first.back.requestState).not.toBe(second.back.requestState)
    expectDone(await send({ rest: second.back }))
    expectDone(await send({ rest: first.back }))
    expectRefused(await send({ rest: second.back }))
    expectRuns(2, 2)
  })
})

describe('a caller that comes back', () => {
  it.each([
    ['without an answer', {}],
    ['with an answer to something else', { inputResponses: { other: ANSWERS.form } }],
    ['with answers that are no object', { inputResponses: [ANSWERS.form] }],
  ])('%s is asked again, and the call runs once', async (_, given) => {
    const { asked, back } = await begin()
    const again = await send({ id: 2, rest: { requestState: back.requestState, ...given } })
    expect(again.body).toMatchObject({ id: 2, result: { resultType: 'input_required' } })
    expect(again.body.result.inputRequests).toEqual(asked.body.result.inputRequests)
    expectRefused(await send({ id: 3, rest: back }))
    expectDone(await send({ id: 4, rest: answerTo(again) }))
    expectRuns(1, 1)
  })

  it('is answered under the id of its new request', async () => {
    const { back } = await begin({ id: 'first' })
    const answer = await send({ id: 'second', rest: back })
    expect(answer.body.id).toBe('second')
    expectDone(answer)
  })

  it('through the endpoint of the service alone is the same caller', async () => {
    const { back } = await begin()
    expectDone(await send({ rest: back, tool: 'ask', path: '/mcp/legacy' }))
    expectRuns(1, 1)
  })

  it('goes on with what it called first, whatever arguments it repeats', async () => {
    const { back } = await begin()
    expectDone(await send({ rest: back, arguments: { kinds: ['form', 'form', 'form'] } }))
    expectRuns(1, 1)
  })
})

describe('a modern upstream', () => {
  it('is given its own state back untouched, and judges it itself', async () => {
    const tool = 'modern__ask'
    const { back } = await begin({ tool })
    expect(back.requestState).toBe('[]')
    expectDone(await send({ tool, rest: back }))
    const spoiled = await send({ tool, rest: { ...back, requestState: '["more"]' } })
    expect(JSON.parse(spoiled.body.result.content[0].text)).toEqual(['more', ANSWERS.form])
  })
})
