/**
 * Records on their way to Postgres: kept in the object's SQLite, batch by batch as they came, until they are
 * there. While the database is away they wait; beyond a bound the oldest are dropped and counted (F59).
 */
const MAX_RECORDS = 50_000
/** Where each call must be recorded, the rest of the room is for those that are under way. */
const CROWDED_AT = MAX_RECORDS / 2
/** Written to Postgres at once, give or take one batch. */
const AT_ONCE = 1_000

type Batch = { readonly seq: number; readonly records: string; readonly size: number }

export class UsageQueue {
  readonly #sql: SqlStorage
  #size: number
  dropped = 0

  constructor(sql: SqlStorage) {
    this.#sql = sql
    sql.exec(
      'CREATE TABLE IF NOT EXISTS usage (seq INTEGER PRIMARY KEY AUTOINCREMENT, records TEXT NOT NULL, size INTEGER NOT NULL)',
    )
    this.#size = sql.exec<{ size: number }>('SELECT coalesce(sum(size), 0) AS size FROM usage').one().size
  }

  /** Records that wait. */
  get size(): number {
    return this.#size
  }

  /** Postgres has not taken records for so long that there may be no room for those of further calls. */
  get isCrowded(): boolean {
    return this.#size >= CROWDED_AT
  }

  /** Takes records as JSON texts. */
  add(records: readonly string[]): void {
    this.#sql.exec('INSERT INTO usage (records, size) VALUES (?, ?)', records.join(','), records.length)
    this.#size += records.length
    while (this.#size > MAX_RECORDS) {
      const [oldest] = this.#oldest(1)
      if (!oldest) return
      this.#remove([oldest])
      this.dropped += oldest.size
    }
  }

  /** Hands the oldest records to `store`, as the text of a JSON array, until there are none or it does not take them. */
  async flush(store: (records: string) => Promise<boolean>): Promise<void> {
    for (;;) {
      const batches = this.#oldest(AT_ONCE)
      if (batches.length === 0) return
      if (!(await store(`[${batches.map(({ records }) => records).join(',')}]`))) return
      this.#remove(batches)
    }
  }

  /** The oldest batches, together no more than one over `records`. */
  #oldest(records: number): Batch[] {
    const batches: Batch[] = []
    let size = 0
    for (const batch of this.#sql.exec<Batch>('SELECT seq, records, size FROM usage ORDER BY seq')) {
      batches.push(batch)
      size += batch.size
      if (size >= records) break
    }
    return batches
  }

  #remove(batches: readonly Batch[]): void {
    for (const { seq, size } of batches) {
      this.#sql.exec('DELETE FROM usage WHERE seq = ?', seq)
      this.#size -= size
    }
  }
}
