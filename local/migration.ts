/**
 * Brings a database to the schema of `migrations/`. Everything that is pending and its bookkeeping is one
 * transaction behind an advisory lock: two runs at once are safe, a failed one leaves nothing. The
 * bookkeeping is drizzle-kit's own table.
 */
import { join } from 'node:path'
import { neon, NeonDbError, neonConfig } from '@neondatabase/serverless'
import { type MigrationMeta, readMigrationFiles } from 'drizzle-orm/migrator'

const FOLDER = join(import.meta.dirname, '../migrations')
const LOCK = 0x53_57_59_44
const RACES = 5
/** Raised by the guard statement when another run was faster. */
const DIVISION_BY_ZERO = '22012'

const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+)$/
const { fetchEndpoint: neonEndpoint } = neonConfig.defaults
neonConfig.fetchEndpoint = (host, port, options) => {
  if (LOOPBACK.test(host)) return `http://${host}:${port}/sql`
  return typeof neonEndpoint === 'string' ? neonEndpoint : neonEndpoint(host, port, options)
}

/**
 * Applies what is pending to a database that speaks Neon's wire. Resolves to the number of migrations
 * applied; rejects with one line that says what failed, and then nothing was applied.
 */
export async function migrate(databaseUrl: string, folder = FOLDER): Promise<number> {
  const known = readMigrationFiles({ migrationsFolder: folder })
  for (let race = 1; ; race++) {
    const applied = await countApplied(databaseUrl)
    const pending = known.slice(applied)
    if (pending.length === 0) return 0
    try {
      await apply(databaseUrl, applied, pending)
      return pending.length
    } catch (error) {
      if (!(error instanceof NeonDbError)) throw error
      if (error.code !== DIVISION_BY_ZERO || race === RACES) {
        throw new Error(`Migration failed, nothing was applied: ${error.message}`, { cause: error })
      }
    }
  }
}

async function countApplied(databaseUrl: string): Promise<number> {
  const sql = neon(databaseUrl)
  try {
    const tables = await sql`select to_regclass('drizzle.__drizzle_migrations') is not null as known`
    if (tables[0]?.['known'] !== true) return 0
    const rows = await sql`select count(*)::int as applied from drizzle.__drizzle_migrations`
    return Number(rows[0]?.['applied'])
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`The database cannot be reached (${reason}). Check DATABASE_URL.`, { cause: error })
  }
}

async function apply(databaseUrl: string, applied: number, pending: readonly MigrationMeta[]): Promise<void> {
  const sql = neon(databaseUrl)
  await sql.transaction([
    sql`select pg_advisory_xact_lock(${LOCK})`,
    sql`create schema if not exists drizzle`,
    sql`create table if not exists drizzle.__drizzle_migrations
      (id serial primary key, hash text not null, created_at bigint)`,
    sql`select 1 / (count(*) = ${applied})::int from drizzle.__drizzle_migrations`,
    ...pending.flatMap(({ sql: statements, hash, folderMillis }) => [
      ...statements.filter((text) => text.trim() !== '').map((text) => sql.query(text)),
      sql`insert into drizzle.__drizzle_migrations (hash, created_at) values (${hash}, ${folderMillis})`,
    ]),
  ])
}
