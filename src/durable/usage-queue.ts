/**
 * Usage records on their way to Postgres: kept in the object's SQLite until they are there. While the database is away
 * they wait; beyond a bound the oldest are dropped and counted (F59).
 */
const BATCH = 500
const MAX_ROWS = 50_000

export class UsageQueue {
  readonly #sql: SqlStorage
  #rows: number
  dropped = 0

  constructor(sql: SqlStorage) {
    this.#sql = sql
    sql.exec('CREATE TABLE IF NOT EXISTS usage (seq INTEGER PRIMARY KEY AUTOINCREMENT, record TEXT NOT NULL)')
    this.#rows = sql.exec<{ rows: number }>('SELECT count(*) AS rows FROM usage').one().rows
  }

  get size(): number {
    return this.#rows
  }

  add(records: readonly string[]): void {
    for (const record of records) this.#sql.exec('INSERT INTO usage (record) VALUES (?)', record)
    this.#rows += records.length
    const surplus = this.#rows - MAX_ROWS
    if (surplus <= 0) return
    this.#sql.exec('DELETE FROM usage WHERE seq IN (SELECT seq FROM usage ORDER BY seq LIMIT ?)', surplus)
    this.#rows = MAX_ROWS
    this.dropped += surplus
  }

  /** Hands the oldest records to `store` until there are none; false: it did not take them. */
  async flush(store: (records: readonly string[]) => Promise<boolean>): Promise<boolean> {
    for (;;) {
      const batch = this.#sql
        .exec<{ seq: number; record: string }>('SELECT seq, record FROM usage ORDER BY seq LIMIT ?', BATCH)
        .toArray()
      const last = batch.at(-1)
      if (!last) return true
      if (!(await store(batch.map(({ record }) => record)))) return false
      this.#sql.exec('DELETE FROM usage WHERE seq <= ?', last.seq)
      this.#rows -= batch.length
    }
  }
}
