/**
 * The events of one listening stream, kept for a client that lost its connection (2025-11-25, "Resumability and
 * Redelivery"). Bounded: what is older is gone, as with any queue.
 */
const MAX_EVENTS = 256
const MAX_EVENT_CHARS = 262_144

export type LoggedEvent = { readonly seq: number; readonly text: string }

export class EventLog {
  readonly #sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.#sql = sql
    sql.exec('CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL)')
  }

  /** The number of the event, higher than all before it. An oversized text is numbered and not kept. */
  append(text: string): number {
    const kept = text.length <= MAX_EVENT_CHARS ? text : ''
    const [row] = this.#sql
      .exec<{ seq: number }>('INSERT INTO events (text) VALUES (?) RETURNING seq', kept)
      .toArray()
    const seq = row?.seq ?? 0
    this.#sql.exec('DELETE FROM events WHERE seq <= ?', seq - MAX_EVENTS)
    return seq
  }

  /** One at a time: all of them together may be more than fits into memory. */
  after(seq: number): Iterable<LoggedEvent> {
    return this.#sql.exec<{ seq: number; text: string }>(
      "SELECT seq, text FROM events WHERE seq > ? AND text <> '' ORDER BY seq",
      seq,
    )
  }

  clear(): void {
    this.#sql.exec('DELETE FROM events')
  }
}
