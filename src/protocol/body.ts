/**
 * The bytes of a request, never more than the limit and never longer than its time (B22, B23, F41). A transfer that
 * breaks off, or is no transfer at all, is the client's doing (B38).
 */
import { within } from '../platform/deadline.ts'
import { err, ok, type Result } from '../platform/result.ts'
import { LIMITS } from './limits.ts'
import type { Refusal } from './refusal.ts'

export async function readBody(request: Request): Promise<Result<Uint8Array, Refusal>> {
  try {
    return await readInTime(request)
  } catch {
    return err({ why: 'parse_error' })
  }
}

async function readInTime(request: Request): Promise<Result<Uint8Array, Refusal>> {
  const declared = Number(request.headers.get('content-length') ?? Number.NaN)
  if (declared > LIMITS.bodyBytes) return err({ why: 'too_large' })
  // A small body comes with its headers; a timer for each would cost every caller more than a slow one costs us.
  if (declared <= LIMITS.untimedBodyBytes) return await readDeclared(request)
  const read = Number.isNaN(declared) ? readChunked(request) : readDeclared(request)
  return (await within(LIMITS.bodyTimeoutMs, read)) ?? err({ why: 'body_timeout' })
}

/** The platform reads no further than declared. */
const readDeclared = async (request: Request): Promise<Result<Uint8Array, Refusal>> =>
  ok(new Uint8Array(await request.arrayBuffer()))

async function readChunked(request: Request): Promise<Result<Uint8Array, Refusal>> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.length
    if (size > LIMITS.bodyBytes) return err({ why: 'too_large' })
    chunks.push(chunk)
  }
  return ok(new Uint8Array(await new Blob(chunks).arrayBuffer()))
}
