/**
 * What a legacy upstream asks beside the stream of a call, on the listening stream of the session: servers that do not
 * say which call a request of theirs belongs to send it there (2025-11-25, "Listening for Messages from the Server").
 * A call of a caller without a session of its own is the only one who could answer, so it listens while it lasts.
 */
import { within } from '../platform/deadline.ts'
import { LIMITS } from '../protocol/limits.ts'
import type { Connection, Dialect } from './connection.ts'
import { type Incoming, NO_PLACE, readIncoming, type ReadOptions } from './incoming.ts'
import { listenTo } from './listen.ts'

export type Beside = {
  /** Whether nothing is missed from the start. */
  readonly isHeard: boolean
  /** The next request, the same one until it is taken. Never settles where none comes. */
  next(): Promise<Incoming>
  take(): void
  close(): void
}

/** Settles when the upstream has a stream to ask on, or has none to offer, or after so long. */
export async function listenBeside(
  connection: Connection,
  dialect: Dialect,
  waitMs: number = LIMITS.hearMs,
): Promise<Beside> {
  const over = new AbortController()
  const { promise: isOpen, resolve: open } = Promise.withResolvers<true>()
  const source = listenTo(connection, dialect, '{}', over.signal, () => open(true))
  const read = async (): Promise<Incoming> => {
    for (;;) {
      const { done, value } = await source.next()
      if (done) break
      // Where it stood there is no place in the stream of the call, which is the one that is taken up again.
      if (value.is === 'request') return { ...value, place: NO_PLACE }
    }
    open(true)
    return await new Promise<Incoming>(() => undefined)
  }
  let next: Promise<Incoming> | undefined
  const beside = {
    next: (): Promise<Incoming> => (next ??= read()),
    take: (): void => {
      next = undefined
    },
    close: (): void => over.abort(),
  }
  void beside.next()
  const isHeard = await within(waitMs, isOpen)
  return { ...beside, isHeard: isHeard ?? false }
}

export type BesideOptions = Required<Omit<ReadOptions, 'letGo'>> & { readonly beside: Beside | undefined }

/** Everything that the stream of a call says, and what is asked beside it meanwhile. Silence is that of both. */
export async function* readWithBeside(
  response: Response,
  { beside, idleMs, ...options }: BesideOptions,
): AsyncGenerator<Incoming, void, void> {
  if (!beside) return yield* readIncoming(response, { ...options, idleMs })
  const over = new AbortController()
  const unhurried = { ...options, idleMs: () => Number.POSITIVE_INFINITY, letGo: over.signal }
  const stream = readIncoming(response, unhurried)
  try {
    let said: Promise<IteratorResult<Incoming, void>> | undefined
    for (;;) {
      said ??= stream.next()
      const afterMs = idleMs()
      const first = await within(afterMs, Promise.race([said, beside.next()]))
      if (!first) return yield { is: 'fault', fault: { is: 'timeout', afterMs } }
      if ('is' in first) {
        beside.take()
        yield first
      } else if (first.done) return
      else {
        said = undefined
        yield first.value
      }
    }
  } finally {
    over.abort()
    void stream.return()
  }
}
