/** What clients hear without asking, in every cell: lists that changed, and resources that they subscribed to. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { cells, IN_CELL, type Matrix, publicName, publicUri, startMatrix } from '../support/cell.ts'
import { eventually } from '../support/gateway.ts'
import type { SdkClient } from '../support/sdk-client.ts'
import { startLegacyServer } from '../support/sdk-legacy.ts'
import { startModernServer } from '../support/sdk-modern.ts'

let matrix: Matrix
beforeAll(async () => {
  matrix = await startMatrix()
})
afterEach(() => matrix.disconnect())
afterAll(() => matrix.close())

/** Within this time a change is heard (protocol.md calls it "within 5 s"). */
const HEARD_MS = 5_000
const methodsOf = ({ heard }: SdkClient): string[] => heard.map(({ method }) => method)

describe.each(cells)(IN_CELL, (cell) => {
  const id = `${cell.client}-${cell.at}`

  it.each([
    ['tool', 'tools', 'call'],
    ['prompt', 'prompts', 'prompt'],
    ['resource', 'resources', 'read'],
  ] as const)('hears once that there is a new %s, and nothing of other lists', async (kind, group, use) => {
    const client = await matrix.connect(cell)
    await client.listen()
    const name = `new-${kind}-${id}`
    matrix.upstream(cell).add(kind, name)
    await eventually(HEARD_MS, () =>
      expect(methodsOf(client)).toEqual([`notifications/${group}/list_changed`]),
    )
    const own = kind === 'resource' ? publicUri(cell, name) : name
    const listed = (await client[group]()).map((item) => item.uri ?? item.name)
    expect(listed).toContain(own)
    const result = await client[use](kind === 'resource' ? own : publicName(cell, name))
    expect(JSON.stringify(result)).toContain(name)
    expect(methodsOf(client)).toHaveLength(1)
  })

  it('hears of a resource that it subscribed to, from the moment that it did', async () => {
    const client = await matrix.connect(cell)
    const [uri, other] = [publicUri(cell, 'plain'), publicUri(cell, 'bytes')]
    await client.listen([uri])
    matrix.upstream(cell).update(other)
    matrix.upstream(cell).update(uri)
    await eventually(HEARD_MS, () => expect(client.heard).toHaveLength(1))
    expect(client.heard[0]).toMatchObject({ method: 'notifications/resources/updated', params: { uri } })
  })

  it('hears no more of a resource that it has unsubscribed from', async () => {
    const [client, control] = [await matrix.connect(cell), await matrix.connect(cell)]
    const uri = publicUri(cell, 'bytes')
    await Promise.all([client.listen([uri]), control.listen([uri])])
    await client.unlisten(uri)
    for (let heard = 1; heard <= 2; heard++) {
      matrix.upstream(cell).update(uri)
      await eventually(HEARD_MS, () => expect(control.heard).toHaveLength(heard))
    }
    expect(client.heard).toEqual([])
  })
})

describe.each(cells)(`a service that comes and goes: ${IN_CELL}`, (cell) => {
  it('is heard of where it can be seen, and only there', async () => {
    const client = await matrix.connect(cell)
    const control = await matrix.connect({ ...cell, at: 'all' })
    await Promise.all([client.listen(), control.listen()])
    const extra = await startModernServer()
    const registered = await matrix.gateway.register(
      `extra-${cell.client}-${cell.upstream}-${cell.at}`,
      extra.url,
    )
    expect(registered.status).toBe(201)
    const groups = ['prompts', 'resources', 'tools']
    const all = groups.map((group) => `notifications/${group}/list_changed`)
    await eventually(HEARD_MS, () => expect(methodsOf(control).toSorted()).toEqual(all))
    await matrix.gateway.manage('DELETE', `/api/v1/servers/${registered.body.id}`)
    await eventually(HEARD_MS, () => expect(methodsOf(control)).toHaveLength(6))
    await eventually(HEARD_MS, () => expect(methodsOf(client)).toHaveLength(cell.at === 'all' ? 6 : 0))
    await extra.close()
  })
})

describe.each(cells.filter(({ at }) => at === 'all'))(`before anybody listens: ${IN_CELL}`, (cell) => {
  it('what changed is found when the first client does, though nobody heard of it', async () => {
    const fresh = await (cell.upstream === 'legacy' ? startLegacyServer() : startModernServer())
    const name = `fresh-${cell.client}-${cell.upstream}`
    expect((await matrix.gateway.register(name, fresh.url)).status).toBe(201)
    fresh.add('tool', 'unheard-of')
    const client = await matrix.connect(cell)
    await client.listen()
    await eventually(HEARD_MS, async () => {
      expect((await client.tools()).map((tool) => tool.name)).toContain(`unheard-of`)
      expect(methodsOf(client)).toEqual(['notifications/tools/list_changed'])
    })
    await matrix.gateway.manage('DELETE', `/api/v1/servers/${name}`)
    await fresh.close()
  })
})
