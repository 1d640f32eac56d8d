/** The gateway's own client of Neon's endpoint reads and writes what Neon's client reads and writes. */
import { neon, neonConfig } from '@neondatabase/serverless'
import { eq, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/neon-http'
import { bigint, boolean, doublePrecision, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Fault } from '../../local/endpoint.ts'
import type { Engine } from '../../local/postgres/engine.ts'
import { startNeon, type Neon } from '../../local/postgres/neon.ts'
import { openPglite } from '../../local/postgres/pglite.ts'
import { openPostgres } from '../../local/postgres/postgres.ts'
import { attempt, openDatabase } from '../../src/storage/database.ts'
import { instant, rawJson } from '../../src/storage/schema/column.ts'
import { describeEngines, uniqueName } from './engines.ts'

neonConfig.fetchEndpoint = (host, port) => `http://${host}:${port}/sql`

describeEngines('PGlite', 'TEST_DATABASE_URL', (url) => {
  const name = uniqueName('columns')
  const table = pgTable(name, {
    id: uuid('id').primaryKey(),
    note: text('note'),
    isOn: boolean('is_on'),
    count: integer('count'),
    large: bigint('large', { mode: 'number' }),
    share: doublePrecision('share'),
    at: instant('at'),
    raw: rawJson('raw'),
    document: jsonb('document'),
    names: text('names').array(),
  })
  let engine: Engine
  let endpoint: Neon
  let fault: Fault | undefined
  const open = () => openDatabase(endpoint.databaseUrl, 2_000)
  const openTheirs = () => drizzle({ client: neon(endpoint.databaseUrl) })

  beforeAll(async () => {
    engine = url === undefined ? await openPglite() : await openPostgres(url)
    endpoint = await startNeon({ engine, port: 0, fault: () => fault })
    const columns =
      'id uuid primary key, note text, is_on boolean, count int, large int8, share float8, at timestamptz, raw json, document jsonb, names text[]'
    await engine.run({ query: `CREATE TABLE ${name} (${columns})`, params: [] })
  }, 30_000)
  afterAll(async () => {
    await engine.run({ query: `DROP TABLE IF EXISTS ${name}`, params: [] })
    await endpoint.close()
    await engine.close()
  })

  const row = (id: string) => ({
    id,
    note: 'quote \' " \\ , {} \u{1F600} and\nlines',
    isOn: true,
    count: -7,
    large: Number.MAX_SAFE_INTEGER,
    share: 0.1,
    at: new Date('2026-02-28T23:59:59.123Z'),
    raw: '{"b":  9007199254740993, "a": [1,  2]}',
    document: { list: [1, 'two', null], text: 'null' },
    names: ['plain', 'with "quotes"', 'a,b', '{}', 'back\\slash', ''],
  })
  const empty = (id: string) => {
    const nothing = { note: null, isOn: false, count: 0, large: null, share: null, at: null }
    return { id, ...nothing, raw: null, document: null, names: [] }
  }

  test('what is written is read again by both, the same', async () => {
    const rows = [row(crypto.randomUUID()), empty(crypto.randomUUID())]
    await open().insert(table).values(rows)
    for (const { id } of rows) {
      const ours = await open().select().from(table).where(eq(table.id, id))
      const theirs = await openTheirs().select().from(table).where(eq(table.id, id))
      expect(ours).toEqual(theirs)
    }
  })

  test('rows of statements that drizzle did not make are the same', async () => {
    const statement = sql`select 1 as one, 2::int8 as two, true as yes, null as nothing, 1.5::float8 as half,
      '{"a":1}'::jsonb as document, now() > 'epoch' as later, ${'a text'}::text as given, ${7}::int as seven`
    const [ours, theirs] = [await open().execute(statement), await openTheirs().execute(statement)]
    expect(ours.rows).toEqual(theirs.rows)
    expect(ours.rowCount).toEqual(theirs.rowCount)
  })

  test('a batch is one transaction', async () => {
    const [id, other] = [crypto.randomUUID(), crypto.randomUUID()]
    const database = open()
    const written = await attempt(() =>
      database.batch([
        database.insert(table).values(empty(id)),
        database.insert(table).values(empty(other)),
        database.insert(table).values(empty(id)),
      ]),
    )
    expect(written).toMatchObject({ ok: false, error: { why: 'duplicate', sqlState: '23505' } })
    expect(await database.select().from(table).where(eq(table.id, other))).toEqual([])
  })

  test('a batch answers each of its statements', async () => {
    const id = crypto.randomUUID()
    const database = open()
    const [, rows, counted] = await database.batch([
      database.insert(table).values(row(id)),
      database.select({ note: table.note }).from(table).where(eq(table.id, id)),
      database.update(table).set({ count: 1 }).where(eq(table.id, id)).returning({ count: table.count }),
    ])
    expect([rows, counted]).toEqual([[{ note: row(id).note }], [{ count: 1 }]])
  })

  test.each<[string, Fault, object]>([
    ['too many requests', { status: 429 }, { why: 'busy' }],
    ['a proxy that fails', { status: 502 }, { why: 'unreachable' }],
    ['a connection that breaks', { destroy: true }, { why: 'unreachable' }],
  ])('%s is a fault, not a bug', async (_, given, error) => {
    fault = given
    const answered = await attempt(() => open().select().from(table))
    fault = undefined
    expect(answered).toEqual({ ok: false, error })
  })
})
