/**
 * The end of one wait, with an owner: `signal` aborts when the time is up or when the parent gives up.
 * `expired` tells the two apart. Call `end()` when the wait is over, so that no timer outlives it.
 */
export class Deadline {
  readonly signal: AbortSignal
  readonly #controller = new AbortController()
  #timer: ReturnType<typeof setTimeout>
  readonly #parent: AbortSignal | undefined
  readonly #giveUp = () => {
    this.#gone?.()
    this.cancel()
  }
  #ended: (() => void) | undefined
  #givenUp: (() => void) | undefined
  #gone: (() => void) | undefined
  expired = false

  timeoutMs: number

  constructor(timeoutMs: number, parent?: AbortSignal) {
    this.timeoutMs = timeoutMs
    this.signal = this.#controller.signal
    this.#parent = parent
    this.#timer = this.#arm()
    if (parent?.aborted) this.#controller.abort()
    else parent?.addEventListener('abort', this.#giveUp, { once: true })
  }

  /** Begins the wait anew, with another length. */
  restart(timeoutMs: number): void {
    clearTimeout(this.#timer)
    this.timeoutMs = timeoutMs
    this.#timer = this.#arm()
  }

  #arm(): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      this.expired = true
      this.cancel()
    }, this.timeoutMs)
  }

  /** Leaves it to the parent from here on. */
  disarm(): void {
    clearTimeout(this.#timer)
  }

  /** Gives up at once. */
  cancel(): void {
    this.#controller.abort()
    this.#givenUp?.()
    this.#givenUp = undefined
  }

  /** Called once, in the very event in which the wait is given up; the last one counts. */
  onGiveUp(givenUp: () => void): void {
    this.#givenUp = givenUp
  }

  /** Called in the very event in which the parent gives up: nothing may run after it. */
  onGone(gone: () => void): void {
    this.#gone = gone
  }

  /** Called once, when the wait is over. */
  onEnd(ended: () => void): void {
    this.#ended = ended
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#parent?.removeEventListener('abort', this.#giveUp)
    this.#ended?.()
    this.#ended = undefined
    this.#givenUp = undefined
  }
}

/**
 * The value of `work`, or `undefined` when it takes longer than `timeoutMs`. The work itself goes on:
 * another request may own it. A rejection of `work` passes through.
 */
export async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** What comes of `work`, which heeds a deadline of its own. */
export async function timed<T>(timeoutMs: number, work: (deadline: Deadline) => Promise<T>): Promise<T> {
  const deadline = new Deadline(timeoutMs)
  try {
    return await work(deadline)
  } finally {
    deadline.end()
  }
}

/** Resolves after so long. */
export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
