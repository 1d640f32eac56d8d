/**
 * What is kept in memory in case it is wanted again, within a bound of bytes that is part of what all requests of an
 * isolate may hold. What was not wanted for longest makes room.
 */
import type { Hold } from './budget.ts'

type Item<Value> = { readonly value: Value; readonly bytes: number }

export class Shelf<Value> {
  readonly #maxBytes: number
  readonly #hold: Hold
  readonly #items = new Map<string, Item<Value>>()
  #bytes = 0

  /** `hold`: nobody else's, and open for as long as the shelf. */
  constructor(maxBytes: number, hold: Hold) {
    this.#maxBytes = maxBytes
    this.#hold = hold
  }

  get bytes(): number {
    return this.#bytes
  }

  get(key: string): Value | undefined {
    const item = this.#items.get(key)
    if (!item) return undefined
    this.#items.delete(key)
    this.#items.set(key, item)
    return item.value
  }

  /** Puts it in the place of what was there. Where there is no room even on an empty shelf, or no memory, nothing is. */
  put(key: string, value: Value, bytes: number): void {
    this.remove(key)
    if (bytes > this.#maxBytes) return
    for (const oldest of this.#items.keys()) {
      if (this.#bytes + bytes <= this.#maxBytes) break
      this.remove(oldest)
    }
    if (!this.#hold.resize(this.#bytes + bytes)) return
    this.#items.set(key, { value, bytes })
    this.#bytes += bytes
  }

  remove(key: string): void {
    const item = this.#items.get(key)
    if (!item) return
    this.#items.delete(key)
    this.#bytes -= item.bytes
    this.#hold.resize(this.#bytes)
  }
}
