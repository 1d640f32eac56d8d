/** The configuration of plain workerd: any setting survives, objects keep their data, the schedule runs. */
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWorker, ENTRY } from '../../local/capnp.ts'
import { type Child, startChild, waitUntilReady } from '../../local/child.ts'
import { findFreePort } from '../../local/port.ts'
import { findBinary } from '../../local/workerd.ts'

const AWKWARD = 'it\'s "quoted" \\ back\\slashed\nand ünïcode 🚂 \u0000 $HOME'
const WORKER = `
import { DurableObject } from 'cloudflare:workers'
let ran = 0
export class Counter extends DurableObject {
  count() {
    this.ctx.storage.sql.exec('create table if not exists calls (id integer primary key)')
    this.ctx.storage.sql.exec('insert into calls default values')
    return this.ctx.storage.sql.exec('select count(*) as n from calls').one().n
  }
}
export default {
  async fetch(_, env) {
    return Response.json({ awkward: env.AWKWARD, level: env.LEVEL, count: await env.COUNTER.getByName('a').count(), ran })
  },
  scheduled() { ran++ },
}`

let directory: string
let child: Child

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'switchyard-workerd-'))
  await mkdir(join(directory, 'objects'))
  await writeFile(join(directory, 'source.js'), WORKER)
  await copyFile(join(directory, 'source.js'), join(directory, 'index.js'))
  await writeFile(join(directory, 'entry.js'), ENTRY)
})
afterAll(async () => {
  await child.close()
  await rm(directory, { recursive: true, force: true })
})

async function start(): Promise<string> {
  const address = `127.0.0.1:${await findFreePort()}`
  const config = {
    name: 'test',
    compatibility_date: '2026-10-01',
    compatibility_flags: ['enable_request_signal'],
    vars: { LEVEL: 'info', AWKWARD: 'less' },
    durable_objects: { bindings: [{ name: 'COUNTER', class_name: 'Counter' }] },
    migrations: [{ new_sqlite_classes: ['Counter'] }],
  }
  const placement = {
    address,
    scheduleSocket: join(directory, 'schedule'),
    objectsDirectory: join(directory, 'objects'),
    bindings: { AWKWARD },
  }
  await writeFile(join(directory, 'config.capnp'), describeWorker(config, placement))
  child = startChild({ command: findBinary(), args: ['serve', 'config.capnp'], cwd: directory })
  await waitUntilReady('workerd', `http://${address}`, child, 10_000)
  return `http://${address}`
}

const ask = async (url: string): Promise<any> => (await fetch(url)).json()

describe('describeWorker', () => {
  it('keeps settings as they are, runs the schedule, and keeps the data of objects over a restart', async () => {
    const url = await start()
    const first = await ask(url)
    expect(first).toMatchObject({ awkward: AWKWARD, level: 'info', ran: 0 })

    const scheduled = request({ socketPath: join(directory, 'schedule') }).end()
    const [response] = await once(scheduled, 'response')
    response.resume()
    expect(response.statusCode).toBe(204)
    expect(await ask(url)).toMatchObject({ ran: 1 })

    await child.close()
    await rm(join(directory, 'schedule'), { force: true })
    const again = await ask(await start())
    expect(again).toMatchObject({ ran: 0 })
    expect(again.count).toBeGreaterThan(first.count + 1)
  })
})
