import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openOutflow, type Outflow } from '../../../src/platform/outflow.ts'

const KIB = 1_024
const BOUNDS = { idleMs: 30_000, quiet: { afterMs: 15_000, text: ': quiet\n' }, clock: () => Date.now() }

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A stream of these texts; `undefined`: nothing more, for ever. */
function flowOf(texts: readonly (string | undefined)[]) {
  const [onEnd, onAbandon] = [vi.fn<() => void>(), vi.fn<() => void>()]
  let asked = 0
  const next: Outflow['next'] = () => {
    const text = texts[asked++]
    if (text === undefined) return new Promise(() => undefined)
    return Promise.resolve({ text, isLast: asked === texts.length })
  }
  const stream = openOutflow({ next, onEnd, onAbandon }, BOUNDS)
  return { stream, onEnd, onAbandon, asked: () => asked }
}

describe('a reader who takes what there is', () => {
  it('gets every text whole, whatever its length and its characters', async () => {
    const texts = ['a', '', '😀'.repeat(50_000), `x${'😀'.repeat(60_000)}é`, '\n'.repeat(65_536), 'z']
    const { stream, onEnd, onAbandon } = flowOf(texts)
    expect(await new Response(stream).text()).toBe(texts.join(''))
    expect([onEnd, onAbandon].map(({ mock }) => mock.calls.length)).toEqual([1, 0])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('hears of the gateway whenever nothing was said for 15 s', async () => {
    const { stream, onAbandon } = flowOf(['first', undefined])
    const reader = stream.getReader()
    const heard: string[] = []
    const read = async (): Promise<void> => {
      for (;;) heard.push(new TextDecoder().decode((await reader.read()).value))
    }
    read().catch(() => undefined)
    await vi.advanceTimersByTimeAsync(14_000)
    expect(heard).toEqual(['first'])
    await vi.advanceTimersByTimeAsync(32_000)
    expect(heard).toEqual(['first', ': quiet\n', ': quiet\n', ': quiet\n'])
    expect(onAbandon).not.toHaveBeenCalled()
  })

  it('is given all the time that the other side needs, however slow, while something moves', async () => {
    const { stream, onAbandon } = flowOf(['x'.repeat(640 * KIB), 'last'])
    const reader = stream.getReader()
    for (let at = 0; at < 10; at++) {
      await vi.advanceTimersByTimeAsync(29_000)
      expect((await reader.read()).value?.length).toBe(65_536)
    }
    expect(onAbandon).not.toHaveBeenCalled()
  })
})

describe('a reader who stops reading', () => {
  const unread = () => flowOf(Array.from({ length: 1_000 }, () => 'x'.repeat(100 * KIB)))

  it('F40 holds one text, and one piece of it, of all that could be said', async () => {
    const { stream, asked } = unread()
    await vi.advanceTimersByTimeAsync(20_000)
    expect(asked()).toBe(1)
    const reader = stream.getReader()
    expect((await reader.read()).value?.length).toBe(64 * KIB)
    await vi.advanceTimersByTimeAsync(20_000)
    expect(asked()).toBe(1)
  })

  it('F40 is let go after 30 s, and not before', async () => {
    const { stream, onAbandon, onEnd } = unread()
    await vi.advanceTimersByTimeAsync(29_000)
    expect(onAbandon).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1_001)
    expect([onEnd, onAbandon].map(({ mock }) => mock.calls.length)).toEqual([0, 1])
    await expect(stream.getReader().read()).rejects.toThrow('The reader takes nothing.')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('F40 is let go while the other side is silent as well', async () => {
    const { stream, onAbandon } = flowOf(['first', undefined])
    const reader = stream.getReader()
    await reader.read()
    await vi.advanceTimersByTimeAsync(46_000)
    expect(onAbandon).toHaveBeenCalledOnce()
  })

  it('F39 ends everything at once when it goes away', async () => {
    const { stream, onAbandon } = unread()
    await stream.cancel()
    expect(onAbandon).toHaveBeenCalledOnce()
    expect(vi.getTimerCount()).toBe(0)
  })
})
