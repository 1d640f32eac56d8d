/**
 * Of the connections that may wait for response headers at once in one invocation, those that work done side by side
 * may use. The platform queues the seventh without a word, so a wait whose time began when it was asked for would end
 * before it was sent (reliability.md, section 2). Two are left for whatever else the invocation asks, storage first.
 */
const SLOTS = 4

export class Slots {
  readonly #waiting: (() => void)[] = []
  #free: number

  /** More than those are for what is no connection, such as Durable Objects. */
  constructor(slots = SLOTS) {
    this.#free = slots
  }

  /** Begins the work when a slot is free, in the order of asking: deadlines of the work belong inside it. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((granted) => this.#waiting.push(granted))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}
