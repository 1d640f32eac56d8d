/**
 * What every write is made with: a new version of what it changes, first, since the lock on its row keeps two writes
 * apart; and the audit row of who did it. All in one transaction.
 */
import { sql } from 'drizzle-orm'
import type { BatchItem } from 'drizzle-orm/batch'
import type { Result } from '../platform/result.ts'
import type { Database, DatabaseFault } from './database.ts'
import type { Patience } from './patience.ts'
import { auditLog, directoryVersion, registryVersions } from './schema.ts'

/** Who did what. Never holds a secret. */
export type Act = {
  readonly actor: string
  /** `<thing>.<verb>`. */
  readonly action: string
  readonly target: string
  /** `done` by default. */
  readonly outcome?: string
  readonly detail?: Readonly<Record<string, unknown>>
}

export const writeAct = (database: Database, organisationId: string, act: Act) =>
  database.insert(auditLog).values({ id: crypto.randomUUID(), organisationId, outcome: 'done', ...act })

const NOW = sql`(extract(epoch from clock_timestamp()) * 1000)::bigint`

const advanceRegistry = (database: Database, organisationId: string) =>
  database
    .insert(registryVersions)
    .values({ organisationId, version: NOW })
    .onConflictDoUpdate({
      target: registryVersions.organisationId,
      set: {
        version: sql`greatest(${registryVersions.version} + 1, excluded.version)`,
        updatedAt: sql`now()`,
      },
    })

export const advanceDirectory = (database: Database) =>
  database
    .insert(directoryVersion)
    .values({ id: 'directory', version: NOW })
    .onConflictDoUpdate({
      target: directoryVersion.id,
      set: {
        version: sql`greatest(${directoryVersion.version} + 1, excluded.version)`,
        updatedAt: sql`now()`,
      },
    })

/** Writes on the registry of one organisation; a failed one leaves nothing. */
export class RegistryStore {
  protected readonly database: Database
  protected readonly patience: Patience
  protected readonly organisationId: string

  constructor(database: Database, patience: Patience, organisationId: string) {
    this.database = database
    this.patience = patience
    this.organisationId = organisationId
  }

  /** The results of these statements, after those that every write has. */
  protected async commit(
    writes: readonly BatchItem<'pg'>[],
    act: Act,
  ): Promise<Result<readonly unknown[], DatabaseFault>> {
    const advance = advanceRegistry(this.database, this.organisationId)
    const audit = writeAct(this.database, this.organisationId, act)
    return await this.patience.write(() => this.database.batch([advance, audit, ...writes]))
  }
}
