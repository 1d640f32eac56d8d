/** A time of its own, in which seconds of a whole world pass in a moment: timers run in their order, nothing waits. */
import { vi } from 'vitest'
import { NOW } from './request.ts'

type Due = { readonly id: number; readonly at: number; readonly work: () => void }

// The real one: it comes after all that promises have to do.
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export class Timeline {
  now = NOW
  readonly clock = (): number => this.now
  /** The next one last. */
  readonly #due: Due[] = []
  readonly #waiting = new Set<number>()
  #lastId = 0

  /** From here on timers of the code under test are timers of this timeline, until `vi.unstubAllGlobals()`. */
  constructor() {
    vi.stubGlobal('setTimeout', (work: () => void, afterMs: number) => this.after(afterMs, work))
    vi.stubGlobal('clearTimeout', (id: number) => this.#waiting.delete(id))
  }

  after(ms: number, work: () => void): number {
    const id = ++this.#lastId
    const at = this.now + Math.max(0, ms)
    let [low, high] = [0, this.#due.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#due[middle]?.at ?? 0) > at) low = middle + 1
      else high = middle
    }
    this.#due.splice(low, 0, { id, at, work })
    this.#waiting.add(id)
    return id
  }

  readonly wait = (ms: number): Promise<void> => new Promise((resolve) => this.after(ms, resolve))

  /** Lets so much time pass. */
  async run(forMs: number): Promise<void> {
    const end = this.now + forMs
    await settled()
    for (let next = this.#due.at(-1); next && next.at <= end; next = this.#due.at(-1)) {
      this.#due.pop()
      if (!this.#waiting.delete(next.id)) continue
      this.now = Math.max(this.now, next.at)
      next.work()
      await settled()
    }
    this.now = end
  }
}
