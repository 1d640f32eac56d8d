import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { timed } from '../../../src/platform/deadline.ts'
import { Slots } from '../../../src/platform/slots.ts'
import { atTheEdge } from '../../support/slots.ts'

const CALLS = 24
const ANSWERED_AFTER_MS = 300
const DEADLINE_MS = 450

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** An upstream that answers after its time, or not at all when the caller gives up. */
const upstream = (_: string, init?: RequestInit): Promise<Response> =>
  new Promise((resolve, reject) => {
    setTimeout(() => resolve(new Response('here')), ANSWERED_AFTER_MS)
    init?.signal?.addEventListener('abort', () => reject(new Error('given up')))
  })

/** How many of so many calls at once are answered in their time. */
async function answered(begin: (call: () => Promise<Response>) => Promise<Response>): Promise<number> {
  const fetch = atTheEdge(upstream)
  const call = () => timed(DEADLINE_MS, ({ signal }) => fetch('https://upstream/', { signal }))
  const all = Promise.allSettled(Array.from({ length: CALLS }, () => begin(call)))
  await vi.runAllTimersAsync()
  return (await all).filter(({ status }) => status === 'fulfilled').length
}

describe('many calls at once, of 300 ms each and with 450 ms for each, over six connections', () => {
  it('F31 are all answered when their time begins with their slot', async () => {
    const slots = new Slots()
    expect(await answered((call) => slots.use(call))).toBe(CALLS)
  })

  it('F31 are lost but for the first six when it begins with the asking', async () => {
    expect(await answered((call) => call())).toBe(6)
  })
})

describe('a slot', () => {
  it('is given to the next in the order of asking, whatever became of the work before', async () => {
    vi.useRealTimers()
    const slots = new Slots()
    const begun: number[] = []
    const works = Array.from({ length: 12 }, (_, at) =>
      slots.use(async () => {
        begun.push(at)
        await sleep(1)
        if (at % 2 === 0) throw new Error('lost')
      }),
    )
    expect(begun).toEqual([0, 1, 2, 3])
    await Promise.allSettled(works)
    expect(begun).toEqual(works.map((_, at) => at))
  })
})
