/** What texts take of the memory that all requests of an isolate share (F67). */
import type { Hold } from '../platform/budget.ts'
import { LIMITS } from './limits.ts'

/** Counts so much text, or so many bytes that become one. False: there is no memory left for it. */
export const holdText = (hold: Hold, size: number): boolean =>
  // What is small costs more to count than to hold.
  hold.resize(size > LIMITS.uncountedBytes ? size * LIMITS.memoryPerByte : 0)

/** Gives the memory of bytes back at once: a collector would come to it when it is too late (F67). */
export function free({ buffer }: Uint8Array<ArrayBuffer>): void {
  if (!buffer.detached) buffer.transfer(0)
}

/** Answers are held for as long as they take to pass through. */
export const MEMORY_BACK_MS = 1_000

/** How a stream within the gateway ends that found no memory left: streams can only fail by throwing. */
export class MemorySpent extends Error {}
