/**
 * Where the two halves of a question meet: the isolate that asked waits here, the isolate that the client's answer
 * reached leaves it here. Each part is answered once.
 */
export class Questions {
  readonly #sql: SqlStorage
  readonly #waiting = new Map<string, () => void>()

  constructor(sql: SqlStorage) {
    this.#sql = sql
    sql.exec(
      'CREATE TABLE IF NOT EXISTS answers (question TEXT, key TEXT, outcome TEXT NOT NULL, PRIMARY KEY (question, key))',
    )
  }

  /** `false`: this part was answered before. */
  answer(question: string, key: string, outcome: string): boolean {
    const { rowsWritten } = this.#sql.exec(
      'INSERT OR IGNORE INTO answers VALUES (?, ?, ?)',
      question,
      key,
      outcome,
    )
    this.#waiting.get(question)?.()
    return rowsWritten > 0
  }

  async collect(
    question: string,
    keys: readonly string[],
    timeoutMs: number,
  ): Promise<Record<string, string> | undefined> {
    const late = AbortSignal.timeout(timeoutMs)
    for (;;) {
      const answers = this.#answersTo(question)
      if (keys.every((key) => key in answers)) return answers
      if (late.aborted) return undefined
      await new Promise<void>((resolve) => {
        this.#waiting.set(question, resolve)
        late.addEventListener('abort', () => resolve(), { once: true })
      })
      this.#waiting.delete(question)
    }
  }

  #answersTo(question: string): Record<string, string> {
    const rows = this.#sql
      .exec<{ key: string; outcome: string }>('SELECT key, outcome FROM answers WHERE question = ?', question)
      .toArray()
    return Object.fromEntries(rows.map(({ key, outcome }) => [key, outcome]))
  }
}
