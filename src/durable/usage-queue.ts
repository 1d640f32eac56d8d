/**
 * Records on their way to Postgres: kept in the object's SQLite, batch by batch as they came, until they are
 * there. While the database is away they wait; beyond a bound they are kept without what calls were given and answered,
 * and the oldest are dropped and counted (F59).
 */
import { withoutCapture } from '../telemetry/audit.ts'

const MAX_RECORDS = 50_000
/** Where each call must be recorded, the rest of the room is for those that are under way. */
const CROWDED_AT = MAX_RECORDS / 2
/** Written to Postgres at once, give or take one batch. */
const AT_ONCE = { records: 1_000, bytes: 1_048_576 }
/** A row holds 2 MB at most; a character takes up to three bytes, and a record may be longer than this alone. */
const BATCH_CHARS = 262_144
/** What waits with inputs and outputs; records without take about a kilobyte. */
const ROOMY_BYTES = 67_108_864

type Batch = {
  readonly seq: number
  readonly records: string
  readonly size: number
  readonly bytes: number
}

export class UsageQueue {
  readonly #sql: SqlStorage
  #size: number
  #bytes: number
  dropped = 0

  constructor(sql: SqlStorage) {
    this.#sql = sql
    sql.exec(
      'CREATE TABLE IF NOT EXISTS usage (seq INTEGER PRIMARY KEY AUTOINCREMENT, records TEXT NOT NULL, size INTEGER NOT NULL)',
    )
    const waiting = sql.exec<Pick<Batch, 'size' | 'bytes'>>(
      'SELECT coalesce(sum(size), 0) AS size, coalesce(sum(octet_length(records)), 0) AS bytes FROM usage',
    )
    const { size, bytes } = waiting.one()
    this.#size = size
    this.#bytes = bytes
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
    const fitting = this.#bytes < ROOMY_BYTES ? records : records.map(withoutCapture)
    for (const batch of batchesOf(fitting)) this.#insert(batch)
    while (this.#size > MAX_RECORDS) {
      const [oldest] = this.#oldest(1)
      if (!oldest) return
      this.#remove([oldest])
      this.dropped += oldest.size
    }
  }

  #insert(records: readonly string[]): void {
    const inserted = this.#sql.exec<Pick<Batch, 'bytes'>>(
      'INSERT INTO usage (records, size) VALUES (?, ?) RETURNING octet_length(records) AS bytes',
      records.join(','),
      records.length,
    )
    this.#bytes += inserted.one().bytes
    this.#size += records.length
  }

  /** Hands the oldest records to `store`, as the text of a JSON array, until there are none or it does not take them. */
  async flush(store: (records: string) => Promise<boolean>): Promise<void> {
    for (;;) {
      const batches = this.#oldest(AT_ONCE.records)
      if (batches.length === 0) return
      if (!(await store(`[${batches.map(({ records }) => records).join(',')}]`))) return
      this.#remove(batches)
    }
  }

  /** The oldest batches, together no more than one over `records`. */
  #oldest(records: number): Batch[] {
    const batches: Batch[] = []
    let [size, bytes] = [0, 0]
    const all = 'SELECT seq, records, size, octet_length(records) AS bytes FROM usage ORDER BY seq'
    for (const batch of this.#sql.exec<Batch>(all)) {
      batches.push(batch)
      size += batch.size
      bytes += batch.bytes
      if (size >= records || bytes >= AT_ONCE.bytes) break
    }
    return batches
  }

  #remove(batches: readonly Batch[]): void {
    for (const { seq, size, bytes } of batches) {
      this.#sql.exec('DELETE FROM usage WHERE seq = ?', seq)
      this.#size -= size
      this.#bytes -= bytes
    }
  }
}

/** The same records in order, in batches of which each fits in a row. */
function* batchesOf(records: readonly string[]): Generator<readonly string[]> {
  let batch: string[] = []
  let chars = 0
  for (const record of records) {
    if (batch.length > 0 && chars + record.length > BATCH_CHARS) {
      yield batch
      ;[batch, chars] = [[], 0]
    }
    batch.push(record)
    chars += record.length
  }
  if (batch.length > 0) yield batch
}
