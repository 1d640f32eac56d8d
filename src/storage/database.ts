/**
 * Postgres, over Neon's HTTP endpoint. The truth, never on the way of a warm call. Absent: the data plane answers from
 * the last good snapshot, for ten minutes at most (F53), and writes are refused with 503.
 */
import type { BatchItem, BatchResponse } from 'drizzle-orm/batch'
import { type NeonHttpQueryResultHKT, NeonHttpSession } from 'drizzle-orm/neon-http/session'
import { PgDatabase, PgDialect } from 'drizzle-orm/pg-core'
import { err, ok, type Result } from '../platform/result.ts'
import { openClient, SqlFault } from './neon.ts'

export const databasePolicy = {
  /** A caller may be waiting for a read; it is not repeated, the next look is (F52, F55). */
  readBudgetMs: 2_000,
  writeBudgetMs: 5_000,
  /** A write that lost to another left nothing, and is made again so often, after up to so long (F56). */
  conflictRetries: 2,
  conflictRest: { firstMs: 50, longestMs: 200 },
  /** After a refusal for want of room nothing is read for up to so long (F54). */
  busyRest: { firstMs: 500, longestMs: 10_000 },
  onLoss: 'last snapshot; writes 503',
} as const

/**
 * `duplicate`: a unique name is taken. `conflict`: lost to another transaction. `schema`: the tables are not those
 * that this release knows. `moved`: what it was decided on is not so any more. `rejected`: any other statement that cannot be run. After these nothing is stored.
 * `busy`: no room for now, nothing is stored. `unreachable`: nothing is known to be stored.
 */
export type DatabaseFault = {
  readonly why: 'duplicate' | 'conflict' | 'moved' | 'schema' | 'rejected' | 'busy' | 'unreachable'
  readonly sqlState?: string
}

type Session = NeonHttpSession<Record<string, never>, Record<string, never>>

/** Drizzle's, without Neon's client beneath it. */
export class Database extends PgDatabase<NeonHttpQueryResultHKT> {
  readonly #session: Session

  constructor(session: Session, dialect: PgDialect) {
    super(dialect, session, undefined)
    this.#session = session
  }

  /** All of them in one transaction. */
  batch<Item extends BatchItem<'pg'>, Items extends Readonly<[Item, ...Item[]]>>(
    items: Items,
  ): Promise<BatchResponse<Items>> {
    return this.#session.batch(items)
  }
}

/** Each request to this database is given up when `budgetMs` is over. */
export function openDatabase(url: string, budgetMs: number): Database {
  const dialect = new PgDialect()
  return new Database(new NeonHttpSession(openClient(url, budgetMs), dialect, undefined), dialect)
}

/** Runs one piece of work on the database. Faults of the database are values; anything else is a bug and thrown. */
export async function attempt<T>(work: () => Promise<T>): Promise<Result<T, DatabaseFault>> {
  try {
    return ok(await work())
  } catch (error) {
    const cause: unknown = error instanceof Error && error.cause !== undefined ? error.cause : error
    // What wraps it names what was to be stored (S58).
    if (!(cause instanceof SqlFault)) throw cause
    if (cause.isBusy) return err({ why: 'busy' })
    if (cause.sqlState === undefined) return err({ why: 'unreachable' })
    return err({ why: classify(cause.sqlState), sqlState: cause.sqlState })
  }
}

/** PostgreSQL, Appendix A, "Error Codes". */
const BY_CODE: Readonly<Record<string, DatabaseFault['why']>> = {
  '23505': 'duplicate',
  '40001': 'conflict',
  '40P01': 'conflict',
  '22012': 'moved',
  '53300': 'busy',
  '42703': 'schema',
  '42P01': 'schema',
  '42704': 'schema',
  '42883': 'schema',
  '42P10': 'schema',
  '3F000': 'schema',
}
/** Connection, resources, intervention of an operator, system, internal: the statement is not to blame. */
const AWAY = /^(08|53|57|58|XX)/

const classify = (code: string): DatabaseFault['why'] =>
  BY_CODE[code] ?? (AWAY.test(code) ? 'unreachable' : 'rejected')
