/**
 * A number that tells lists apart: two lanes of 32 bits in the manner of FNV-1a, which need no big integers.
 * Told apart, not protected: who could make two lists collide could as well leave one unchanged.
 */
const PRIME_A = 0x01000193
const PRIME_B = 0x85ebca6b

export class Fingerprint {
  #a = 0x811c9dc5
  #b = 0x9747b28c

  /** Adds one item; where it ends counts, so `ab`, `c` is not `a`, `bc`. */
  add(text: string): this {
    for (let at = 0; at < text.length; at++) this.#mix(text.charCodeAt(at))
    this.#mix(0x1_0000)
    return this
  }

  toString(): string {
    return `${(this.#a >>> 0).toString(36)}-${(this.#b >>> 0).toString(36)}`
  }

  #mix(code: number): void {
    this.#a = Math.imul(this.#a ^ code, PRIME_A)
    this.#b = Math.imul(this.#b ^ code, PRIME_B)
    this.#b ^= this.#b >>> 15
  }
}
