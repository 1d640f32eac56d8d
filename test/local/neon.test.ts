import { neon, neonConfig, NeonDbError } from '@neondatabase/serverless'
import { drizzle } from 'drizzle-orm/neon-http'
import { bigint, integer, jsonb, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Engine } from '../../local/postgres/engine.ts'
import { startNeon } from '../../local/postgres/neon.ts'
import type { Neon } from '../../local/postgres/neon.ts'
import { openPglite } from '../../local/postgres/pglite.ts'
import { openPostgres } from '../../local/postgres/postgres.ts'
import { describeEngines, uniqueName } from './engines.ts'

neonConfig.fetchEndpoint = (host, port) => `http://${host}:${port}/sql`

const post = async (target: Neon, body: unknown, headers: Record<string, string> = {}) => {
  const response = await fetch(`http://127.0.0.1:${target.port}/sql`, {
    method: 'POST',
    headers: { 'neon-connection-string': target.databaseUrl, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const json: unknown = await response.json()
  return { status: response.status, headers: response.headers, json }
}

const raw = { 'neon-raw-text-output': 'true', 'neon-array-mode': 'true' }

const failureOf = async (work: Promise<unknown>): Promise<NeonDbError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof NeonDbError) return error
  throw new Error(`expected a NeonDbError, got ${String(error)}`)
}

describeEngines('PGlite', 'TEST_DATABASE_URL', (url) => {
  let engine: Engine
  let target: Neon
  const table = uniqueName('neon')
  const paths: string[] = []

  beforeAll(async () => {
    engine = url === undefined ? await openPglite() : await openPostgres(url)
    target = await startNeon({ engine, port: 0, observe: (path) => paths.push(path) })
    const create = `CREATE TABLE ${table} (id int PRIMARY KEY, note text, big int8, doc jsonb, at timestamptz)`
    await neon(target.databaseUrl).query(create)
  }, 30_000)

  afterAll(async () => {
    await engine.run({ query: `DROP TABLE IF EXISTS ${table}`, params: [] })
    await target.close()
    await engine.close()
  })

  const count = async (): Promise<number> => {
    const { rows } = await engine.run({ query: `SELECT count(*) FROM ${table}`, params: [] })
    return Number(rows[0]?.[0])
  }

  test.each([
    ['int8', '9223372036854775807', '9223372036854775807'],
    ['numeric', '12345678901234567890.123456789', '12345678901234567890.123456789'],
    ['json', '{"b": 12345678901234567890,  "a":1}', '{"b": 12345678901234567890,  "a":1}'],
    ['jsonb', '{"b":12345678901234567890,"a":1}', '{"a": 1, "b": 12345678901234567890}'],
    ['timestamptz', '2026-01-02T03:04:05.678901+02:00', '2026-01-02 01:04:05.678901+00'],
    ['bool', 'true', 't'],
    ['bytea', '\\x00ff10', '\\x00ff10'],
    ['int4[]', '{1,NULL,3}', '{1,NULL,3}'],
    ['text[]', '{"a,b",NULL,"NULL","q\\"\\\\"}', '{"a,b",NULL,"NULL","q\\"\\\\"}'],
    ['float8', '0.1', '0.1'],
    ['text', 'naïve ☃ 😀 \u0001\n"\'\\', 'naïve ☃ 😀 \u0001\n"\'\\'],
    ['text', '', ''],
    ['text', null, null],
  ])('%s %j arrives as Postgres writes it', async (type, given, expected) => {
    const { status, json } = await post(target, { query: `SELECT $1::${type} AS v`, params: [given] }, raw)
    expect(status).toBe(200)
    expect(json).toMatchObject({ rows: [[expected]], rowAsArray: true })
  })

  test('the driver reads every type from it', async () => {
    const sql = neon(target.databaseUrl)
    const [row] = await sql`SELECT 7::int4 i, 1::int8 b, true t, ARRAY[1,2] a, '\\x00ff'::bytea y, null n,
      '{"a":[1]}'::json j, ${['x', null, 'a"b']}::text[] s, ${{ k: 'v' }}::jsonb o`
    expect(row).toMatchObject({ i: 7, b: '1', t: true, a: [1, 2], n: null, j: { a: [1] }, o: { k: 'v' } })
    expect(row?.['s']).toEqual(['x', null, 'a"b'])
    expect(Buffer.from(row?.['y']).toString('hex')).toBe('00ff')
  })

  test('a result names command, count and every attribute of its fields', async () => {
    const { json } = await post(target, { query: `SELECT id, note FROM ${table} WHERE false` }, raw)
    expect(json).toMatchObject({ command: 'SELECT', rowCount: 0, rows: [], rowAsArray: true })
    expect(json).toHaveProperty('fields', [
      {
        name: 'id',
        tableID: expect.toSatisfy((oid: unknown) => Number(oid) > 0),
        columnID: 1,
        dataTypeID: 23,
        dataTypeSize: 4,
        dataTypeModifier: -1,
        format: 'text',
      },
      expect.objectContaining({ name: 'note', columnID: 2, dataTypeID: 25, dataTypeSize: -1 }),
    ])
    const created = await post(target, { query: 'SET LOCAL lock_timeout = 0' }, raw)
    expect(created.json).toMatchObject({ command: 'SET', rowCount: null, rows: [], fields: [] })
  })

  test('without the raw header values are JSON, without array mode rows are objects', async () => {
    const query = `SELECT 1::int4 i, 2::int8 b, true t, 0.5::float8 f, 'NaN'::float8 n, null::int4 u,
      '{"x": 12345678901234567890}'::json j, '{1,NULL}'::int4[] a, '{{"p q",NULL},{"a\\"b","NULL"}}'::text[] s,
      '{}'::int4[] e`
    const response = await fetch(`http://127.0.0.1:${target.port}/sql`, {
      method: 'POST',
      headers: { 'neon-connection-string': target.databaseUrl },
      body: JSON.stringify({ query }),
    })
    const body = await response.text()
    expect(body).toContain('{"x": 12345678901234567890}')
    expect(JSON.parse(body).rows[0]).toMatchObject({
      i: 1,
      b: '2',
      t: true,
      f: 0.5,
      n: 'NaN',
      u: null,
      a: [1, null],
      s: [
        ['p q', null],
        ['a"b', 'NULL'],
      ],
      e: [],
    })
  })

  test('parameters that are not strings become Postgres text', async () => {
    const params = [42, true, null, { b: 1 }, [1, null, 'a,b', ['x']], [[1, 2]]]
    const query = 'SELECT $1::text, $2::text, $3::text, $4::text, $5::text, $6::text'
    const { json } = await post(target, { query, params }, raw)
    expect(json).toHaveProperty('rows', [['42', 'true', null, '{"b":1}', '{1,NULL,"a,b",{"x"}}', '{{1,2}}']])
  })

  test('SQL errors are 400 with SQLSTATE and fields', async () => {
    const sql = neon(target.databaseUrl)
    await sql.query(`INSERT INTO ${table} (id) VALUES (1)`)
    const duplicate = await failureOf(sql.query(`INSERT INTO ${table} (id) VALUES (1)`))
    expect(duplicate).toMatchObject({
      code: '23505',
      severity: 'ERROR',
      table,
      schema: 'public',
      constraint: `${table}_pkey`,
      detail: 'Key (id)=(1) already exists.',
    })
    await sql.query(`DELETE FROM ${table}`)
    const column = await failureOf(sql.query(`SELECT nope FROM ${table}`))
    expect(column).toMatchObject({ code: '42703', position: '8', message: 'column "nope" does not exist' })
    expect(await failureOf(sql.query('SELEC 1'))).toMatchObject({ code: '42601', position: '1' })
    const { status, json } = await post(target, { query: 'SELEC 1' })
    expect(status).toBe(400)
    expect(json).toMatchObject({ code: '42601', severity: 'ERROR', hint: null, constraint: null })
  })

  test('several statements in one query, and COPY, are refused', async () => {
    const sql = neon(target.databaseUrl)
    expect(await failureOf(sql.query('SELECT 1; SELECT 2'))).toMatchObject({ code: '42601' })
    const copy = await failureOf(sql.query(`-- c\n /* d */ COPY ${table} FROM STDIN`))
    expect(copy).toMatchObject({ code: '0A000' })
    expect(await failureOf(sql.transaction([sql.query(`COPY ${table} TO STDOUT`)]))).toMatchObject({
      code: '0A000',
    })
    expect(await sql`SELECT 1 AS alive`).toEqual([{ alive: 1 }])
  })

  test('a batch is all or nothing', async () => {
    const sql = neon(target.databaseUrl)
    const insert = (id: number) => sql.query(`INSERT INTO ${table} (id) VALUES ($1)`, [id])
    const error = await failureOf(sql.transaction([insert(1), insert(2), insert(1)]))
    expect(error.code).toBe('23505')
    expect(await count()).toBe(0)
    const results = await sql.transaction([
      insert(1),
      insert(2),
      sql.query(`SELECT id FROM ${table} ORDER BY id`),
    ])
    expect(results).toEqual([[], [], [{ id: 1 }, { id: 2 }]])
    await sql.query(`DELETE FROM ${table}`)
  })

  test('a deferred constraint that fails at COMMIT fails the batch', async () => {
    const sql = neon(target.databaseUrl)
    const child = uniqueName('child')
    const reference = `int REFERENCES ${table} (id) DEFERRABLE INITIALLY DEFERRED`
    await sql.query(`CREATE TABLE ${child} (parent ${reference})`)
    const error = await failureOf(sql.transaction([sql.query(`INSERT INTO ${child} VALUES (999)`)]))
    expect(error.code).toBe('23503')
    expect(await sql.query(`SELECT * FROM ${child}`)).toEqual([])
    await sql.query(`DROP TABLE ${child}`)
  })

  test('a batch has the isolation, access and deferral its headers ask for', async () => {
    const sql = neon(target.databaseUrl)
    const show = sql`SELECT current_setting('transaction_isolation') i, current_setting('transaction_read_only') r,
      current_setting('transaction_deferrable') d`
    const options = { isolationLevel: 'Serializable', readOnly: true, deferrable: true } as const
    expect(await sql.transaction([show], options)).toEqual([[{ i: 'serializable', r: 'on', d: 'on' }]])
    expect(await sql.transaction([show])).toEqual([[{ i: 'read committed', r: 'off', d: 'off' }]])
    const write = sql.transaction([sql.query(`INSERT INTO ${table} (id) VALUES (5)`)], { readOnly: true })
    expect(await failureOf(write)).toMatchObject({ code: '25006' })
    const bad = await post(target, { queries: [] }, { 'neon-batch-isolation-level': 'serializable' })
    expect(bad).toMatchObject({ status: 400, json: { message: 'invalid isolation level' } })
    const echoed = await post(target, { queries: [] }, { 'neon-batch-read-only': 'true' })
    expect(echoed.json).toEqual({ results: [] })
    expect(echoed.headers.get('neon-batch-read-only')).toBe('true')
  })

  test('batches at the same time do not meet', async () => {
    const sql = neon(target.databaseUrl)
    await sql.query(`INSERT INTO ${table} (id, big) VALUES (1, 0)`)
    // Read, then write what was read plus one: an interleaved batch would lose a step.
    const step = () =>
      sql.transaction([
        sql.query(`SELECT big FROM ${table} WHERE id = 1 FOR UPDATE`),
        sql.query(`SELECT set_config('test.seen', (SELECT big::text FROM ${table} WHERE id = 1), true)`),
        sql.query(`UPDATE ${table} SET big = current_setting('test.seen')::int8 + 1 WHERE id = 1`),
      ])
    const lone = () => sql`SELECT pg_current_xact_id_if_assigned() AS inside`
    const all = await Promise.all(Array.from({ length: 20 }, () => Promise.all([step(), lone()])))
    for (const [, rows] of all) expect(rows).toEqual([{ inside: null }])
    expect(await sql.query(`SELECT big FROM ${table} WHERE id = 1`)).toEqual([{ big: '20' }])
    await sql.query(`DELETE FROM ${table}`)
  })

  test('a batch is not interleaved with what starts in the same moment', async () => {
    const begun = { isolation: undefined, readOnly: false, deferrable: false }
    const insert = { query: `INSERT INTO ${table} (id) VALUES (1)`, params: [] }
    const look = { query: `SELECT count(*), pg_current_xact_id_if_assigned() FROM ${table}`, params: [] }
    const remove = { query: `DELETE FROM ${table}`, params: [] }
    const batch = () => engine.batch([insert, look, remove, look], begun)
    const results = await Promise.all([batch(), engine.run(look), batch(), engine.run(look), batch()])
    for (const result of results) {
      if (!Array.isArray(result)) expect(result).toHaveProperty('rows', [['0', null]])
      else expect(result.map(({ rows }) => rows[0]?.[0])).toEqual([undefined, '1', undefined, '0'])
    }
  })

  test('neither an open transaction nor a setting reaches the next request', async () => {
    const sql = neon(target.databaseUrl)
    await sql`BEGIN`
    await sql.query(`INSERT INTO ${table} (id) VALUES (77)`)
    await sql`SET TimeZone = 'Asia/Tokyo'`
    for (let i = 0; i < 10; i += 1) {
      const [row] = await sql`SELECT '2026-01-01T00:00:00Z'::timestamptz::text AS at,
        pg_current_xact_id_if_assigned() AS inside`
      expect(row).toEqual({ at: '2026-01-01 00:00:00+00', inside: null })
    }
    await sql.query(`DELETE FROM ${table}`)
  })

  test('a value of 5 MB goes both ways', async () => {
    const long = '☃'.repeat(1_700_000)
    const [row] = await neon(target.databaseUrl)`SELECT ${long}::text AS v`
    expect(row?.['v'] === long).toBe(true)
  })

  test('drizzle reads, writes and batches', async () => {
    const things = pgTable(table, {
      id: integer('id').primaryKey(),
      note: text('note'),
      big: bigint('big', { mode: 'bigint' }),
      doc: jsonb('doc'),
      at: timestamp('at', { withTimezone: true }),
    })
    const db = drizzle(neon(target.databaseUrl))
    const at = new Date('2026-01-02T03:04:05.678Z')
    const row = { id: 1, note: 'ü', big: 9007199254740993n, doc: { a: [1, 'x'] }, at }
    const [inserted, selected] = await db.batch([
      db.insert(things).values(row).returning(),
      db.select().from(things),
    ])
    expect(inserted).toEqual([row])
    expect(selected).toEqual([row])
    const clash = db.batch([db.insert(things).values({ id: 2 }), db.insert(things).values({ id: 1 })])
    await expect(clash).rejects.toThrow()
    expect(await db.$count(things)).toBe(1)
    expect((await db.update(things).set({ note: null })).rowCount).toBe(1)
    await db.delete(things)
  })

  describe('the door', () => {
    const send = (headers: Record<string, string>, init: RequestInit = {}) =>
      fetch(`http://127.0.0.1:${target.port}/sql`, {
        method: 'POST',
        body: '{"query":"SELECT 1"}',
        headers,
        ...init,
      })
    const refusal = async (connection: string) => {
      const response = await send({ 'neon-connection-string': connection })
      return { status: response.status, ...JSON.parse(await response.text()) }
    }

    test('a wrong or missing credential is 400 and says which', async () => {
      const wrong = target.databaseUrl.replace(/:[0-9a-f]{48}@/, ':wrong@')
      expect(await failureOf(neon(wrong)`SELECT 1`)).toMatchObject({
        message: "password authentication failed for user 'switchyard'",
      })
      expect((await send({})).status).toBe(400)
      expect(await (await send({})).json()).toMatchObject({ message: expect.stringContaining('missing') })
      expect(await refusal(target.databaseUrl.replace('//switchyard:', '//root:'))).toMatchObject({
        status: 400,
      })
      expect(await refusal('postgres://switchyard@127.0.0.1/switchyard')).toMatchObject({ status: 400 })
      expect(await refusal('mysql://a:b@c/d')).toMatchObject({ message: 'incorrect scheme' })
      expect(await refusal('nonsense')).toMatchObject({ status: 400 })
      expect(await refusal(`${target.databaseUrl}x`)).toMatchObject({ code: '3D000' })
    })

    test.each([
      ['{'],
      ['[]'],
      ['"x"'],
      ['{"query":1}'],
      ['{"queries":[{"params":[]}]}'],
      ['{"query":"x","params":{}}'],
    ])('a body like %s is 400 with a message', async (body) => {
      const { status, json } = await post(target, body)
      expect(status).toBe(400)
      expect(json).toHaveProperty('message', expect.stringContaining('could not parse the HTTP request body'))
    })

    test('a body that is not UTF-8 is 400, other paths 404, other methods 405', async () => {
      const headers = { 'neon-connection-string': target.databaseUrl }
      const bytes = new Uint8Array([0x22, 0xff, 0x22])
      expect((await send(headers, { body: bytes })).status).toBe(400)
      expect((await fetch(`http://127.0.0.1:${target.port}/other`)).status).toBe(404)
      expect((await fetch(`http://127.0.0.1:${target.port}/sql`)).status).toBe(405)
      expect(paths).toContain('/other')
    })

    test('a body over 64 MiB is 413', async () => {
      const body = new Uint8Array(64 * 1024 * 1024 + 1)
      expect((await send({ 'neon-connection-string': target.databaseUrl }, { body })).status).toBe(413)
    })
  })

  test('it goes away with close, and comes back on the same port and password', async () => {
    const first = await startNeon({ engine, port: 0, password: 'p@ss/wörd %' })
    const sql = neon(first.databaseUrl)
    expect(await sql`SELECT 1 AS a`).toEqual([{ a: 1 }])
    await first.close()
    await expect(sql`SELECT 1`).rejects.toThrow('Error connecting to database')
    const second = await startNeon({ engine, port: first.port, password: 'p@ss/wörd %' })
    expect(second.databaseUrl).toBe(first.databaseUrl)
    expect(await sql`SELECT 1 AS a`).toEqual([{ a: 1 }])
    await expect(startNeon({ engine, port: second.port })).rejects.toThrow('already taken')
    await second.close()
  })

  test('the fault hook delays, answers, hangs and cuts', async () => {
    const faults = [{ delayMs: 60 }, { status: 503 }, { destroy: true }, { hang: true }, undefined]
    const faulty = await startNeon({ engine, port: 0, fault: () => faults.shift() })
    const sql = neon(faulty.databaseUrl)
    const started = performance.now()
    await sql`SELECT 1`
    expect(performance.now() - started).toBeGreaterThan(50)
    await expect(sql`SELECT 1`).rejects.toThrow('HTTP status 503')
    await expect(sql`SELECT 1`).rejects.toThrow('Error connecting')
    const signal = AbortSignal.timeout(150)
    await expect(sql.query('SELECT 1', [], { fetchOptions: { signal } })).rejects.toThrow('Error connecting')
    expect(await sql`SELECT 1 AS a`).toEqual([{ a: 1 }])
    await faulty.close()
  })
})

test('a Postgres out of reach is one clear error without the password', async () => {
  const error = await openPostgres('postgres://u:hunter2@127.0.0.1:1/x').catch(String)
  expect(error).toContain('PostgreSQL at 127.0.0.1:1 is out of reach')
  expect(error).not.toContain('hunter2')
})
