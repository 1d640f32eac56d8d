/** How tools are used, counted for operators. Each organisation counts its own. */
import { Hono } from 'hono'
import type { Clock } from '../platform/clock.ts'
import { err, ok, type Result } from '../platform/result.ts'
import type { DatabaseFault } from '../storage/database.ts'
import { USAGE_NAMES, type UsageGroup, type UsageQuery, type UsageRow } from '../storage/usage.ts'
import { countUsage } from './api/analytics.ts'
import { writePlace } from './api/usage-place.ts'
import { answering, whole } from './answer.ts'
import { readQuery } from './body.ts'
import type { AdminEnv } from './env.ts'
import { mount } from './operation.ts'
import { invalidQuery, type Problem, readUnanswered, schemaBehind } from './problem.ts'

export type UsagePorts = {
  readonly usage: {
    readonly count: (
      organisationId: string,
      query: UsageQuery,
    ) => Promise<Result<readonly UsageRow[], DatabaseFault>>
  }
  readonly clock: Clock
}

const DAY_MS = 86_400_000

const uncounted: Problem = {
  ...readUnanswered,
  detail: 'The database did not answer in time. Try again in a moment, or count a shorter window.',
}

export function usageRoutes({ usage, clock }: UsagePorts): Hono<AdminEnv> {
  const count = answering(async (c) => {
    const asked = readQuery(c.req.query(), countUsage.query)
    if (!asked.ok) return asked
    const { cursor: after, limit, ...filters } = asked.value
    const window = windowOf(after ? { from: new Date(after.from), to: new Date(after.to) } : filters, clock())
    if (!window.ok) return window
    // One more than is shown tells whether there is another page.
    const query = { ...filters, ...window.value, after, limit: limit + 1 }
    const counted = await usage.count(c.get('principal').organisationId, query)
    if (!counted.ok) return err(counted.error.why === 'schema' ? schemaBehind : uncounted)
    return whole(pageOf(counted.value, query))
  })
  const routes = new Hono<AdminEnv>()
  mount(routes, countUsage, count)
  return routes
}

type Window = Pick<UsageQuery, 'from' | 'to'>

/** The day before its end, where it has no beginning. */
function windowOf(
  { from, to }: { readonly from?: Date | undefined; readonly to?: Date | undefined },
  nowMs: number,
): Result<Window, Problem> {
  const end = to ?? new Date(nowMs)
  const begin = from ?? new Date(Math.max(0, end.getTime() - DAY_MS))
  if (begin < end) return ok({ from: begin, to: end })
  return err(invalidQuery([{ field: from ? 'from' : 'to', message: 'must be before the end of the window' }]))
}

function pageOf(rows: readonly UsageRow[], { from, to, groupBy, limit }: UsageQuery) {
  const shown = rows.slice(0, limit - 1)
  const last = rows.length === limit ? shown.at(-1) : undefined
  const place = last && { from: from.getTime(), to: to.getTime(), calls: last.calls, key: last.key }
  return {
    from: from.toISOString(),
    to: to.toISOString(),
    items: shown.map((row) => viewRow(row, groupBy)),
    ...(place && { nextCursor: writePlace(place) }),
  }
}

function viewRow(row: UsageRow, groupBy: UsageGroup) {
  const { calls, errors, timeouts, refused, cached, requestBytes, responseBytes } = row
  const { p50Ms, p95Ms, p99Ms } = row
  const names = Object.fromEntries(USAGE_NAMES[groupBy].map((name) => [name, row[name]]))
  const bytes = { requestBytes, responseBytes }
  return { ...names, calls, errors, timeouts, refused, cached, ...bytes, p50Ms, p95Ms, p99Ms }
}
