/**
 * What every write is made with: a new version of what it changes, first, since the lock on its row keeps two writes
 * apart; and the audit row of who did it. All in one transaction.
 */
import { sql, type SQL } from 'drizzle-orm'
import type { BatchItem } from 'drizzle-orm/batch'
import type { PgColumn } from 'drizzle-orm/pg-core'
import type { Result } from '../platform/result.ts'
import type { Database, DatabaseFault } from './database.ts'
import type { Patience } from './patience.ts'
import { auditLog, directoryVersion, registryVersions } from './schema.ts'

/** A text: whoever acts without a request, as the gateway itself does. */
export type Actor = string | { readonly subject: string; readonly correlationId: string }

/** Who did what. Never holds a secret. */
export type Act = {
  readonly actor: Actor
  /** `<thing>.<verb>`. */
  readonly action: string
  readonly target: string
  /** `done` by default. */
  readonly outcome?: string
  readonly detail?: Readonly<Record<string, unknown>>
}

export const subjectOf = (actor: Actor): string => (typeof actor === 'string' ? actor : actor.subject)

export function writeAct(database: Database, organisationId: string, { actor, detail, ...act }: Act) {
  const by = typeof actor === 'string' ? {} : { correlationId: actor.correlationId }
  const row = { outcome: 'done', ...act, actor: subjectOf(actor), detail: { ...detail, ...by } }
  return database.insert(auditLog).values({ id: crypto.randomUUID(), organisationId, ...row })
}

/** What a log line says of it. */
export const lineOfAct = ({ actor, action, target, outcome = 'done' }: Act) => ({
  action,
  target,
  outcome,
  actor: subjectOf(actor),
  ...(typeof actor !== 'string' && { correlationId: actor.correlationId }),
})

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

/** Fails the whole write as `moved` where this is not so. SQL alone raises no error but by such a division. */
export const demand = (database: Database, condition: SQL): BatchItem<'pg'> =>
  database.execute(sql`select 1 / (${condition})::int`)

/** Grows with every write, by what a reader of milliseconds can see. */
export const later = (updatedAt: PgColumn): SQL =>
  sql`greatest(now(), ${updatedAt} + interval '1 millisecond')`

/** Not written since then. */
export const isAsOf = (updatedAt: PgColumn, read: string): SQL =>
  sql`${updatedAt} < ${read}::timestamptz + interval '1 millisecond'`

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

  /** The results of these statements, after those that every write has. `basis`: what they were decided on. */
  protected async commit(
    writes: readonly BatchItem<'pg'>[],
    act: Act,
    basis?: SQL,
  ): Promise<Result<readonly unknown[], DatabaseFault>> {
    const advance = advanceRegistry(this.database, this.organisationId)
    const audit = writeAct(this.database, this.organisationId, act)
    const demands = basis ? [demand(this.database, basis)] : []
    const statements = [advance, ...demands, audit, ...writes] as const
    const written = await this.patience.write(() => this.database.batch(statements))
    if (written.ok) this.patience.log('info', 'written', lineOfAct(act))
    return written
  }
}
