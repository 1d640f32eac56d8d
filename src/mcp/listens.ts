/** Counts listening streams: what one caller holds open must leave room for the others (B108). */
import type { Principal } from '../identity/principal.ts'
import { LIMITS } from '../protocol/limits.ts'

/** A place for one stream. */
export type Slot = {
  /** Gives the place back; a second time does nothing. */
  release(): void
  /** The response, whose end gives the place back. */
  hold(response: Response): Response
}

export class Listens {
  readonly #byPrincipal = new Map<string, number>()
  #total = 0

  get total(): number {
    return this.#total
  }

  /** `undefined`: there are too many. */
  take({ organisationId, subject }: Principal): Slot | undefined {
    const key = `${organisationId}|${subject}`
    const held = this.#byPrincipal.get(key) ?? 0
    if (held >= LIMITS.listensPerPrincipal || this.#total >= LIMITS.listensPerIsolate) return undefined
    this.#total++
    this.#byPrincipal.set(key, held + 1)
    let isHeld = true
    const release = (): void => {
      if (!isHeld) return
      isHeld = false
      this.#total--
      const left = (this.#byPrincipal.get(key) ?? 1) - 1
      if (left > 0) this.#byPrincipal.set(key, left)
      else this.#byPrincipal.delete(key)
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
