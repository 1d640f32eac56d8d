/** The audit log: who did what, when, with what outcome. Each organisation reads its own. */
import { Hono } from 'hono'
import type { Result } from '../platform/result.ts'
import type { AuditQuery, AuditRow } from '../storage/audit.ts'
import type { DatabaseFault } from '../storage/database.ts'
import { listActs } from './api/audit.ts'
import { readQuery } from './body.ts'
import type { AdminEnv, Handler } from './env.ts'
import { mount } from './operation.ts'
import { readUnanswered, respondWithProblem, schemaBehind } from './problem.ts'

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
    const asked = readQuery(c.req.query(), listActs.query)
    if (!asked.ok) return respondWithProblem(asked.error)
    const { cursor: after, limit, ...filters } = asked.value
    // One more than is shown tells whether there is another page.
    const query = { ...filters, after, limit: limit + 1 }
    const rows = await audit.read(c.get('principal').organisationId, query)
    if (!rows.ok) return respondWithProblem(rows.error.why === 'schema' ? schemaBehind : readUnanswered)
    return Response.json(pageOf(rows.value, limit), { headers: { 'cache-control': 'no-store' } })
  }
  const routes = new Hono<AdminEnv>()
  mount(routes, listActs, list)
  return routes
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
