/** The heap of an isolate, as the runtime's own inspector tells it. */
import { once } from 'node:events'

export type Heap = {
  /** Bytes in use: objects and the stores behind byte arrays. */
  used(): Promise<number>
  /** The same, after what is no longer needed was collected. */
  settled(): Promise<number>
  close(): void
}

const WAKE_EVERY_MS = 50

/**
 * `address`: `host:port` at which the inspector listens. Of several isolates the first is looked into. `wake` gives
 * it a little to do, and never rejects.
 */
export async function openHeap(address: string, wake: () => Promise<unknown>): Promise<Heap> {
  const targets = await (await fetch(`http://${address}/json`)).json()
  const socket = new WebSocket(firstOf(targets))
  await once(socket, 'open')
  const waiting = new Map<number, (result: Record<string, unknown>) => void>()
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data))
    waiting.get(id)?.(result ?? {})
    waiting.delete(id)
  })
  let last = 0
  const ask = (method: string): Promise<Record<string, unknown>> =>
    new Promise((resolve) => {
      waiting.set(++last, resolve)
      socket.send(JSON.stringify({ id: last, method }))
    })
  const used = async (): Promise<number> => {
    const { usedSize, backingStorageSize } = await ask('Runtime.getHeapUsage')
    return Number(usedSize) + Number(backingStorageSize ?? 0)
  }
  return {
    used,
    async settled() {
      // An isolate without work collects nothing, and does not answer.
      const timer = setInterval(() => void wake(), WAKE_EVERY_MS)
      await ask('HeapProfiler.collectGarbage')
      clearInterval(timer)
      return await used()
    },
    close: () => socket.close(),
  }
}

function firstOf(targets: unknown): string {
  const [first] = Array.isArray(targets) ? targets : []
  if (typeof first?.webSocketDebuggerUrl === 'string') return first.webSocketDebuggerUrl
  throw new Error('The inspector knows no isolate.')
}
