/**
 * The bytes of a request, never more than the limit and never longer than its time (B22, B23, F41). A transfer that
 * breaks off, or is no transfer at all, is the client's doing (B38).
 */
import type { Hold } from '../platform/budget.ts'
import { within } from '../platform/deadline.ts'
import { err, ok, type Result } from '../platform/result.ts'
import { LIMITS } from './limits.ts'
import { holdText, MEMORY_BACK_MS } from './memory.ts'
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
  return (await within(LIMITS.bodyTimeoutMs, readPieces(request, hold))) ?? err({ why: 'body_timeout' })
}

async function readPieces(request: Request, hold: Hold | undefined): Promise<Result<Uint8Array, Refusal>> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.length
    if (size > LIMITS.bodyBytes) return err({ why: 'too_large' })
    if (hold && !holdText(hold, size)) return err({ why: 'unavailable', retryAfterMs: MEMORY_BACK_MS })
    chunks.push(chunk)
  }
  return ok(new Uint8Array(await new Blob(chunks).arrayBuffer()))
}
