/**
 * Asking a Durable Object. Objects are evicted, restarted and overloaded as a matter of course, so what one throws
 * is an expected loss: it is logged, and goes no further than this file (F43, F44, F47).
 */
import { wait } from '../platform/deadline.ts'
import { err, ok, type Result } from '../platform/result.ts'
import type { Refusal } from '../protocol/refusal.ts'
import type { Log } from '../telemetry/log.ts'

/** `overloaded`: the object took nothing on. `lost`: what it did before it was lost cannot be known. */
export type Loss = 'overloaded' | 'lost'

export type Reach = {
  once<T>(work: () => Promise<T>): Promise<Result<T, Loss>>
  /** For what may be done twice: once more where the runtime says that this helps. `work` takes a stub of its own. */
  again<T>(work: () => Promise<T>): Promise<Result<T, Loss>>
}

/** What the caller is told of a loss after which it may simply try again. */
export const AWAY: Refusal = { why: 'unavailable', retryAfterMs: 1_000 }

const RETRY_WITHIN_MS = 50

export function openReach(log: Log): Reach {
  const lossOf = (error: unknown): Loss => {
    const loss = isMarked(error, 'overloaded') ? 'overloaded' : 'lost'
    log('error', 'object_failed', { loss, error: error instanceof Error ? error.message : String(error) })
    return loss
  }
  const once: Reach['once'] = async (work) => {
    try {
      return ok(await work())
    } catch (error) {
      return err(lossOf(error))
    }
  }
  return {
    once,
    async again(work) {
      try {
        return ok(await work())
      } catch (error) {
        if (!isMarked(error, 'retryable') || isMarked(error, 'overloaded')) return err(lossOf(error))
      }
      await wait(Math.random() * RETRY_WITHIN_MS)
      return await once(work)
    },
  }
}

/** What the runtime notes on the errors of its own. */
const isMarked = (error: unknown, mark: 'retryable' | 'overloaded'): boolean =>
  error instanceof Error && mark in error && Reflect.get(error, mark) === true
