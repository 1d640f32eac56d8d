/** The audit log: who did what, when, with what outcome. Each organisation reads its own. */
import { Hono } from 'hono'
import * as z from 'zod'
import { err, ok, type Result } from '../platform/result.ts'
import type { AuditPlace, AuditQuery, AuditRow } from '../storage/audit.ts'
import type { DatabaseFault } from '../storage/database.ts'
import type { AdminEnv, Handler } from './env.ts'
import { type Problem, readUnanswered, respondWithProblem, schemaBehind } from './problem.ts'

export type AuditPorts = {
  readonly audit: {
    readonly read: (
      organisationId: string,
      query: AuditQuery,
    ) => Promise<Result<readonly AuditRow[], DatabaseFault>>
  }
}

export function auditRoutes({ audit }: AuditPorts): Hono<AdminEnv> {
  const list: Handler = async (c) => {
    const query = readQuery(c.req.query())
    if (!query.ok) return respondWithProblem(query.error)
    const { limit } = query.value
    // One more than is shown tells whether there is another page.
    const rows = await audit.read(c.get('principal').organisationId, { ...query.value, limit: limit + 1 })
    if (!rows.ok) return respondWithProblem(rows.error.why === 'schema' ? schemaBehind : readUnanswered)
    return Response.json(pageOf(rows.value, limit), { headers: { 'cache-control': 'no-store' } })
  }
  return new Hono<AdminEnv>().get('/api/v1/audit', list)
}

function pageOf(rows: readonly AuditRow[], limit: number) {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const items = shown.map(({ id, time, actor, action, target, outcome, detail }) => ({
    id,
    time: time.toISOString(),
    actor,
    action,
    target,
    outcome,
    detail: detail ?? {},
  }))
  return last && rows.length > limit ? { items, nextCursor: `${last.micros}.${last.id}` } : { items }
}

const MAX_LIMIT = 1_000
const CURSOR = /^(\d{1,18})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

const time = z.iso
  .datetime({ offset: true, error: 'must be a time such as 2026-11-21T14:00:00Z' })
  .transform((text) => new Date(text))
const text = z.string().regex(/^[^\p{Cc}]{1,256}$/u, 'must be 1 to 256 characters')

const schema = z.strictObject({
  from: time.optional(),
  to: time.optional(),
  actor: text.optional(),
  action: text.optional(),
  outcome: text.optional(),
  target: text.optional(),
  cursor: z
    .string()
    .regex(CURSOR, 'must be one that a list gave as nextCursor')
    .transform(placeOf)
    .optional(),
  limit: z
    .string()
    .regex(/^\d{1,4}$/, `must be a whole number from 1 to ${MAX_LIMIT}`)
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= MAX_LIMIT, `must be a whole number from 1 to ${MAX_LIMIT}`)
    .default(100),
})

function placeOf(cursor: string): AuditPlace {
  const [, micros = '', id = ''] = CURSOR.exec(cursor) ?? []
  return { micros, id }
}

function readQuery(given: Readonly<Record<string, string>>): Result<AuditQuery, Problem> {
  const parsed = schema.safeParse(given)
  if (!parsed.success) return err(invalidQuery(parsed.error.issues))
  const { cursor, ...rest } = parsed.data
  return ok({ ...rest, after: cursor })
}

function invalidQuery(issues: readonly z.core.$ZodIssue[]): Problem {
  const errors = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((field) => ({ field, message: 'is not a known filter' }))
      : [{ field: issue.path.join('.'), message: issue.message }],
  )
  const detail = errors.map(({ field, message }) => `${field} ${message}`).join('; ')
  return { status: 400, code: 'invalid_query', title: 'Invalid query', detail, errors }
}
