import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Figures } from '../../../src/admin/figures.ts'
import { Survey } from '../../../src/admin/survey.ts'
import { err, ok } from '../../../src/platform/result.ts'
import { figuresOf, serviceOf } from '../../support/figures.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const services = (count: number) => Array.from({ length: count }, (_, at) => serviceOf({ name: `s${at}` }))
const after = <T>(ms: number, value: T): Promise<T> =>
  new Promise((resolve) => setTimeout(() => resolve(value), ms))
const never: Promise<never> = new Promise(() => undefined)

/** What is known of which services, and how long it took to know. */
async function survey(glance: Figures, count: number): Promise<{ known: boolean[]; tookMs: number }> {
  const startedAt = Date.now()
  const asked = new Survey({ glance, clock: Date.now }).of(services(count))
  let tookMs = Number.NaN
  void asked.then(() => (tookMs = Date.now() - startedAt))
  await vi.advanceTimersByTimeAsync(20_000)
  return { known: (await asked).map(({ figures }) => figures !== undefined), tookMs }
}

describe('a survey', () => {
  it('asks side by side, and gives what it hears in the order of the services', async () => {
    const { known, tookMs } = await survey(() => after(100, ok(figuresOf())), 32)
    expect(known).toEqual(Array.from({ length: 32 }, () => true))
    expect(tookMs).toBe(200)
  })

  it('leaves out a guard that hangs or is lost, and hears the others', async () => {
    const glance: Figures = ({ name }) =>
      name === 's1' ? never : after(10, name === 's2' ? err('lost') : ok(figuresOf()))
    const { known, tookMs } = await survey(glance, 5)
    expect(known).toEqual([true, false, false, true, true])
    expect(tookMs).toBe(500)
  })

  it('is over in time, however many guards hang', async () => {
    const { known, tookMs } = await survey(() => never, 800)
    expect(known).toHaveLength(800)
    expect(tookMs).toBeLessThanOrEqual(5_000)
  })

  it('asks no more guards than an invocation may', async () => {
    const glance = vi.fn<Figures>(async () => ok(figuresOf()))
    const { known } = await survey(glance, 1_500)
    expect(known).toHaveLength(1_500)
    expect(glance.mock.calls.length).toBeLessThan(1_000)
  })

  it('asks the guards of a snapshot once in a second, however often somebody looks', async () => {
    const glance = vi.fn<Figures>(async () => ok(figuresOf()))
    const shared = new Survey({ glance, clock: Date.now })
    const [one, other] = [services(2), services(2)]
    for (let at = 0; at < 9; at++) {
      await shared.of(one)
      await vi.advanceTimersByTimeAsync(100)
    }
    expect(glance).toHaveBeenCalledTimes(2)
    await shared.of(other)
    expect(glance).toHaveBeenCalledTimes(4)
    await vi.advanceTimersByTimeAsync(100)
    await shared.of(one)
    expect(glance).toHaveBeenCalledTimes(6)
  })
})
