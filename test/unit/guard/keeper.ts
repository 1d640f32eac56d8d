/** The gate of one service, as the object keeps it, and the book of what it granted and of what became of that. */
import type { Admission, AdmitRequest } from '../../../src/guard/admission.ts'
import type { Breaker } from '../../../src/guard/breaker.ts'
import { Gate, type SavedGate } from '../../../src/guard/gate.ts'

/** How the book stands at one moment. */
export type Mark = {
  readonly at: number
  /** Calls let through so far. */
  readonly gone: number
  /** Tokens that are out: granted, and neither used nor given back nor lost on the way. */
  readonly outstanding: number
}

export class Keeper {
  gate = new Gate()
  saved: SavedGate = this.gate.saved
  readonly records: string[] = []
  /** What the breaker was after each question. */
  readonly breakers: (Breaker & { readonly at: number })[] = []
  /** Before and after each event. */
  readonly book: Mark[] = []
  #gone = 0
  #outstanding = 0

  admit(request: AdmitRequest, now: number, random: number): Admission {
    const admission = this.gate.admit(request, now, random)
    this.saved = this.gate.saved
    this.records.push(...request.report.records)
    this.breakers.push({ ...this.gate.breaker, at: now })
    this.#note(now, 0, (admission.is === 'go' ? (admission.tokens ?? 0) : 0) - request.report.unused)
    return admission
  }

  /** A call was let through. */
  go(now: number): void {
    this.#note(now, 1, -1)
  }

  /** Tokens that were granted came too late, or not at all. */
  lose(now: number, tokens: number): void {
    this.#note(now, 0, -tokens)
  }

  #note(at: number, gone: number, outstanding: number): void {
    this.book.push({ at, gone: this.#gone, outstanding: this.#outstanding })
    this.#gone += gone
    this.#outstanding += outstanding
    this.book.push({ at, gone: this.#gone, outstanding: this.#outstanding })
  }

  /** The object loses its memory, and these tokens that it had not written down. */
  evict(bucket = this.saved.bucket): void {
    this.gate = new Gate({ ...this.saved, bucket })
  }
}
