/**
 * Writes on organisations, users and keys. Each is one transaction that also writes the audit row and advances the
 * version of the directory; a failed one leaves nothing. Users and keys are marked, never erased.
 */
import { and, eq, isNotNull, isNull, sql, type SQL } from 'drizzle-orm'
import type { BatchItem } from 'drizzle-orm/batch'
import type { KeyRecord, OrganisationRecord, UserRecord } from '../identity/directory.ts'
import type { Role } from '../identity/principal.ts'
import type { Result } from '../platform/result.ts'
import { type Act, advanceDirectory, demand, isAsOf, lineOfAct, writeAct } from './commit.ts'
import type { Database, DatabaseFault } from './database.ts'
import type { Patience } from './patience.ts'
import { apiKeys, organisations, users } from './schema.ts'

type Written = Promise<Result<unknown, DatabaseFault>>

export type NewUser = Pick<UserRecord, 'id' | 'organisationId' | 'username' | 'role' | 'agentType'> & {
  readonly passwordHash: string
}
export type NewKey = Omit<KeyRecord, 'createdAt'> & { readonly createdBy: string }

/** `undefined`: as it is. An agent type of null: none. */
export type UserChange = {
  readonly role?: Role | undefined
  readonly agentType?: string | null | undefined
  readonly passwordHash?: string | undefined
}
export type OrganisationChange = {
  readonly name?: string | undefined
  readonly isSuspended?: boolean | undefined
}

/** `organisationId` of each write: whose the act is, in the audit log. */
export class PeopleStore {
  readonly #database: Database
  readonly #patience: Patience

  constructor(database: Database, patience: Patience) {
    this.#database = database
    this.#patience = patience
  }

  insertUser(user: NewUser, act: Act): Written {
    return this.#commit(user.organisationId, act, [this.#database.insert(users).values(user)])
  }

  /** A new password, and whoever got a token for the old one has to log in again. */
  updateUser(before: UserRecord, change: UserChange, act: Act): Written {
    const { id, organisationId } = before
    const next = sql`greatest(now(), ${users.tokensSince} + interval '1 millisecond')`
    const row = { ...change, updatedAt: sql`now()` }
    const renewed = change.passwordHash === undefined ? row : { ...row, tokensSince: next }
    const update = this.#database.update(users).set(renewed).where(living(id))
    return this.#commit(organisationId, act, [demand(this.#database, isUser(before)), update])
  }

  /** Its keys go with it; its name becomes free. */
  removeUser(before: UserRecord, act: Act): Written {
    const { id, organisationId } = before
    const ofUser = and(eq(apiKeys.userId, id), isNull(apiKeys.revokedAt))
    return this.#commit(organisationId, act, [
      demand(this.#database, isUser(before)),
      this.#database
        .update(users)
        .set({ deletedAt: sql`now()` })
        .where(living(id)),
      this.#database
        .update(apiKeys)
        .set({ revokedAt: sql`now()` })
        .where(ofUser),
    ])
  }

  insertKey(key: NewKey, act: Act): Written {
    return this.#commit(key.organisationId, act, [this.#insertKey(key)])
  }

  revokeKey({ id, organisationId }: KeyRecord, act: Act): Written {
    const key = and(eq(apiKeys.id, id), isNull(apiKeys.revokedAt))
    const isThere = sql`exists (select 1 from ${apiKeys} where ${key})`
    const revoke = this.#database
      .update(apiKeys)
      .set({ revokedAt: sql`now()` })
      .where(key)
    return this.#commit(organisationId, act, [demand(this.#database, isThere), revoke])
  }

  /** `key`: by which its first admin comes in. */
  insertOrganisation(id: string, name: string, key: NewKey, organisationId: string, act: Act): Written {
    const insert = this.#database.insert(organisations).values({ id, name })
    return this.#commit(organisationId, act, [insert, this.#insertKey(key)])
  }

  updateOrganisation(
    before: OrganisationRecord,
    { name, isSuspended }: OrganisationChange,
    organisationId: string,
    act: Act,
  ): Written {
    const { id } = before
    const since = isSuspended === true ? sql`coalesce(${organisations.suspendedAt}, now())` : null
    // An empty change is still one act; Drizzle refuses to set nothing.
    const row = { name: name ?? sql`${organisations.name}` }
    const change = isSuspended === undefined ? row : { ...row, suspendedAt: since }
    const update = this.#database.update(organisations).set(change).where(eq(organisations.id, id))
    return this.#commit(organisationId, act, [demand(this.#database, isOrganisation(before)), update])
  }

  #insertKey({ hash, expiresAt, scopes, ...key }: NewKey) {
    return this.#database.insert(apiKeys).values({
      ...key,
      keyHash: hash,
      scopes: scopes === undefined ? null : [...scopes],
      expiresAt: expiresAt === undefined ? null : new Date(expiresAt),
    })
  }

  async #commit(organisationId: string, act: Act, writes: readonly BatchItem<'pg'>[]): Written {
    const advance = advanceDirectory(this.#database)
    const audit = writeAct(this.#database, organisationId, act)
    const written = await this.#patience.write(() => this.#database.batch([advance, ...writes, audit]))
    if (written.ok) this.#patience.log('info', 'written', lineOfAct(act))
    return written
  }
}

const living = (id: string) => and(eq(users.id, id), isNull(users.deletedAt))

/** As it was read. */
function isUser({ id, role, agentType, tokensSince }: UserRecord): SQL {
  const since = isAsOf(users.tokensSince, new Date(tokensSince).toISOString())
  const ofType = sql`${users.agentType} is not distinct from ${agentType ?? null}::text`
  return sql`exists (select 1 from ${users} where ${and(living(id), eq(users.role, role), ofType, since)})`
}

function isOrganisation({ id, name, isSuspended }: OrganisationRecord): SQL {
  const suspended = isSuspended ? isNotNull(organisations.suspendedAt) : isNull(organisations.suspendedAt)
  const row = and(eq(organisations.id, id), eq(organisations.name, name), suspended)
  return sql`exists (select 1 from ${organisations} where ${row})`
}
