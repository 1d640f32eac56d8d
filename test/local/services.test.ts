/** What the gateway finds out unasked is stored beside what operators set, and never in its place. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Engine } from '../../local/postgres/engine.ts'
import { migrate } from '../../local/migration.ts'
import { type Neon, startNeon } from '../../local/postgres/neon.ts'
import { openPglite } from '../../local/postgres/pglite.ts'
import type { ServiceRecord } from '../../src/registry/image.ts'
import { type Database, openDatabase } from '../../src/storage/database.ts'
import { loadImage } from '../../src/storage/image.ts'
import { Patience } from '../../src/storage/patience.ts'
import { type ServiceFields, ServiceStore, type ServiceWrite } from '../../src/storage/services.ts'
import { catalogueOf } from '../support/image.ts'

let engine: Engine
let neon: Neon
let database: Database
let store: ServiceStore
beforeAll(async () => {
  engine = await openPglite()
  neon = await startNeon({ engine, port: 0 })
  await migrate(neon.databaseUrl)
  database = openDatabase(neon.databaseUrl, 5_000)
  const ports = { clock: Date.now, random: () => 0, log: () => undefined }
  store = new ServiceStore(database, new Patience(ports), 'default')
})
afterAll(async () => {
  await neon.close()
  await engine.close()
})

const act = { actor: 'test', action: 'service.test', target: 'shop' }
const fields: ServiceFields = {
  url: 'https://one.example/mcp',
  transport: 'http',
  config: {},
  sealedAuth: undefined,
  status: 'connected',
  statusReason: undefined,
  lastPingAt: 0,
}
const id = crypto.randomUUID()
const writeOf = (tool: string, more: Partial<ServiceFields> = {}): ServiceWrite => ({
  id,
  fields: { ...fields, ...more },
  catalogue: { catalogue: catalogueOf([{ name: tool }]), digests: {} },
  approvals: [],
  names: [],
  instances: undefined,
})
async function stored(): Promise<ServiceRecord> {
  const [service] = (await loadImage(database, 'default')).services
  if (!service) throw new Error('nothing is stored')
  return service
}
const toolsIn = ({ catalogue }: ServiceRecord): unknown => JSON.parse(catalogue?.tools ?? '')

test('a refresh keeps settings that were made meanwhile', async () => {
  await store.insert('shop', writeOf('first'), act)
  const before = await stored()
  expect((await store.update(before, writeOf('first', { config: { timeoutMs: 7 } }), act)).ok).toBe(true)
  expect((await store.refresh(before, writeOf('second'), act)).ok).toBe(true)
  const after = await stored()
  expect([after.config, toolsIn(after)]).toEqual([{ timeoutMs: 7 }, [{ name: 'second' }]])
})

test.each([{ url: 'https://two.example/mcp' }, { config: { secretsSetAt: '2026-01-01T00:00:00.000Z' } }])(
  'a refresh of what an operator has led elsewhere meanwhile (%j) leaves nothing',
  async (change) => {
    const before = await stored()
    expect((await store.update(before, writeOf('elsewhere', change), act)).ok).toBe(true)
    const led = await stored()
    expect(await store.refresh(before, writeOf('late', { url: before.url }), act)).toMatchObject({
      error: { why: 'moved' },
    })
    expect(await stored()).toEqual(led)
  },
)

test('an update of what is not as it was read leaves nothing', async () => {
  const before = await stored()
  await store.refresh(before, writeOf('third'), act)
  const now = await stored()
  expect(await store.update(before, writeOf('late'), act)).toMatchObject({ error: { why: 'moved' } })
  expect(await stored()).toEqual(now)
})
