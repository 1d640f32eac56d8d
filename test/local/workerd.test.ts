/**
 * The configuration of plain workerd: any setting survives, objects keep their data and are shared by all isolates,
 * the schedule runs.
 */
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { describeWorker, ENTRY } from '../../local/capnp.ts'
import { type Child, startChild, waitUntilReady } from '../../local/child.ts'
import { findFreePorts } from '../../local/port.ts'
import { findBinary } from '../../local/workerd.ts'

const AWKWARD = 'it\'s "quoted" \\ back\\slashed\nand ünïcode 🚂 \u0000 $HOME'
const WORKER = `
import { DurableObject } from 'cloudflare:workers'
let ran = 0
let served = 0
export class Counter extends DurableObject {
  asked = 0
  count() {
    this.asked++
    this.ctx.storage.sql.exec('create table if not exists calls (id integer primary key)')
    this.ctx.storage.sql.exec('insert into calls default values')
    const { count } = this.ctx.storage.sql.exec('select count(*) as count from calls').one()
    return { count, asked: this.asked }
  }
}
export default {
  async fetch(_, env) {
    served++
    const { count, asked } = await env.COUNTER.getByName('a').count()
    return Response.json({ awkward: env.AWKWARD, level: env.LEVEL, count, asked, ran, served })
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
afterEach(async () => {
  await child.close()
  await rm(join(directory, 'schedule'), { force: true })
})
afterAll(async () => {
  await rm(directory, { recursive: true, force: true })
})

/** Resolves to the URL of each isolate. */
async function start(isolates = 1): Promise<string[]> {
  const [address = '', ...furtherAddresses] = (await findFreePorts(isolates)).map(
    (port) => `127.0.0.1:${port}`,
  )
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
    furtherAddresses,
    scheduleSocket: join(directory, 'schedule'),
    objectsDirectory: join(directory, 'objects'),
    bindings: { AWKWARD },
  }
  await writeFile(join(directory, 'config.capnp'), describeWorker(config, placement))
  child = startChild({ command: findBinary(), args: ['serve', 'config.capnp'], cwd: directory })
  await waitUntilReady('workerd', `http://${address}`, child, 10_000)
  return [address, ...furtherAddresses].map((each) => `http://${each}`)
}

const ask = async (url: string): Promise<any> => (await fetch(url)).json()

describe('describeWorker', () => {
  it('keeps settings as they are, runs the schedule, and keeps the data of objects over a restart', async () => {
    const [url = ''] = await start()
    const first = await ask(url)
    expect(first).toMatchObject({ awkward: AWKWARD, level: 'info', ran: 0 })

    const scheduled = request({ socketPath: join(directory, 'schedule') }).end()
    const [response] = await once(scheduled, 'response')
    response.resume()
    expect(response.statusCode).toBe(204)
    expect(await ask(url)).toMatchObject({ ran: 1 })

    await child.close()
    await rm(join(directory, 'schedule'), { force: true })
    const [urlAgain = ''] = await start()
    const again = await ask(urlAgain)
    expect(again).toMatchObject({ ran: 0 })
    expect(again.count).toBeGreaterThan(first.count + 1)
  })

  it('gives isolates that share nothing but the objects', async () => {
    const urls = await start(3)
    const answers = []
    for (const url of urls) answers.push(await ask(url))
    const [first] = answers
    // The first isolate answered while it was waited for.
    expect(first.served).toBeGreaterThan(1)
    expect(answers.slice(1)).toMatchObject([
      { served: 1, asked: first.asked + 1, awkward: AWKWARD },
      { served: 1, asked: first.asked + 2, awkward: AWKWARD },
    ])
  })
})
