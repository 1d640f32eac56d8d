/**
 * When keys were last used. Written beside the calls, at most once a minute for each key and isolate, and no version
 * advances with it. Absent: the time stays as it was.
 */
import { and, eq, isNotNull, isNull, sql } from 'drizzle-orm'
import type { Background } from '../platform/background.ts'
import type { Clock } from '../platform/clock.ts'
import { ok, type Result } from '../platform/result.ts'
import type { Database, DatabaseFault } from './database.ts'
import type { Patience } from './patience.ts'
import { apiKeys } from './schema.ts'

const NOTE_EVERY_MS = 60_000
const MAX_REMEMBERED = 10_000

export class KeyUses {
  readonly #database: Database
  readonly #patience: Patience
  readonly #clock: Clock
  readonly #notedAt = new Map<string, number>()

  constructor(database: Database, patience: Patience, clock: Clock) {
    this.#database = database
    this.#patience = patience
    this.#clock = clock
  }

  note(keyId: string, background: Background): void {
    const now = this.#clock()
    const notedAt = this.#notedAt.get(keyId)
    if (notedAt !== undefined && now - notedAt < NOTE_EVERY_MS) return
    if (this.#notedAt.size >= MAX_REMEMBERED) this.#notedAt.clear()
    this.#notedAt.set(keyId, now)
    const update = this.#database
      .update(apiKeys)
      .set({ lastUsedAt: sql`now()` })
      .where(eq(apiKeys.id, keyId))
    background(this.#patience.write(() => update.execute()))
  }

  /** By key id: when each key of this organisation was used, as far as it was. */
  async list(organisationId: string): Promise<Result<ReadonlyMap<string, string>, DatabaseFault>> {
    const used = and(
      eq(apiKeys.organisationId, organisationId),
      isNull(apiKeys.revokedAt),
      isNotNull(apiKeys.lastUsedAt),
    )
    const query = this.#database
      .select({ id: apiKeys.id, lastUsedAt: apiKeys.lastUsedAt })
      .from(apiKeys)
      .where(used)
    const rows = await this.#patience.read(() => query.execute())
    if (!rows.ok) return rows
    return ok(new Map(rows.value.map((row) => [row.id, row.lastUsedAt?.toISOString() ?? ''])))
  }
}
