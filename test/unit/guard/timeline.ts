/** A time of its own, in which seconds of a whole world pass in a moment: timers run in their order, nothing waits. */
import { vi } from 'vitest'
import { NOW } from './request.ts'

type Due = { readonly id: number; readonly at: number; readonly work: () => void }

// The real one: it comes after all that promises have to do.
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export class Timeline {
  now = NOW
  readonly clock = (): number => this.now
  #due: Due[] = []
  #lastId = 0

  /** From here on timers of the code under test are timers of this timeline, until `vi.unstubAllGlobals()`. */
  constructor() {
    vi.stubGlobal('setTimeout', (work: () => void, afterMs: number) => this.after(afterMs, work))
    vi.stubGlobal('clearTimeout', (id: number | undefined) => {
      this.#due = this.#due.filter((each) => each.id !== id)
    })
  }

  after(ms: number, work: () => void): number {
    const id = ++this.#lastId
    const at = this.now + Math.max(0, ms)
    const index = this.#due.findLastIndex((each) => each.at <= at) + 1
    this.#due.splice(index, 0, { id, at, work })
    return id
  }

  readonly wait = (ms: number): Promise<void> => new Promise((resolve) => this.after(ms, resolve))

  /** Lets so much time pass. */
  async run(forMs: number): Promise<void> {
    const end = this.now + forMs
    await settled()
    for (let next = this.#due[0]; next && next.at <= end; next = this.#due[0]) {
      this.#due.shift()
      this.now = Math.max(this.now, next.at)
      next.work()
      await settled()
    }
    this.now = end
  }
}
