/** The profiler of the isolate behind a gateway, asked of workerd's inspector (Chrome DevTools Protocol). */
import { once } from 'node:events'
import type { Profile } from './attribution.ts'

/** The name that `local/capnp.ts` gives the Worker. */
const WORKER = 'gateway'
const OPEN_WITHIN_MS = 5_000
const SAMPLE_EVERY_US = 200

type Reply = {
  readonly id?: number
  readonly result?: { readonly profile?: Profile }
  readonly error?: { readonly message: string }
}

export class Profiler {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (reply: Reply) => void>()
  #lastId = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => {
      const reply: Reply = JSON.parse(String(data))
      // What the inspector says unasked has no id.
      if (reply.id === undefined) return
      this.#waiting.get(reply.id)?.(reply)
      this.#waiting.delete(reply.id)
    })
  }

  /** `address`: where the inspector listens. */
  static async open(address: string): Promise<Profiler> {
    const socket = new WebSocket(`ws://${address}/${WORKER}`)
    await once(socket, 'open', { signal: AbortSignal.timeout(OPEN_WITHIN_MS) })
    return new Profiler(socket)
  }

  /** What was at work while `run` ran. An isolate without work does not answer: `run` gives it some. */
  async profile<T>(run: () => Promise<T>): Promise<{ readonly profile: Profile; readonly value: T }> {
    await this.#ask('Profiler.enable')
    await this.#ask('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_US })
    await this.#ask('Profiler.start')
    const value = await run()
    const { profile } = await this.#ask('Profiler.stop')
    if (!profile) throw new Error('The inspector gave no profile.')
    return { profile, value }
  }

  close(): void {
    this.#socket.close()
  }

  async #ask(method: string, params: object = {}): Promise<NonNullable<Reply['result']>> {
    const id = ++this.#lastId
    this.#socket.send(JSON.stringify({ id, method, params }))
    const { result, error } = await new Promise<Reply>((resolve) => this.#waiting.set(id, resolve))
    if (error) throw new Error(`The inspector refused ${method}: ${error.message}`)
    // workerd answers by the command itself where nothing is asked for.
    return result ?? {}
  }
}
