/** The heap of an isolate, as rows look at it. */
import { Inspector } from '../../test/support/inspector.ts'

export type Heap = {
  /** Bytes in use: objects and the stores behind byte arrays. */
  used(): Promise<number>
  /** The same, after what is no longer needed was collected. */
  settled(): Promise<number>
  close(): void
}

/** `address`: where workerd's inspector listens. `wake` gives the isolate a little to do, and never rejects. */
export async function openHeap(address: string, wake: () => Promise<unknown>): Promise<Heap> {
  const inspector = await Inspector.open(address)
  return {
    used: () => inspector.heapBytes(),
    async settled() {
      await inspector.collect(wake)
      return await inspector.heapBytes()
    },
    close: () => inspector.close(),
  }
}
