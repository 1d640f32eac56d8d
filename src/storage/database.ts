/**
 * Postgres over Neon's HTTP driver. The truth: budget 5 s a request, no retry, never on the way of a warm
 * call. Absent: reads answer from the last good snapshot, writes are refused with 503.
 */
import { neon, NeonDbError, neonConfig } from '@neondatabase/serverless'
import { drizzle, type NeonHttpDatabase } from 'drizzle-orm/neon-http'
import { err, ok, type Result } from '../platform/result.ts'

export const databasePolicy = { budgetMs: 5_000, onLoss: 'last snapshot; writes 503' } as const

export type Database = NeonHttpDatabase

/** `duplicate`: a unique name is taken (23505). `unreachable`: nothing is known to be stored. */
export type DatabaseFault = {
  readonly why: 'duplicate' | 'unreachable' | 'rejected'
  readonly sqlState?: string
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+)$/

/** A loopback host means the local endpoint: the same wire over plain HTTP, on the port of the URL. */
const { fetchEndpoint: neonEndpoint } = neonConfig.defaults
neonConfig.fetchEndpoint = (host, port, options) => {
  if (LOOPBACK.test(host)) return `http://${host}:${port}/sql`
  return typeof neonEndpoint === 'string' ? neonEndpoint : neonEndpoint(host, port, options)
}

neonConfig.fetchFunction = (url: string, init: RequestInit) =>
  fetch(url, { ...init, signal: AbortSignal.timeout(databasePolicy.budgetMs) })

export const openDatabase = (url: string): Database => drizzle({ client: neon(url) })

/** Runs one piece of work on the database. Faults of the database are values; anything else is a bug and thrown. */
export async function attempt<T>(work: () => Promise<T>): Promise<Result<T, DatabaseFault>> {
  try {
    return ok(await work())
  } catch (error) {
    const cause: unknown = error instanceof Error && error.cause !== undefined ? error.cause : error
    if (cause instanceof DOMException || cause instanceof SyntaxError) return err({ why: 'unreachable' })
    if (!(cause instanceof NeonDbError)) throw error
    if (cause.code === undefined) return err({ why: 'unreachable' })
    return err({ why: cause.code === '23505' ? 'duplicate' : 'rejected', sqlState: cause.code })
  }
}
