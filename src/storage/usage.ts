/**
 * Usage records in Postgres. Budget 5 s a batch, no retry here; absent: whoever brings them keeps them and brings them
 * again. A record that arrives twice is stored once.
 */
import { type UsageRecord, readUsage } from '../telemetry/usage.ts'
import type { Database } from './database.ts'
import type { Patience } from './patience.ts'
import { toolUsage } from './schema.ts'

export class UsageStore {
  readonly #database: Database
  readonly #patience: Patience

  constructor(database: Database, patience: Patience) {
    this.#database = database
    this.#patience = patience
  }

  /** Takes records as JSON texts. False: none of them is stored. One that the table never takes is left out. */
  async store(texts: readonly string[]): Promise<boolean> {
    const rows = texts.flatMap((text) => rowOf(readUsage(text)))
    const stored = await this.#insert(rows)
    if (stored !== 'rejected' || rows.length === 1) return stored !== 'away'
    for (const row of rows) if ((await this.#insert([row])) === 'away') return false
    return true
  }

  async #insert(rows: readonly Row[]): Promise<'stored' | 'rejected' | 'away'> {
    if (rows.length === 0) return 'stored'
    const insert = this.#database
      .insert(toolUsage)
      .values([...rows])
      .onConflictDoNothing()
    const stored = await this.#patience.write(() => insert.execute())
    if (stored.ok) return 'stored'
    return stored.error.why === 'rejected' ? 'rejected' : 'away'
  }
}

type Row = typeof toolUsage.$inferInsert

const rowOf = (record: UsageRecord | undefined): Row[] =>
  record ? [{ ...record, createdAt: new Date(record.createdAt) }] : []
