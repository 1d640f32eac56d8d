/** What logging in reads of a user: its password stands nowhere but in the table. */
import { and, eq, isNull } from 'drizzle-orm'
import type { UserRecord } from '../identity/directory.ts'
import { ok, type Result } from '../platform/result.ts'
import type { Database, DatabaseFault } from './database.ts'
import type { Patience } from './patience.ts'
import { users } from './schema.ts'

export type LoginRecord = Pick<UserRecord, 'id' | 'organisationId' | 'tokensSince'> & {
  readonly passwordHash: string
}

export class LoginStore {
  readonly #database: Database
  readonly #patience: Patience

  constructor(database: Database, patience: Patience) {
    this.#database = database
    this.#patience = patience
  }

  /** `undefined`: there is no such user. */
  async find(
    organisationId: string,
    username: string,
  ): Promise<Result<LoginRecord | undefined, DatabaseFault>> {
    const named = and(
      eq(users.organisationId, organisationId),
      eq(users.username, username),
      isNull(users.deletedAt),
    )
    const query = this.#database
      .select({ id: users.id, tokensSince: users.tokensSince, passwordHash: users.passwordHash })
      .from(users)
      .where(named)
    const rows = await this.#patience.read(() => query.execute())
    if (!rows.ok) return rows
    const [row] = rows.value
    return ok(row && { ...row, organisationId, tokensSince: row.tokensSince.getTime() })
  }
}
