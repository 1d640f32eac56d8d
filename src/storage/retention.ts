/** What is too old leaves its table, portion by portion; what is left after that, in the next run. */
import { sql } from 'drizzle-orm'
import type { Clock } from '../platform/clock.ts'
import type { Database } from './database.ts'
import type { Patience } from './patience.ts'

/** Deleted of each organisation at once, and so often in one run: the free plan allows few requests (F68). */
const PORTION = 5_000
const PORTIONS = 2
const DAY_MS = 86_400_000

export type RetentionPorts = {
  readonly writes: Database
  readonly patience: Patience
  readonly clock: Clock
}

/** Deletes what was created more than so many days ago. */
export async function prune(
  table: 'audit_log' | 'tool_usage',
  days: number,
  { writes, patience, clock }: RetentionPorts,
): Promise<void> {
  const before = new Date(clock() - days * DAY_MS).toISOString()
  const name = sql.identifier(table)
  const statement = sql`
    delete from ${name} where id in (
      select old.id from organisations cross join lateral (
        select id from ${name} where organisation_id = organisations.id and created_at < ${before}
        order by created_at limit ${PORTION}) as old)`
  for (let portion = 1; portion <= PORTIONS; portion++) {
    const deleted = await patience.write(() => writes.execute(statement).execute())
    if (!deleted.ok || deleted.value.rowCount < PORTION) return
  }
}
