/** Counts listening streams: what one caller holds open must leave room for the others (B108). */
import type { Principal } from '../identity/principal.ts'
import type { Session } from '../identity/session.ts'
import { LIMITS } from '../protocol/limits.ts'

/** A place for one stream. */
export type Slot = {
  /** Gives the place back; a second time does nothing. */
  release(): void
  /** The response, whose end gives the place back. */
  hold(response: Response): Response
}

export class Listens {
  readonly #maxPerPrincipal: number
  readonly #held = new Map<string, number>()
  #total = 0

  constructor(maxPerPrincipal: number) {
    this.#maxPerPrincipal = maxPerPrincipal
  }

  get total(): number {
    return this.#total
  }

  /** For a modern caller, which opens a stream for each thing that it follows. `undefined`: there are too many. */
  takeForPrincipal({ organisationId, subject }: Principal): Slot | undefined {
    return this.#take(`principal|${organisationId}|${subject}`, this.#maxPerPrincipal)
  }

  /** For a legacy session, which has one stream, and the one before it that may not have noticed its end yet. */
  takeForSession({ name }: Session): Slot | undefined {
    return this.#take(`session|${name}`, LIMITS.listensPerSession)
  }

  #take(holder: string, max: number): Slot | undefined {
    const held = this.#held.get(holder) ?? 0
    if (held >= max || this.#total >= LIMITS.listensPerIsolate) return undefined
    this.#total++
    this.#held.set(holder, held + 1)
    let isHeld = true
    const release = (): void => {
      if (!isHeld) return
      isHeld = false
      this.#total--
      const left = (this.#held.get(holder) ?? 1) - 1
      if (left > 0) this.#held.set(holder, left)
      else this.#held.delete(holder)
    }
    return { release, hold: (response) => releasedAtEnd(response, release) }
  }
}

function releasedAtEnd(response: Response, release: () => void): Response {
  if (!response.ok || !response.body) {
    release()
    return response
  }
  const source = response.body.getReader()
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await source.read()
        if (value) controller.enqueue(value)
        if (!done) return
      } catch {
        // The other end broke off; for the reader that is the end.
      }
      release()
      controller.close()
    },
    cancel() {
      release()
      source.cancel().catch(() => undefined)
    },
  })
  return new Response(stream, response)
}
