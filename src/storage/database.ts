/**
 * Postgres over Neon's HTTP driver. The truth, never on the way of a warm call. Absent: the data plane answers from
 * the last good snapshot, for ten minutes at most (F53), and writes are refused with 503.
 */
import { neon, NeonDbError, neonConfig } from '@neondatabase/serverless'
import { drizzle, type NeonHttpDatabase } from 'drizzle-orm/neon-http'
import { err, ok, type Result } from '../platform/result.ts'

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

export type Database = NeonHttpDatabase

/**
 * `duplicate`: a unique name is taken. `conflict`: lost to another transaction. `schema`: the tables are not those
 * that this release knows. `rejected`: any other statement that cannot be run. After these nothing is stored.
 * `busy`: no room for now, nothing is stored. `unreachable`: nothing is known to be stored.
 */
export type DatabaseFault = {
  readonly why: 'duplicate' | 'conflict' | 'schema' | 'rejected' | 'busy' | 'unreachable'
  readonly sqlState?: string
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+)$/

/** A loopback host means the local endpoint: the same wire over plain HTTP, on the port of the URL. */
const { fetchEndpoint: neonEndpoint } = neonConfig.defaults
neonConfig.fetchEndpoint = (host, port, options) => {
  if (LOOPBACK.test(host)) return `http://${host}:${port}/sql`
  return typeof neonEndpoint === 'string' ? neonEndpoint : neonEndpoint(host, port, options)
}

class TooManyRequests extends Error {}

/** Reads the whole answer, so that a connection that breaks half-way is told like one that was never made. */
neonConfig.fetchFunction = async (url: string, init: RequestInit): Promise<Response> => {
  const response = await fetch(url, init)
  const body = await response.arrayBuffer()
  if (response.status === 429) throw new TooManyRequests()
  return new Response(body, { status: response.status })
}

/** Each request to this database is aborted when `budgetMs` is over, its answer half read or not. */
export function openDatabase(url: string, budgetMs: number): Database {
  const fetchOptions = {
    // The driver spreads these into each request: every one has a signal of its own.
    get signal(): AbortSignal {
      return AbortSignal.timeout(budgetMs)
    },
  }
  return drizzle({ client: neon(url, { fetchOptions }) })
}

/** Runs one piece of work on the database. Faults of the database are values; anything else is a bug and thrown. */
export async function attempt<T>(work: () => Promise<T>): Promise<Result<T, DatabaseFault>> {
  try {
    return ok(await work())
  } catch (error) {
    const cause: unknown = error instanceof Error && error.cause !== undefined ? error.cause : error
    if (cause instanceof SyntaxError) return err({ why: 'unreachable' })
    // What wraps it names what was to be stored (S58).
    if (!(cause instanceof NeonDbError)) throw cause
    if (cause.sourceError instanceof TooManyRequests) return err({ why: 'busy' })
    if (cause.code === undefined) return err({ why: 'unreachable' })
    return err({ why: classify(cause.code), sqlState: cause.code })
  }
}

/** PostgreSQL, Appendix A, "Error Codes". */
const BY_CODE: Readonly<Record<string, DatabaseFault['why']>> = {
  '23505': 'duplicate',
  '40001': 'conflict',
  '40P01': 'conflict',
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
