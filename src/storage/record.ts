/**
 * Records of calls and refusals in Postgres. Budget 5 s a batch, no retry here; absent: whoever brings them keeps them
 * and brings them again. A record that arrives twice is stored once; the call of a tool is usage as well, under the
 * same id, in the same statement.
 */
import { type SQL, sql } from 'drizzle-orm'
import type { Result } from '../platform/result.ts'
import { splitRecords } from '../telemetry/audit.ts'
import type { Database, DatabaseFault } from './database.ts'
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

  /** Few were stored before, so it is tried without looking for such: that is a sixth cheaper. */
  async #insert(records: string): Promise<'stored' | 'rejected' | 'away'> {
    const written = await this.#write(insertNew(records))
    const stored = isTaken(written) ? await this.#write(insertAnew(records)) : written
    if (stored.ok) return 'stored'
    return stored.error.why === 'rejected' ? 'rejected' : 'away'
  }

  #write(insert: SQL): Promise<Result<unknown, DatabaseFault>> {
    return this.#patience.write(() => this.#database.execute(insert).execute())
  }
}

const isTaken = (written: Result<unknown, DatabaseFault>): boolean =>
  !written.ok && written.error.why === 'duplicate'

/** Records of which none was stored before; where one was, nothing is. */
const insertNew = (records: string): SQL => sql`
  with record as (${given(records)}), used as (${insertUsage})
  ${insertAudit}`

/** Records of which some may have been stored before, or are there twice. */
const insertAnew = (records: string): SQL => sql`
  with record as (
    select distinct on (id) * from (${given(records)}) as each order by id, (detail->>'count')::int desc nulls last
  ), used as (${insertUsage} on conflict do nothing)
  ${insertAudit}
  on conflict (id) do update set detail = excluded.detail
    where (excluded.detail->>'count')::int > (audit_log.detail->>'count')::int`

/** Postgres reads the records itself: nothing is gained by reading them here and writing them again. */
const given = (records: string): SQL => sql`
  select id, "organisationId", actor, action, target, outcome, detail, to_timestamp("createdAt" / 1000) as created_at, usage
  from jsonb_to_recordset(${records}::jsonb) as given (id uuid, "organisationId" text, actor text, action text,
    target text, outcome text, detail jsonb, "createdAt" float8, usage jsonb)
  where "organisationId" = any (array(select id from organisations))`

const insertUsage = sql`
  insert into tool_usage (id, organisation_id, service_id, tool, caller_id, caller_type, input, output,
    duration_ms, status, is_cached, request_bytes, response_bytes, correlation_id, created_at)
  select id, "organisationId", (usage->>'serviceId')::uuid, usage->>'tool', actor, usage->>'callerType',
    (usage->>'input')::json, (usage->>'output')::json, (usage->>'durationMs')::int, usage->>'status',
    coalesce((usage->>'isCached')::boolean, false), (usage->>'requestBytes')::int,
    case when usage ? 'responseBytes' then least((usage->>'responseBytes')::bigint, 2147483647) end,
    detail->>'correlationId', created_at
  from record where usage is not null`

const insertAudit = sql`
  insert into audit_log (id, organisation_id, actor, action, target, outcome, detail, created_at)
  select id, "organisationId", actor, action, target, outcome, detail, created_at from record`
