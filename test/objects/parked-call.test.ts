import {
  evictDurableObject,
  listDurableObjectIds,
  runDurableObjectAlarm,
  runInDurableObject,
} from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import type { ParkedCallObject } from '../../src/durable/parked-call.ts'
import { callModern, permit, register } from './caller.ts'
import { eventually } from '../support/gateway.ts'
import type { Facts } from './patient.ts'

type Kind = 'inviting' | 'silent'

beforeAll(async () => {
  await register('inviting', inject('upstreams').inviting)
  await register('silent', inject('upstreams').silent)
  const kept = { cacheTtlSeconds: 60 }
  await register('kept-inviting', inject('upstreams').inviting, kept)
  await register('kept-silent', inject('upstreams').silent, kept)
})

const call = (kind: Kind, params: object): Promise<any> =>
  callModern('tools/call', { name: `${kind}__confirm`, arguments: {}, ...params }, { elicitation: {} })

/** A call that has asked, the object in which it waits, and what its caller brings back. */
async function park(kind: Kind, questions = 1) {
  const before = await idsOfParked()
  const asked = await call(kind, { arguments: { questions } })
  expect(asked.result.resultType).toBe('input_required')
  const id = (await idsOfParked()).find((each) => !before.includes(each)) ?? ''
  return { stub: env.PARKED_CALL.get(env.PARKED_CALL.idFromString(id)), back: comeBack(asked) }
}

const idsOfParked = async (): Promise<string[]> => (await listDurableObjectIds(env.PARKED_CALL)).map(String)

const comeBack = ({ result: { requestState, inputRequests } }: any): object => ({
  requestState,
  inputResponses: Object.fromEntries(
    Object.keys(inputRequests).map((key) => [key, { action: 'accept', content: {} }]),
  ),
})

/** What the upstream has seen since. */
async function watch(kind: Kind): Promise<() => Promise<Facts>> {
  const read = async (): Promise<Facts> =>
    await (await fetch(new URL('/facts', inject('upstreams')[kind]))).json()
  const before = await read()
  return async () => {
    const { runs, cancelled } = await read()
    return { runs: runs - before.runs, cancelled: cancelled.slice(before.cancelled.length) }
  }
}

/** The object as after a crash: whatever it held open is gone. */
const lose = (stub: DurableObjectStub<ParkedCallObject>): Promise<unknown> =>
  runInDurableObject(stub, (_, state) => state.abort('lost')).catch(() => undefined)

/** The object's own isolate hears of a rule within this time. */
const HEARD_MS = 6_000

/** Comes back, with no answer, past all that would refuse it before the object does; gives how to come back then. */
async function eventuallyRefused(
  stub: DurableObjectStub<ParkedCallObject>,
  back: object,
  error: object,
): Promise<object> {
  let [round, waiting] = [1, back]
  await eventually(HEARD_MS, async () => {
    const comeback = { round, idText: '1', inputResponses: [], acceptsJson: true, acceptsStream: false }
    const init = { method: 'POST', body: JSON.stringify({ comeback }) }
    const answer: any = await (await stub.fetch('https://call/', init)).json()
    if (answer.result) [round, waiting] = [round + 1, comeBack(answer)]
    expect(answer.error).toEqual(error)
  })
  return waiting
}

describe('a call that waits for its caller', () => {
  it('goes on after an eviction in each round, and runs once', async () => {
    const factsSince = await watch('inviting')
    const { stub, back } = await park('inviting', 2)
    await evictDurableObject(stub)
    const again = await call('inviting', back)
    expect(again.result.resultType).toBe('input_required')
    await evictDurableObject(stub)
    const answered = await call('inviting', comeBack(again))
    expect(answered.result.content[0].text).toMatch(/^accept/)
    expect(await factsSince()).toEqual({ runs: 1, cancelled: [] })
  })

  it.each(['inviting', 'silent'] as const)(
    'leaves nothing that is given again, whether its object was lost meanwhile or not (%s)',
    async (kind) => {
      const name = `kept-${kind}`
      const ask = (params: object = {}): Promise<any> =>
        callModern('tools/call', { name: `${name}__confirm`, arguments: {}, ...params }, { elicitation: {} })
      for (let turn = 0; turn < 2; turn++) {
        const before = await idsOfParked()
        const asked = await ask()
        expect(asked.result.resultType).toBe('input_required')
        const id = (await idsOfParked()).find((each) => !before.includes(each)) ?? ''
        if (kind === 'inviting')
          await evictDurableObject(env.PARKED_CALL.get(env.PARKED_CALL.idFromString(id)))
        expect((await ask(comeBack(asked))).result.content[0].text).toMatch(/^accept/)
        await new Promise((resolve) => setTimeout(resolve, 300))
      }
    },
  )

  it('takes each state once, before an eviction and after it', async () => {
    const factsSince = await watch('inviting')
    const { stub, back } = await park('inviting')
    await call('inviting', back)
    expect((await call('inviting', back)).error).toMatchObject({ code: -32602, message: /state/i })
    await evictDurableObject(stub)
    expect((await call('inviting', back)).error).toMatchObject({ code: -32602, message: /state/i })
    expect((await factsSince()).runs).toBe(1)
  })

  it('goes on where its upstream does not invite it to let go', async () => {
    const { back } = await park('silent', 2)
    const again = await call('silent', back)
    expect((await call('silent', comeBack(again))).result.content[0].text).toMatch(/^accept/)
  })

  it.each(['inviting', 'silent'] as const)('is asked again where it brings no answer (%s)', async (kind) => {
    const factsSince = await watch(kind)
    const { back } = await park(kind)
    const again = await call(kind, { ...back, inputResponses: {} })
    expect(again.result.resultType).toBe('input_required')
    expect((await call(kind, comeBack(again))).result.content[0].text).toMatch(/^accept/)
    expect(await factsSince()).toEqual({ runs: 1, cancelled: [] })
  })

  it('is told lost with a stream that cannot be resumed, and is not repeated', async () => {
    const factsSince = await watch('silent')
    const { stub, back } = await park('silent')
    await lose(stub)
    const answer = await call('silent', back)
    expect(answer.error.message).toMatch(/interrupted.*not repeated/)
    expect((await factsSince()).runs).toBe(1)
  })

  it.each(['inviting', 'silent'] as const)(
    'B96 waits on where its caller may use the tool no longer, and goes on when it may again (%s)',
    async (kind) => {
      const factsSince = await watch(kind)
      const { stub, back } = await park(kind)
      await permit(`${kind}__confirm`, false)
      const unknown = { code: -32602, message: `Unknown tool: ${kind}__confirm` }
      expect((await call(kind, back)).error).toEqual(unknown)
      const waiting = await eventuallyRefused(stub, back, unknown)
      await permit(`${kind}__confirm`, true)
      await eventually(HEARD_MS, async () =>
        expect((await call(kind, waiting)).result?.content[0].text).toMatch(/^accept/),
      )
      expect(await factsSince()).toEqual({ runs: 1, cancelled: [] })
    },
  )

  it.each(['inviting', 'silent'] as const)(
    'ends when nobody comes back, and the %s upstream is told (B109)',
    async (kind) => {
      const factsSince = await watch(kind)
      const { stub, back } = await park(kind)
      expect(await runDurableObjectAlarm(stub)).toBe(true)
      expect((await call(kind, back)).error.message).toMatch(/state/i)
      const { runs, cancelled } = await factsSince()
      expect([runs, cancelled.length]).toEqual([1, 1])
    },
  )
})
