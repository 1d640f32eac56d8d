/**
 * Brings a database to the schema of `migrations/`. Everything that is pending and its bookkeeping is one
 * transaction behind an advisory lock: two runs at once are safe, a failed one leaves nothing. The
 * bookkeeping is drizzle-kit's own table.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { neon, NeonDbError, neonConfig, type NeonQueryPromise } from '@neondatabase/serverless'
import { type MigrationMeta, readMigrationFiles } from 'drizzle-orm/migrator'

const FOLDER = join(import.meta.dirname, '../migrations')
const LOCK = 0x53_57_59_44
const RACES = 5
/** Codes of our own, raised inside the transaction: another run was faster; a trial got to its end. */
const OVERTAKEN = 'SY001'
const TRIED = 'SY002'

const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+)$/
const { fetchEndpoint: neonEndpoint } = neonConfig.defaults
neonConfig.fetchEndpoint = (host, port, options) => {
  if (LOOPBACK.test(host)) return `http://${host}:${port}/sql`
  return typeof neonEndpoint === 'string' ? neonEndpoint : neonEndpoint(host, port, options)
}

type Migration = MigrationMeta & { readonly tag: string }

/**
 * Applies what is pending to a database that speaks Neon's wire. Resolves to the number of migrations
 * applied; rejects with one line that says which migration failed and why, and then nothing was applied.
 */
export async function migrate(databaseUrl: string, folder = FOLDER): Promise<number> {
  const known = readMigrations(folder)
  for (let race = 1; ; race++) {
    const applied = await countApplied(databaseUrl)
    const pending = known.slice(applied)
    if (pending.length === 0) return 0
    try {
      await run(databaseUrl, applied, pending)
      return pending.length
    } catch (error) {
      if (!(error instanceof NeonDbError)) throw error
      if (error.code === OVERTAKEN && race < RACES) continue
      const culprit = await findCulprit(databaseUrl, applied, pending)
      throw new Error(`Migration ${culprit} failed, nothing was applied: ${error.message}`, { cause: error })
    }
  }
}

function readMigrations(folder: string): Migration[] {
  const { entries } = JSON.parse(readFileSync(join(folder, 'meta/_journal.json'), 'utf8'))
  const metas = readMigrationFiles({ migrationsFolder: folder })
  return metas.map((meta, at) => ({ ...meta, tag: String(entries[at].tag) }))
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

/** `last` ends the transaction; a statement that raises makes it a trial. */
async function run(
  databaseUrl: string,
  applied: number,
  pending: readonly Migration[],
  last: readonly string[] = [],
): Promise<void> {
  const sql = neon(databaseUrl)
  const steps: NeonQueryPromise<false, false>[] = [
    sql`select pg_advisory_xact_lock(${LOCK})`,
    sql`create schema if not exists drizzle`,
    sql`create table if not exists drizzle.__drizzle_migrations
      (id serial primary key, hash text not null, created_at bigint)`,
    sql.query(raise(OVERTAKEN, `(select count(*) from drizzle.__drizzle_migrations) <> ${applied}`)),
    ...pending.flatMap(({ sql: statements, hash, folderMillis }) => [
      ...statements.filter((text) => text.trim() !== '').map((text) => sql.query(text)),
      sql`insert into drizzle.__drizzle_migrations (hash, created_at) values (${hash}, ${folderMillis})`,
    ]),
    ...last.map((text) => sql.query(text)),
  ]
  await sql.transaction(steps)
}

/** The name of the first migration that fails, found by trials that leave nothing. */
async function findCulprit(
  databaseUrl: string,
  applied: number,
  pending: readonly Migration[],
): Promise<string> {
  for (const [at, { tag }] of pending.entries()) {
    const code = await run(databaseUrl, applied, pending.slice(0, at + 1), [raise(TRIED, 'true')]).then(
      () => undefined,
      (error: unknown) => (error instanceof NeonDbError ? error.code : undefined),
    )
    if (code !== TRIED) return tag
  }
  return pending.map(({ tag }) => tag).join(', ')
}

const raise = (code: string, condition: string): string =>
  `do $$ begin if ${condition} then raise exception 'stopped' using errcode = '${code}'; end if; end $$`
