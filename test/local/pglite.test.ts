import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPglite } from '../../local/postgres/pglite.ts'

const OPEN = new URL('../../local/postgres/pglite.ts', import.meta.url).href
let root = ''

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'pglite-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

const order = (query: string) => ({ query, params: [] })

/** Starts a process that opens `directory`, runs `query`, says so, and stays. */
const startHolder = async (directory: string, query: string) => {
  const code = `const { openPglite } = await import('${OPEN}')
    const engine = await openPglite(${JSON.stringify(directory)})
    await engine.run({ query: ${JSON.stringify(query)}, params: [] })
    console.log('ready'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return child
}

test('a directory opened again has its data', { timeout: 30_000 }, async () => {
  const directory = join(root, 'deep', 'reopened')
  const first = await openPglite(directory)
  await first.run(order('CREATE TABLE t AS SELECT 42 AS a'))
  await first.close()
  const second = await openPglite(directory)
  expect((await second.run(order('SELECT a FROM t'))).rows).toEqual([['42']])
  await second.close()
})

test(
  'a commit survives SIGKILL, and the dead process does not hold the directory',
  { timeout: 30_000 },
  async () => {
    const directory = join(root, 'killed')
    const holder = await startHolder(directory, 'CREATE TABLE t AS SELECT generate_series(1, 1000) AS a')
    await expect(openPglite(directory)).rejects.toThrow(`in use by process ${holder.pid}`)
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    const engine = await openPglite(directory)
    expect((await engine.run(order('SELECT count(*) FROM t'))).rows).toEqual([['1000']])
    await expect(openPglite(directory)).rejects.toThrow('already open in this process')
    await engine.close()
  },
)

test('two databases in memory share nothing', { timeout: 30_000 }, async () => {
  const one = await openPglite()
  const other = await openPglite()
  await one.run(order('CREATE TABLE t (a int)'))
  await expect(other.run(order('SELECT * FROM t'))).rejects.toThrow('does not exist')
  await Promise.all([one.close(), other.close()])
})

test('values of any text and length arrive as they are, and null as null', async () => {
  const engine = await openPglite()
  const params = ['', 'é€😀 \\ "', 'x'.repeat(70_000), null]
  const query = 'SELECT $1::text, $2::text, $3::text, $4::text, octet_length($2::text)'
  const { rows } = await engine.run({ query, params })
  expect(rows).toEqual([[...params, String(Buffer.byteLength(params[1] ?? ''))]])
  await engine.close()
})
