/** The heap of the isolate behind a gateway, asked of workerd's inspector (Chrome DevTools Protocol). */
import { once } from 'node:events'

/** The name that `local/capnp.ts` gives the Worker. */
const WORKER = 'gateway'
const WAKE_EVERY_MS = 50

type Reply = { readonly id: number; readonly result?: any }

export class Inspector {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (result: any) => void>()
  #lastId = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => {
      const { id, result }: Reply = JSON.parse(String(data))
      this.#waiting.get(id)?.(result)
      this.#waiting.delete(id)
    })
  }

  static async open(address: string): Promise<Inspector> {
    const socket = new WebSocket(`ws://${address}/${WORKER}`)
    await once(socket, 'open', { signal: AbortSignal.timeout(5_000) })
    return new Inspector(socket)
  }

  /** What the objects of the isolate take, and the memory behind its buffers; what is not collected yet counts. */
  async heapBytes(): Promise<number> {
    const { usedSize, backingStorageSize = 0 } = await this.#ask('Runtime.getHeapUsage')
    return usedSize + backingStorageSize
  }

  /** Has everything collected that nobody holds. `wake` is a request to the isolate, which collects on its way. */
  async collect(wake: () => Promise<unknown>): Promise<void> {
    // An isolate without work collects nothing, and does not answer.
    const timer = setInterval(() => void wake(), WAKE_EVERY_MS)
    await this.#ask('HeapProfiler.collectGarbage')
    clearInterval(timer)
  }

  close(): void {
    this.#socket.close()
  }

  #ask(method: string): Promise<any> {
    const id = ++this.#lastId
    this.#socket.send(JSON.stringify({ id, method }))
    return new Promise((resolve) => this.#waiting.set(id, resolve))
  }
}
