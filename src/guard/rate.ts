/** How often something happened lately, per second. Pure but for its own counts: the time is an argument. */
export class RateMeter {
  #second = 0
  #current = 0
  #previous = 0

  note(now: number): void {
    this.#turn(now)
    this.#current++
  }

  /** The count of this second, and of the one before as far as it lies within the last 1,000 ms. */
  perSecond(now: number): number {
    this.#turn(now)
    const share = 1 - (now % 1_000) / 1_000
    return this.#current + this.#previous * share
  }

  #turn(now: number): void {
    const second = Math.floor(now / 1_000)
    if (second === this.#second) return
    this.#previous = second === this.#second + 1 ? this.#current : 0
    this.#current = 0
    this.#second = second
  }
}
