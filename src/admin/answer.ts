/** How handlers that have nothing to say of upstreams answer: in JSON, or with the problem that they ran into. */
import type { Context } from 'hono'
import { ok, type Result } from '../platform/result.ts'
import type { Page } from './api/shape.ts'
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

/** JSON text as it is. */
export const json = (text: string, status = 200, headers: Readonly<Record<string, string>> = {}): Response =>
  new Response(text, { status, headers: { 'content-type': 'application/json', ...UNCACHED, ...headers } })

export const whole = (value: object, status = 200, etag?: string): Answered =>
  ok(json(JSON.stringify(value), status, etag === undefined ? {} : { etag }))

export const page = (items: readonly object[], place: Page): Answered =>
  ok(
    json(
      pageOf(
        items.map((item) => JSON.stringify(item)),
        place,
      ),
    ),
  )
