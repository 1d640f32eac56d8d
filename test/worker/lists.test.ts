/**
 * Every list of the protocol through the gateway, in both eras: two services that offer the same things, what
 * each is called where, and that no upstream is asked for any of it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../src/storage/database.ts'
import { loadImage } from '../../src/storage/image.ts'
import type { Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let stack: Stack
let gateway: Gateway
let first: Upstream
let second: Upstream

const resource = '{ "uri":"file:///a", "name":"a", "size":12345678901234567890, "x-vendor":{"b":1,"a":2} }'
const ui = { uri: 'ui://app', name: 'app', mimeType: 'text/html;profile=mcp-app' }
const tool = { name: 'show', inputSchema: { type: 'object' }, _meta: { ui: { resourceUri: ui.uri } } }
const template = { uriTemplate: 'file:///t/{+path}', name: 't' }
const prompts = ['p1', 'p2', 'p3', 'p.4'].map((name) => ({ name }))
const offered = { resources: [resource, ui], templates: [template], prompts, tools: [tool] }

beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  first = await startUpstream({ era: 'legacy', pageSize: 2, instructions: 'Ask first.', ...offered })
  second = await startUpstream({ era: 'modern', instructions: 'Ask second.', ...offered })
  await gateway.register('first', first.url)
  await gateway.register('second', second.url)
  const fallbackTools = [{ name: 'spare', inputSchema: { type: 'object' } }]
  await gateway.register('away', 'http://127.0.0.1:9/mcp', { fallbackTools })
})
afterAll(async () => {
  await stack.close()
  await Promise.all([first.stop(), second.stop()])
})

const LISTS = [
  { method: 'prompts/list', member: 'prompts', naming: 'name' },
  { method: 'resources/list', member: 'resources', naming: 'uri' },
  { method: 'resources/templates/list', member: 'resourceTemplates', naming: 'uriTemplate' },
] as const

const EVERYWHERE = ['p1', 'p2', 'p3', 'p_4_', 'file:///a', 'ui://app', 'file:///t/{+path}']
const PREFIXED = ['second__p1', 'second__p2', 'second__p3', 'second__p_4_'].concat(
  ['file:///a', 'ui://app', 'file:///t/{+path}'].map((uri) => `switchyard:second:${uri}`),
)

describe.each(['legacy', 'modern'] as const)('lists for a %s client', (era) => {
  const ask = (method: string, path: string, params: object = {}) =>
    era === 'legacy' ? gateway.rpc(method, params, { path }) : gateway.modern(method, params, { path })

  /** All names of all kinds but tools; hashes at their end left out. */
  const names = async (path: string): Promise<string[]> => {
    const lists = LISTS.map(async ({ method, member, naming }) => {
      const { result } = (await ask(method, path)).body
      if (era === 'modern')
        expect(result).toMatchObject({ resultType: 'complete', ttlMs: 5_000, cacheScope: 'private' })
      else expect(Object.keys(result)).toEqual([member])
      return result[member].map((item: Record<string, string>) =>
        item[naming]?.replace(/_[0-9a-z]{11}$/, '_'),
      )
    })
    return (await Promise.all(lists)).flat()
  }

  it('hold both services, the later one prefixed where the earlier was first', async () => {
    expect((await names('/mcp')).toSorted()).toEqual([...EVERYWHERE, ...PREFIXED].toSorted())
  })

  it('are all prefixed where that was asked for', async () => {
    const all = PREFIXED.flatMap((name) => [name, name.replace('second', 'first')])
    expect((await names('/mcp?names=prefixed')).toSorted()).toEqual(all.toSorted())
  })

  it('hold at the endpoint of one service its own names', async () => {
    const own = ['p1', 'p2', 'p3', 'p.4', 'file:///a', 'ui://app', 'file:///t/{+path}']
    expect(await names('/mcp/first')).toEqual(own)
    expect(await names('/mcp/second')).toEqual(own)
    expect(await names('/mcp/away')).toEqual([])
  })

  it('keep every byte but the URI', async () => {
    const { text } = await ask('resources/list', '/mcp')
    expect(text).toContain(resource)
    expect(text).toContain(resource.replace('file:///a', 'switchyard:second:file:///a'))
  })

  it('point to the interface of a tool where it can be read', async () => {
    const interfaceOf = async (path: string, name: string) => {
      const { tools } = (await ask('tools/list', path)).body.result
      return tools.find((one: { name: string }) => one.name === name)?._meta.ui.resourceUri
    }
    expect(await interfaceOf('/mcp', 'show')).toBe('ui://app')
    expect(await interfaceOf('/mcp', 'second__show')).toBe('switchyard:second:ui://app')
    expect(await interfaceOf('/mcp/second', 'show')).toBe('ui://app')
    expect(await interfaceOf('/mcp?names=prefixed', 'first__show')).toBe('switchyard:first:ui://app')
  })

  it.each([...LISTS, { method: 'tools/list' }])(
    'B102 $method knows no cursor but its own',
    async ({ method }) => {
      for (const cursor of ['garbage', '', 5]) {
        const { status, body } = await ask(method, '/mcp', { cursor })
        expect([status, body.error]).toEqual([200, { code: -32602, message: 'Invalid cursor' }])
      }
    },
  )

  it('come with what the services can do and say, fallback tools included', async () => {
    const introduce = async (path: string) =>
      era === 'legacy'
        ? (await ask('initialize', path, { protocolVersion: '2025-11-25', capabilities: {} })).body.result
        : (await ask('server/discover', path)).body.result
    const all = await introduce('/mcp')
    expect(all.capabilities).toEqual({
      tools: { listChanged: true },
      resources: { subscribe: true, listChanged: true },
      prompts: { listChanged: true },
      logging: {},
    })
    expect(all.instructions).toBe('## first\n\nAsk first.\n\n## second\n\nAsk second.')
    expect((await introduce('/mcp/second')).instructions).toBe('Ask second.')
    const away = await introduce('/mcp/away')
    expect(away.capabilities).toEqual({ tools: { listChanged: true } })
    expect(away).not.toHaveProperty('instructions')
  })
})

describe('lists', () => {
  it('of many pages upstream are read whole at registration, and no upstream is asked again', async () => {
    for (const { method } of LISTS) {
      const before = first.calls(method).length
      await gateway.rpc(method)
      await gateway.modern(method)
      expect(first.calls(method).length).toBe(before)
    }
    expect(first.calls('prompts/list').length).toBeGreaterThan(1)
  })

  it('longer than a page are paged, and a cursor of one list is none of another', async () => {
    const resources = Array.from({ length: 700 }, (_, at) => ({ uri: `many:${at}`, name: `${at}` }))
    const [many, more] = await Promise.all([startUpstream({ resources }), startUpstream({ resources })])
    try {
      await gateway.register('many', many.url)
      await gateway.register('more', more.url)
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const { result } = (await gateway.rpc('resources/list', { cursor })).body
        seen.push(...result.resources.map(({ uri }: { uri: string }) => uri))
        expect(result.resources.length).toBeLessThanOrEqual(1_000)
        cursor = result.nextCursor
        if (cursor === undefined) continue
        for (const method of ['tools/list', 'prompts/list', 'resources/templates/list'])
          expect((await gateway.rpc(method, { cursor })).body.error.message).toBe('Invalid cursor')
        const elsewhere = await gateway.rpc('resources/list', { cursor }, { path: '/mcp/many' })
        expect(elsewhere.body.error.message).toBe('Invalid cursor')
        expect((await gateway.modern('resources/list', { cursor })).body.error.message).toBe('Invalid cursor')
      } while (cursor !== undefined)
      expect(seen.length).toBe(4 + 1_400)
      expect(new Set(seen).size).toBe(seen.length)
      expect(seen).toContain('many:0')
      expect(seen).toContain('switchyard:more:many:0')
    } finally {
      await gateway.manage('DELETE', '/api/v1/servers/many')
      await gateway.manage('DELETE', '/api/v1/servers/more')
      await Promise.all([many.stop(), more.stop()])
    }
  })

  it('free the URIs of a service that is deleted, for whoever asks next', async () => {
    const prompt = [{ name: 'free' }]
    const offered = {
      resources: [{ uri: 'free:1' }],
      templates: [{ uriTemplate: 'free:{x}' }],
      prompts: prompt,
    }
    const [one, other] = await Promise.all([startUpstream(offered), startUpstream(offered)])
    const listed = async () => {
      const lists = LISTS.map(async ({ method, member, naming }) =>
        (await gateway.rpc(method)).body.result[member].map((item: Record<string, string>) => item[naming]),
      )
      return (await Promise.all(lists)).flat().filter((name: string) => name.includes('free'))
    }
    try {
      await gateway.register('one', one.url)
      await gateway.register('other', other.url)
      const bare = ['free', 'free:1', 'free:{x}']
      const prefixed = ['other__free', 'switchyard:other:free:1', 'switchyard:other:free:{x}']
      expect((await listed()).toSorted()).toEqual([...bare, ...prefixed].toSorted())
      await gateway.manage('DELETE', '/api/v1/servers/one')
      expect((await listed()).toSorted()).toEqual(prefixed.toSorted())
      await gateway.manage('POST', '/api/v1/servers/other/refresh')
      expect((await listed()).toSorted()).toEqual(bare)
    } finally {
      await gateway.manage('DELETE', '/api/v1/servers/other')
      await Promise.all([one.stop(), other.stop()])
    }
  })

  it('take what the database could not hold bare, under its prefix', async () => {
    const odd = [`long:${'ü'.repeat(1_010)}`, 'nul:\u0000', '{+everything}']
    const upstream = await startUpstream({
      resources: odd.slice(0, 2).map((uri) => ({ uri })),
      templates: odd.slice(2).map((uriTemplate) => ({ uriTemplate })),
    })
    try {
      expect((await gateway.register('odd', upstream.url)).status).toBe(201)
      const resources = (await gateway.rpc('resources/list')).body.result.resources
      const templates = (await gateway.rpc('resources/templates/list')).body.result.resourceTemplates
      const seen = [...resources, ...templates].map(({ uri, uriTemplate }) => uri ?? uriTemplate)
      for (const uri of odd) expect(seen).toContain(`switchyard:odd:${uri}`)
    } finally {
      await gateway.manage('DELETE', '/api/v1/servers/odd')
      await upstream.stop()
    }
  })

  it('remember who was granted what in which order', async () => {
    const templates = [{ uriTemplate: 'order:{+x}' }]
    const [early, late] = await Promise.all([startUpstream(), startUpstream({ templates })])
    try {
      await gateway.register('early', early.url)
      await gateway.register('late', late.url)
      early.offer.templates.push('{"uriTemplate":"order:a/{x}"}')
      await gateway.manage('POST', '/api/v1/servers/early/refresh')
      const { names } = await loadImage(openDatabase(stack.databaseUrl, 5_000), 'default')
      const granted = names.filter(({ name }) => name.startsWith('order:')).map(({ name }) => name)
      expect(granted).toEqual(['order:{+x}', 'order:a/{x}'])
    } finally {
      await gateway.manage('DELETE', '/api/v1/servers/early')
      await gateway.manage('DELETE', '/api/v1/servers/late')
      await Promise.all([early.stop(), late.stop()])
    }
  })

  it('forget the legacy side of a service that has none any more', async () => {
    const old = await startUpstream({ era: 'legacy' })
    await gateway.register('moved', old.url)
    await old.stop()
    const modern = await startUpstream({ era: 'modern', port: old.port })
    try {
      await gateway.manage('POST', '/api/v1/servers/moved/refresh')
      const [row] = await stack.query(
        "select era, legacy_version from service_tools join services on id = service_id where name = 'moved'",
      )
      expect(row).toEqual({ era: 'modern', legacy_version: null })
    } finally {
      await gateway.manage('DELETE', '/api/v1/servers/moved')
      await modern.stop()
    }
  })

  it('keep the two sides of a legacy service in the database, and read rows from before', async () => {
    const rows = () =>
      stack.query('select legacy_version, legacy_capabilities::text from service_tools order by 1')
    expect((await rows()).map((row) => row['legacy_version'])).toContain('2025-11-25')
    await stack.query('update service_tools set legacy_version = null, legacy_capabilities = null')
    await stack.query('update registry_versions set version = version + 1')
    const fresh = await stack.gateway()
    const { capabilities } = (await fresh.rpc('initialize', { protocolVersion: '2025-11-25' })).body.result
    expect(capabilities).toMatchObject({ prompts: {}, resources: {} })
    expect((await fresh.rpc('prompts/list')).body.result.prompts).toHaveLength(8)
  })
})
