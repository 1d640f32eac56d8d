/** How handlers that have nothing to say of upstreams answer: in JSON, or with the problem that they ran into. */
import type { Context } from 'hono'
import type { Directory } from '../identity/directory.ts'
import { ok, type Result } from '../platform/result.ts'
import type { AdminEnv, Handler } from './env.ts'
import { pageOf } from './page.ts'
import { type Problem, respondWithProblem } from './problem.ts'

export type Answered = Result<Response, Problem>

export const answering =
  (answer: (c: Context<AdminEnv>) => Promise<Answered>): Handler =>
  async (c) => {
    const answered = await answer(c)
    return answered.ok ? answered.value : respondWithProblem(answered.error)
  }

const UNCACHED = { 'cache-control': 'no-store' } as const

export const whole = (value: object, status = 200): Answered =>
  ok(Response.json(value, { status, headers: UNCACHED }))

/** Something changed, with the state of the directory that it is of. */
export const changed = (value: object, { version }: Directory): Answered =>
  ok(Response.json(value, { headers: { ...UNCACHED, etag: `"${version.toString(36)}"` } }))

export function page(items: readonly object[], c: Context<AdminEnv>): Answered {
  const texts = items.map((item) => JSON.stringify(item))
  const paged = pageOf(texts, c.req.query())
  if (!paged.ok) return paged
  return ok(new Response(paged.value, { headers: { 'content-type': 'application/json', ...UNCACHED } }))
}
