import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { neon } from '@neondatabase/serverless'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { migrate } from '../../local/migration.ts'
import { startNeon } from '../../local/postgres/neon.ts'
import { openPglite } from '../../local/postgres/pglite.ts'
import { missingSecrets, readSecretNames } from '../../local/secrets.ts'

const FOLDER = join(import.meta.dirname, '../../migrations')
const shipped: number = JSON.parse(await readFile(join(FOLDER, 'meta/_journal.json'), 'utf8')).entries.length
let directory: string
let folder: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'switchyard-migrations-'))
})
beforeEach(async () => {
  folder = await mkdtemp(join(directory, 'case-'))
  await cp(FOLDER, folder, { recursive: true })
})
afterAll(() => rm(directory, { recursive: true, force: true }))

async function withDatabase(work: (url: string) => Promise<void>): Promise<void> {
  const engine = await openPglite()
  const endpoint = await startNeon({ engine, port: 0 })
  try {
    await work(endpoint.databaseUrl)
  } finally {
    await endpoint.close()
    await engine.close()
  }
}

async function addMigration(statement: string): Promise<void> {
  const file = join(folder, 'meta/_journal.json')
  const journal = JSON.parse(await readFile(file, 'utf8'))
  const idx = journal.entries.length
  journal.entries.push({ idx, version: '7', when: Date.now(), tag: `${idx}_added`, breakpoints: true })
  await writeFile(file, JSON.stringify(journal))
  await writeFile(join(folder, `${idx}_added.sql`), statement)
}

const tables = async (url: string): Promise<number> =>
  Number((await neon(url)`select count(*) as count from pg_tables where schemaname = 'public'`)[0]?.['count'])

describe('migrations', () => {
  it('are applied once, however often', () =>
    withDatabase(async (url) => {
      expect(await migrate(url, folder)).toBe(shipped)
      expect(await migrate(url, folder)).toBe(0)
      await addMigration('create table later (id int)')
      expect(await migrate(url, folder)).toBe(1)
    }))

  it('leave nothing when one fails, and say which and why', () =>
    withDatabase(async (url) => {
      await addMigration('create table half (id int);\n--> statement-breakpoint\nselect nonsense')
      await expect(migrate(url, folder)).rejects.toThrow(
        /^Migration \d_added failed, nothing was applied: column "nonsense" does not exist/,
      )
      expect(await tables(url)).toBe(0)
    }))

  it('are safe to run twice at once', () =>
    withDatabase(async (url) => {
      const applied = await Promise.all([migrate(url, folder), migrate(url, folder), migrate(url, folder)])
      expect(applied.toSorted()).toEqual([0, 0, shipped])
    }))

  it('say in one line that a database is out of reach', async () => {
    await expect(migrate('postgres://u:hunter2@127.0.0.1:9/x', folder)).rejects.toThrow(/cannot be reached/)
    await expect(migrate('postgres://u:hunter2@127.0.0.1:9/x', folder)).rejects.not.toThrow(/hunter2/)
  })

  it('describe every column of the schema', async () => {
    const snapshot = JSON.parse(await readFile(join(FOLDER, 'meta/0002_snapshot.json'), 'utf8'))
    const organised = Object.values<{ name: string; columns: object }>(snapshot.tables).filter(
      ({ name }) => name !== 'organisations',
    )
    for (const table of organised)
      expect([table.name, Object.keys(table.columns)]).toEqual([
        table.name,
        expect.arrayContaining(['organisation_id']),
      ])
  })
})

describe('a deployment', () => {
  it('is told each secret that it lacks, with the command that sets it', () => {
    const present = readSecretNames('[{"name":"API_KEY","type":"secret_text"},{"name":"DATABASE_URL"}]')
    const lines = missingSecrets(present)
    expect(lines).toHaveLength(5)
    expect(lines).toContain('Secret ENCRYPTION_KEY is not set: run `npx wrangler secret put ENCRYPTION_KEY`.')
    expect(() => readSecretNames('{}')).toThrow(/gave no list/)
  })
})
