/**
 * Records of calls and refusals in Postgres. Budget 5 s a batch, no retry here; absent: whoever brings them keeps them
 * and brings them again. A record that arrives twice is stored once; the call of a tool is usage as well, under the
 * same id, in the same statement.
 */
import { sql } from 'drizzle-orm'
import { splitRecords } from '../telemetry/audit.ts'
import type { Database } from './database.ts'
import type { Patience } from './patience.ts'

export class RecordStore {
  readonly #database: Database
  readonly #patience: Patience

  constructor(database: Database, patience: Patience) {
    this.#database = database
    this.#patience = patience
  }

  /** Takes the text of a JSON array. False: none of them is stored. One that the tables never take is left out. */
  async store(records: string): Promise<boolean> {
    const stored = await this.#insert(records)
    if (stored !== 'rejected') return stored === 'stored'
    for (const record of splitRecords(records))
      if ((await this.#insert(`[${record}]`)) === 'away') return false
    return true
  }

  /** Postgres reads the records itself: nothing is gained by reading them here and writing them again. */
  async #insert(records: string): Promise<'stored' | 'rejected' | 'away'> {
    const insert = sql`
      with record as (
        select distinct on (id) id, "organisationId", actor, action, target, outcome, detail,
          to_timestamp("createdAt" / 1000.0) as created_at, usage
        from json_to_recordset(${records}::json) as given (id uuid, "organisationId" text, actor text, action text,
          target text, outcome text, detail jsonb, "createdAt" bigint, usage jsonb)
        where "organisationId" = any (array(select id from organisations))
        order by id, (detail->>'count')::int desc nulls last
      ), used as (
        insert into tool_usage (id, organisation_id, service_id, tool, caller_id, caller_type, input, output,
          duration_ms, status, is_cached, request_bytes, response_bytes, correlation_id, created_at)
        select id, "organisationId", (usage->>'serviceId')::uuid, usage->>'tool', actor, usage->>'callerType',
          (usage->>'input')::json, (usage->>'output')::json, (usage->>'durationMs')::int, usage->>'status',
          coalesce((usage->>'isCached')::boolean, false), (usage->>'requestBytes')::int,
          case when usage ? 'responseBytes' then least((usage->>'responseBytes')::bigint, 2147483647) end, detail->>'correlationId', created_at
        from record where usage is not null
        on conflict do nothing
      )
      insert into audit_log (id, organisation_id, actor, action, target, outcome, detail, created_at)
      select id, "organisationId", actor, action, target, outcome, detail, created_at from record
      on conflict (id) do update set detail = excluded.detail
        where (excluded.detail->>'count')::int > (audit_log.detail->>'count')::int`
    const stored = await this.#patience.write(() => this.#database.execute(insert).execute())
    if (stored.ok) return 'stored'
    return stored.error.why === 'rejected' ? 'rejected' : 'away'
  }
}
