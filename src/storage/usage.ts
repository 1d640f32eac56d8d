/**
 * Usage records in Postgres. Budget 5 s a batch, no retry here; absent: whoever brings them keeps them and brings them
 * again. A record that arrives twice is stored once.
 */
import { sql } from 'drizzle-orm'
import { splitUsage } from '../telemetry/usage.ts'
import type { Database } from './database.ts'
import type { Patience } from './patience.ts'

export class UsageStore {
  readonly #database: Database
  readonly #patience: Patience

  constructor(database: Database, patience: Patience) {
    this.#database = database
    this.#patience = patience
  }

  /** Takes the text of a JSON array. False: none of them is stored. One that the table never takes is left out. */
  async store(records: string): Promise<boolean> {
    const stored = await this.#insert(records)
    if (stored !== 'rejected') return stored === 'stored'
    for (const record of splitUsage(records)) if ((await this.#insert(`[${record}]`)) === 'away') return false
    return true
  }

  /** Postgres reads the records itself: nothing is gained by reading them here and writing them again. */
  async #insert(records: string): Promise<'stored' | 'rejected' | 'away'> {
    const insert = sql`
      insert into tool_usage (id, organisation_id, service_id, tool, caller_id, caller_type, duration_ms, status,
        correlation_id, created_at)
      select id, "organisationId", "serviceId", tool, "callerId", "callerType", "durationMs", status, "correlationId",
        to_timestamp("createdAt" / 1000.0)
      from json_to_recordset(${records}::json) as record (id uuid, "organisationId" text, "serviceId" uuid, tool text,
        "callerId" text, "callerType" text, "durationMs" integer, status text, "correlationId" text, "createdAt" bigint)
      on conflict do nothing`
    const stored = await this.#patience.write(() => this.#database.execute(insert).execute())
    if (stored.ok) return 'stored'
    return stored.error.why === 'rejected' ? 'rejected' : 'away'
  }
}
