/**
 * Bytes that all requests of an isolate may hold at once (reliability.md, F67). Nobody waits for them: whoever waited
 * would hold on to what it has taken so far. Knows neither what is held nor what becomes of those who are told no.
 */
export class ByteBudget {
  readonly #maxBytes: number
  #heldBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  /**
   * Nothing is held yet. `signal`: gives back whatever is held when it aborts, since nothing else may run then; absent:
   * the holder belongs to no request.
   */
  open(signal?: AbortSignal): Hold {
    return new Hold(this.#change, signal)
  }

  /** False: there is not so much left, and nothing has changed. */
  readonly #change = (bytes: number): boolean => {
    if (bytes > 0 && this.#heldBytes + bytes > this.#maxBytes) return false
    this.#heldBytes += bytes
    return true
  }
}

/** What one holder has of the budget. */
export class Hold {
  readonly #change: (bytes: number) => boolean
  readonly #signal: AbortSignal | undefined
  readonly #onAbort = (): void => this.release()
  #bytes = 0
  #isOver = false

  constructor(change: (bytes: number) => boolean, signal: AbortSignal | undefined) {
    this.#change = change
    this.#signal = signal
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Holds so many bytes from here on, more or fewer than before. False: there are not so many, or it is over. */
  resize(bytes: number): boolean {
    if (this.#isOver || this.#signal?.aborted || !this.#change(bytes - this.#bytes)) return false
    // Most never hold anything, and every call comes by here.
    if (this.#bytes === 0 && bytes > 0) this.#signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (this.#bytes > 0 && bytes === 0) this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#bytes = bytes
    return true
  }

  /** Gives everything back, for good. A second time does nothing. */
  release(): void {
    this.#isOver = true
    if (this.#bytes === 0) return
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#change(-this.#bytes)
    this.#bytes = 0
  }

  /** Hands what is held to another holder, who gives it back when `signal` aborts; this one is over. */
  moveTo(signal: AbortSignal): Hold {
    const next = new Hold(this.#change, signal)
    const bytes = this.#bytes
    this.release()
    next.resize(bytes)
    return next
  }
}
