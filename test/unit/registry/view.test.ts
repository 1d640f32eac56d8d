/** What an agent type sees: lists, names, cursors, and when it hears of a change. */
import { describe, expect, it } from 'vitest'
import type { PermissionRule, RegistryImage } from '../../../src/registry/image.ts'
import { Snapshot } from '../../../src/registry/snapshot.ts'
import type { Endpoint } from '../../../src/registry/target.ts'
import { imageOf, offering } from '../../support/image.ts'

const ALL: Endpoint = { is: 'all', names: 'bare' }
const web = offering('web', { tools: ['search', 'fetch'], prompts: ['ask'], resources: ['file:///a'] })
const files = offering('files', { tools: ['search', 'remove'] })

const deny = (agentType: string, tool: string): PermissionRule => ({ agentType, tool, isAllowed: false })
const open = (permissions: readonly PermissionRule[], rest: Partial<RegistryImage> = {}): Snapshot =>
  new Snapshot({ ...imageOf(1, [web, files]), permissions, ...rest })
const read = (page: Uint8Array | undefined) => JSON.parse(new TextDecoder().decode(page))
const listed = (snapshot: Snapshot, endpoint: Endpoint = ALL): string[] =>
  read(snapshot.list('tool', endpoint, 'legacy').page(undefined)).tools.map(
    ({ name }: { name: string }) => name,
  )

describe('a view', () => {
  it('is the whole itself for everyone whom no rule concerns, so that it costs nothing', () => {
    const snapshot = open([deny('coder', 'search')])
    expect(snapshot.viewFor(undefined)).toBe(snapshot)
    expect(snapshot.viewFor('reviewer')).toBe(snapshot)
    expect(snapshot.viewFor('coder')).not.toBe(snapshot)
    expect(snapshot.viewFor('coder')).toBe(snapshot.viewFor('coder'))
    expect(snapshot.viewFor('coder').viewFor('reviewer')).toBe(snapshot)
  })

  it('is one for all agent types that only rules for everybody concern', () => {
    const snapshot = open([deny('*', 'search'), deny('coder', 'fetch')])
    expect(snapshot.viewFor('one')).toBe(snapshot.viewFor('another'))
    expect(snapshot.viewFor('one')).not.toBe(snapshot.viewFor('coder'))
  })

  it('B96 leaves out what may not be used, under every name and at every endpoint', () => {
    const view = open([deny('coder', 'search')]).viewFor('coder')
    expect(listed(view)).toEqual(['fetch', 'files__search', 'remove'])
    expect(listed(view, { is: 'service', name: 'web' })).toEqual(['fetch'])
    for (const name of ['search', 'web__search']) expect(view.resolve('tool', name, ALL)).toBeUndefined()
    expect(view.resolve('tool', 'search', { is: 'service', name: 'web' })).toBeUndefined()
    expect(view.resolve('tool', 'files__search', ALL)).toMatchObject({ localName: 'search' })
  })

  it('keeps resources, prompts, capabilities and instructions of a service that has no tool left in it', () => {
    const snapshot = open([deny('coder', 'web/*')])
    const view = snapshot.viewFor('coder')
    expect(listed(view)).toEqual(['files__search', 'remove'])
    expect(view.resolve('prompt', 'ask', ALL)).toMatchObject({ localName: 'ask' })
    expect(view.resolveResource('file:///a', ALL)).toMatchObject({ localName: 'file:///a' })
    expect(view.list('prompt', ALL, 'legacy')).toBe(snapshot.list('prompt', ALL, 'legacy'))
    expect(view.capabilities(ALL, 'legacy')).toBe(snapshot.capabilities(ALL, 'legacy'))
  })

  it('S21 refuses the cursor of another view', () => {
    const many = offering('many', { tools: Array.from({ length: 2_500 }, (_, at) => `t${at}`) })
    const snapshot = new Snapshot({
      ...imageOf(1, [many]),
      permissions: [deny('coder', 't0'), deny('tester', 't0')],
    })
    const lists = [undefined, 'coder', 'tester'].map((kind) =>
      snapshot.viewFor(kind).list('tool', ALL, 'legacy'),
    )
    const cursors = lists.map((list) => read(list.page(undefined)).nextCursor)
    expect(new Set(cursors).size).toBe(3)
    for (const [at, list] of lists.entries()) {
      for (const [of, cursor] of cursors.entries()) expect(list.page(cursor) !== undefined).toBe(at === of)
    }
  })

  it('changes its fingerprint of tools exactly when a rule changes what it shows', () => {
    const before = open([deny('coder', 'search')]).viewFor('coder')
    const same = open([deny('coder', 'search'), deny('coder', 'unheard-of'), deny('tester', '*')])
    const fewer = open([deny('coder', 'search'), deny('coder', 'fetch')])
    const of = (snapshot: Snapshot, group: 'tools' | 'prompts') => snapshot.viewFingerprint(group, ALL)
    expect(of(same.viewFor('coder'), 'tools')).toBe(of(before, 'tools'))
    expect(of(fewer.viewFor('coder'), 'tools')).not.toBe(of(before, 'tools'))
    expect(of(fewer.viewFor('coder'), 'prompts')).toBe(of(before, 'prompts'))
  })

  it('is bounded in number, and what was let go is made anew', () => {
    const kinds = Array.from({ length: 200 }, (_, at) => `kind-${at}`)
    const snapshot = open(kinds.map((kind) => deny(kind, 'search')))
    const first = snapshot.viewFor('kind-0')
    for (const kind of kinds) expect(listed(snapshot.viewFor(kind))).not.toContain('search')
    expect(snapshot.viewFor('kind-0')).not.toBe(first)
  })
})
