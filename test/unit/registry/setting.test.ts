/** What operators say of single tools, and selections of tools: names, lists, and what stays as it is. */
import { describe, expect, it } from 'vitest'
import type { RegistryImage, Toolset, ToolSetting } from '../../../src/registry/image.ts'
import { Snapshot } from '../../../src/registry/snapshot.ts'
import type { Endpoint } from '../../../src/registry/target.ts'
import { imageOf, offering } from '../../support/image.ts'

const ALL: Endpoint = { is: 'all', names: 'bare' }
const odd = '{"name" : "fetch", "description":"old \\u00e9", "x-big":12345678901234567890}'
const web = offering('web', { tools: ['search', 'fetch'], prompts: ['ask'], resources: ['file:///a'] })
const files = offering('files', { tools: ['search', 'remove'] })

const about = (service: string, tool: string, said: Partial<ToolSetting>): ToolSetting => ({
  serviceId: `id-${service}`,
  tool,
  isEnabled: true,
  ...said,
})
const chosen = (slug: string, tools: readonly string[]): Toolset => ({
  id: slug,
  slug,
  tools,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
})
const open = (rest: Partial<RegistryImage>, services = [web, files]): Snapshot =>
  new Snapshot({ ...imageOf(1, services), ...rest })
const textOf = (snapshot: Snapshot, endpoint: Endpoint): string =>
  new TextDecoder().decode(snapshot.list('tool', endpoint, 'legacy').page(undefined))
const listed = (snapshot: Snapshot, endpoint: Endpoint = ALL): string[] =>
  JSON.parse(textOf(snapshot, endpoint)).tools.map(({ name }: { name: string }) => name)
const meaning = (snapshot: Snapshot, name: string, endpoint: Endpoint = ALL): string | undefined => {
  const target = snapshot.resolve('tool', name, endpoint)
  return target && `${target.service.name} ${target.localName}`
}

describe('a tool that is switched off', () => {
  it('B96 is not listed and not found by any name, and nobody else gets its names', () => {
    const snapshot = open({ toolSettings: [about('web', 'search', { isEnabled: false, alias: 'find' })] })
    expect(listed(snapshot)).toEqual(['fetch', 'files__search', 'remove'])
    for (const name of ['search', 'web__search', 'find']) expect(meaning(snapshot, name)).toBeUndefined()
    expect(meaning(snapshot, 'search', { is: 'service', name: 'web' })).toBeUndefined()
    expect(snapshot.everyTool).toHaveLength(4)
  })
})

describe('an alias', () => {
  it('is what is listed; the names before it lead there still, and the endpoint of the service knows its own', () => {
    const snapshot = open({ toolSettings: [about('web', 'search', { alias: 'find' })] })
    expect(listed(snapshot)).toEqual(['find', 'fetch', 'files__search', 'remove'])
    for (const name of ['find', 'search', 'web__search']) expect(meaning(snapshot, name)).toBe('web search')
    expect(listed(snapshot, { is: 'service', name: 'web' })).toEqual(['search', 'fetch'])
    expect(listed(snapshot, { is: 'all', names: 'prefixed' })[0]).toBe('web__search')
  })

  it('S37 is not taken over by a service that is granted the name later', () => {
    const late = offering('late', { tools: ['find'] })
    const snapshot = open({ toolSettings: [about('web', 'search', { alias: 'find' })] }, [web, late])
    const image = imageOf(1, [web, late])
    expect(image.names).toContainEqual({ kind: 'tool', name: 'find', serviceId: 'id-late' })
    expect(listed(snapshot)).toEqual(['find', 'fetch', 'late__find'])
    expect(meaning(snapshot, 'find')).toBe('web search')
  })

  it('S37 never stands in the place of a prefixed name, nor of an alias before it', () => {
    const toolSettings = [
      about('web', 'search', { alias: 'files__remove' }),
      about('files', 'search', { alias: 'find' }),
      about('files', 'remove', { alias: 'find' }),
    ]
    const snapshot = open({ toolSettings })
    expect(meaning(snapshot, 'files__remove')).toBe('files remove')
    expect(meaning(snapshot, 'find')).toBe('files search')
    expect(listed(snapshot)).toEqual(['search', 'fetch', 'find', 'remove'])
  })

  it('B96 is denied with the name that the tool had before', () => {
    const toolSettings = [about('web', 'search', { alias: 'find' })]
    const permissions = [{ agentType: '*', tool: 'search', isAllowed: false }]
    const view = open({ toolSettings, permissions }).viewFor('coder')
    for (const name of ['find', 'search', 'web__search']) expect(meaning(view, name)).toBeUndefined()
  })
})

describe('a description', () => {
  const raw = offering('web', {}, { tools: `[${odd}]` })

  it('takes the place of the own one, every other byte as it came', () => {
    const snapshot = open({ toolSettings: [about('web', 'fetch', { description: 'new "one"' })] }, [raw])
    const expected = odd.replace('"old \\u00e9"', '"new \\"one\\""')
    expect(textOf(snapshot, ALL)).toBe(`{"tools":[${expected}]}`)
    expect(textOf(snapshot, { is: 'service', name: 'web' })).toBe(`{"tools":[${expected}]}`)
    expect(textOf(open({}, [raw]), ALL)).toBe(`{"tools":[${odd}]}`)
  })

  it('is a change that listeners hear of; how long a tool may take is none', () => {
    const of = (said: Partial<ToolSetting>) =>
      open({ toolSettings: [about('web', 'fetch', said)] }).viewFingerprint('tools', ALL)
    expect(of({ description: 'new' })).not.toBe(of({}))
    expect(of({ timeoutMs: 5, cacheTtlSeconds: 5 })).toBe(of({}))
  })
})

describe('a toolset', () => {
  const toolsets = [chosen('safe', ['search', 'files/*', 'nobody__knows']), chosen('none', ['gone/*'])]
  const snapshot = open({ toolsets })
  const safe: Endpoint = { is: 'toolset', slug: 'safe' }

  it('holds exactly what was chosen, under the names of the endpoint of everything', () => {
    expect(listed(snapshot, safe)).toEqual(['search', 'files__search', 'remove'])
    expect(meaning(snapshot, 'search', safe)).toBe('web search')
    expect(meaning(snapshot, 'web__search', safe)).toBe('web search')
    expect(meaning(snapshot, 'fetch', safe)).toBeUndefined()
    expect(meaning(snapshot, 'web__fetch', safe)).toBeUndefined()
    expect(listed(snapshot, { is: 'toolset', slug: 'none' })).toEqual([])
    expect(listed(snapshot, { is: 'toolset', slug: 'unknown' })).toEqual([])
  })

  it('has no resources and no prompts', () => {
    expect(snapshot.resolve('prompt', 'ask', safe)).toBeUndefined()
    expect(snapshot.resolveResource('file:///a', safe)).toBeUndefined()
    expect(snapshot.resolveTemplate('file:///a', safe)).toBeUndefined()
    expect(Object.keys(JSON.parse(snapshot.capabilities(safe, 'legacy')))).toEqual(['tools'])
  })

  it('names the services behind it, and shows less to those who may use less', () => {
    expect(snapshot.servicesAt(safe).map(({ name }) => name)).toEqual(['web', 'files'])
    const permissions = [{ agentType: 'coder', tool: 'files/*', isAllowed: false }]
    expect(listed(open({ toolsets, permissions }).viewFor('coder'), safe)).toEqual(['search'])
  })

  it('leaves out the instructions and abilities of services that it has nothing of', () => {
    const told = offering(
      'told',
      { tools: ['one'] },
      { instructions: 'Mind the gap.', capabilities: '{"logging":{}}' },
    )
    const other = offering(
      'other',
      { tools: ['two'] },
      { instructions: 'Hush.', capabilities: '{"prompts":{},"x":{}}' },
    )
    const some = open({ toolsets: [chosen('some', ['one'])] }, [told, other])
    const endpoint: Endpoint = { is: 'toolset', slug: 'some' }
    expect(some.instructions(endpoint)).toContain('Mind the gap.')
    expect(some.instructions(endpoint)).not.toContain('Hush.')
    expect(some.instructions(ALL)).toContain('Hush.')
    expect(JSON.parse(some.capabilities(endpoint, 'modern'))).toEqual({
      tools: { listChanged: true },
      logging: {},
    })
  })
})
