import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openOutlet } from '../../../src/platform/outlet.ts'

const KIB = 1_024
const BOUNDS = {
  maxHeldBytes: 256 * KIB,
  unreadMs: 30_000,
  idle: { everyMs: 15_000, text: ': idle\n' },
  totalMs: 3_600_000,
  clock: () => Date.now(),
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('a listener who reads no more', () => {
  it('F40 is let go when more waits for it than may wait, and one text', async () => {
    const { write, closed, stream } = openOutlet(BOUNDS)
    let written = 0
    while (!closed.aborted) {
      write('x'.repeat(10 * KIB))
      written += 10 * KIB
    }
    expect((await new Response(stream).text()).length).toBeLessThanOrEqual(written)
    expect(written).toBeLessThan(BOUNDS.maxHeldBytes + 30 * KIB)
  })

  it('F40 is let go after 30 s, a look sooner or later, and what waited is dropped', async () => {
    const { write, closed, stream } = openOutlet(BOUNDS)
    write('first')
    await vi.advanceTimersByTimeAsync(29_000)
    expect(closed.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(16_000)
    expect(closed.aborted).toBe(true)
    await expect(stream.getReader().read()).rejects.toThrow('The reader takes nothing.')
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a listener who reads', () => {
  it('stays for as long as it takes something now and then, and hears that the gateway is there', async () => {
    const { write, closed, stream } = openOutlet(BOUNDS)
    const reader = stream.getReader()
    for (let at = 0; at < 40; at++) write(`${at} `)
    for (let at = 0; at < 40; at++) {
      await vi.advanceTimersByTimeAsync(15_000)
      expect(new TextDecoder().decode((await reader.read()).value)).toBe(`${at} `)
    }
    expect(closed.aborted).toBe(false)
    expect(new TextDecoder().decode((await reader.read()).value)).toBe(': idle\n')
  })

  it('stays while there is nothing to read', async () => {
    const { closed, stream } = openOutlet(BOUNDS)
    const text = new Response(stream).text()
    await vi.advanceTimersByTimeAsync(120_000)
    expect(closed.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(await text).toMatch(/^(: idle\n){239,240}$/)
  })
})
