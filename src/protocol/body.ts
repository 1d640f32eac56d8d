/**
 * The bytes of a request, never more than the limit and never longer than its time (B22, B23, F41). A transfer that
 * breaks off, or is no transfer at all, is the client's doing (B38).
 */
import type { Hold } from '../platform/budget.ts'
import { within } from '../platform/deadline.ts'
import { err, ok, type Result } from '../platform/result.ts'
import { LIMITS } from './limits.ts'
import { free, holdText, MEMORY_BACK_MS } from './memory.ts'
import type { Refusal } from './refusal.ts'

/**
 * `hold` counts what is too large to come with its headers; whoever passed it gives it back (F67). Absent: the sender
 * is trusted not to send too much at once.
 */
export async function readBody(request: Request, hold?: Hold): Promise<Result<Uint8Array, Refusal>> {
  try {
    return await readInTime(request, hold)
  } catch {
    return err({ why: 'parse_error' })
  }
}

async function readInTime(request: Request, hold: Hold | undefined): Promise<Result<Uint8Array, Refusal>> {
  const declared = Number(request.headers.get('content-length') ?? Number.NaN)
  if (declared > LIMITS.bodyBytes) return err({ why: 'too_large' })
  // A small body comes with its headers; a timer for each would cost every caller more than a slow one costs us.
  if (declared <= LIMITS.untimedBodyBytes) return ok(new Uint8Array(await request.arrayBuffer()))
  if (!request.body) return ok(new Uint8Array())
  const maxBytes = Number.isNaN(declared) ? LIMITS.bodyBytes : declared
  const read = await within(LIMITS.bodyTimeoutMs, readWhole(request.body, maxBytes, hold))
  if (!read) return err({ why: 'body_timeout' })
  if (read.ok) return read
  return err(
    read.error === 'too_large' ? { why: 'too_large' } : { why: 'unavailable', retryAfterMs: MEMORY_BACK_MS },
  )
}

/** Why a body is not taken. */
export type Excess = 'too_large' | 'no_memory'

/** A reading costs more than what it brings; but what it may bring counts before it has come. */
const FIRST_READING_BYTES = 16_384
const MOST_READING_BYTES = 262_144

/** All of a body that the runtime itself reads. `hold` counts it on the way; rejects where it breaks off. */
export async function readWhole(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
  hold: Hold | undefined,
): Promise<Result<Uint8Array<ArrayBuffer>, Excess>> {
  const pieces: Uint8Array<ArrayBuffer>[] = []
  try {
    const excess = await readPieces(body.getReader({ mode: 'byob' }), maxBytes, hold, pieces)
    return excess === undefined ? ok(join(pieces)) : err(excess)
  } finally {
    for (const piece of pieces) free(piece)
  }
}

async function readPieces(
  reader: ReadableStreamBYOBReader,
  maxBytes: number,
  hold: Hold | undefined,
  pieces: Uint8Array<ArrayBuffer>[],
): Promise<Excess | undefined> {
  const giveUp = (excess: Excess): Excess => {
    reader.cancel().catch(() => undefined)
    return excess
  }
  for (let size = 0; ;) {
    const more = Math.min(Math.max(size, FIRST_READING_BYTES), MOST_READING_BYTES, maxBytes - size)
    if (hold && !holdText(hold, size + more)) return giveUp('no_memory')
    // One byte more than may come: without it, the body is over.
    const { value } = await reader.readAtLeast(more + 1, new Uint8Array(more + 1))
    if (value) pieces.push(value)
    size += value?.length ?? 0
    if (size > maxBytes) return giveUp('too_large')
    if (value?.length === more + 1) continue
    if (hold) holdText(hold, size)
    return undefined
  }
}

function join(pieces: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
    free(piece)
  }
  return bytes
}
