import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../../src/protocol/limits.ts'
import { PagedList } from '../../../src/registry/list.ts'
import { readOffers } from '../../../src/registry/offer.ts'
import { Snapshot } from '../../../src/registry/snapshot.ts'
import { catalogueOf, imageOf, serviceOf } from '../../support/image.ts'

const ALL = { is: 'all', names: 'bare' } as const
const items = (names: readonly string[]) => names.map((name) => JSON.stringify({ name }))
const read = (page: Uint8Array | undefined) => page && JSON.parse(new TextDecoder().decode(page))

describe('a paged list', () => {
  it('gives every item once, page after page', () => {
    const list = new PagedList('tool', items(['a', 'b', 'c', 'd', 'e']), 'legacy', '7.*', 2)
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = read(list.page(cursor))
      seen.push(...page.tools.map(({ name }: { name: string }) => name))
      cursor = page.nextCursor
    } while (cursor !== undefined)
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('has one empty page when there is nothing (F36)', () => {
    expect(read(new PagedList('tool', [], 'legacy', '1.*').page(undefined))).toEqual({ tools: [] })
  })

  it('B102 B103 F38 knows no cursor but its own', () => {
    const before = new PagedList('tool', items(['a', 'b', 'c']), 'legacy', '7.*', 2)
    const after = new PagedList('tool', items(['a', 'b', 'c']), 'legacy', '8.*', 2)
    const cursor = read(before.page(undefined)).nextCursor
    expect(before.page(cursor)).toBeDefined()
    for (const odd of [cursor.slice(1), 'garbage', '', 5, null, {}]) expect(before.page(odd)).toBeUndefined()
    expect(after.page(cursor)).toBeUndefined()
    const prompts = new PagedList('prompt', items(['a', 'b', 'c']), 'legacy', '7.*', 2)
    expect(prompts.page(cursor)).toBeUndefined()
    expect(read(prompts.page(undefined)).nextCursor).not.toBe(cursor)
  })

  it('F38 of a registry that changed meanwhile is not gone on with', () => {
    const names = Array.from({ length: LIMITS.listPageItems + 1 }, (_, at) => `t${at}`)
    const [before, after] = [1, 2].map((version) =>
      new Snapshot(imageOf(version, [serviceOf('a', names)])).list('tool', ALL, 'legacy'),
    )
    const { nextCursor } = read(before?.page(undefined))
    expect(before?.page(nextCursor)).toBeDefined()
    expect(after?.page(undefined)).toBeDefined()
    expect(after?.page(nextCursor)).toBeUndefined()
  })

  it('says to modern clients how long and for whom it holds', () => {
    const modern = read(new PagedList('tool', items(['a']), 'modern', '1.*').page(undefined))
    expect(modern).toMatchObject({ resultType: 'complete', ttlMs: 5_000, cacheScope: 'private' })
  })
})

describe('fidelity of lists', () => {
  it('passes every byte of a tool but its name', () => {
    const raw = '{ "x-vendor" : {"b":1,"a":2}, "name" : "t.x", "big": 12345678901234567890, "icons": [ ] }'
    const catalogue = { ...catalogueOf([]), tools: `[${raw}]`, fingerprint: 'fidelity' }
    const snapshot = new Snapshot(imageOf(1, [serviceOf('a', [], { catalogue })]))
    const own = new TextDecoder().decode(
      snapshot.list('tool', { is: 'service', name: 'a' }, 'legacy').page(undefined),
    )
    expect(own).toBe(`{"tools":[${raw}]}`)
    const all = new TextDecoder().decode(
      snapshot.list('tool', { is: 'all', names: 'prefixed' }, 'legacy').page(undefined),
    )
    expect(all).toMatch(
      /^\{"tools":\[\{ "x-vendor" : \{"b":1,"a":2\}, "name" : "a__t_x_\w+", "big": 12345678901234567890, "icons": \[ \] \}\]\}$/,
    )
  })

  it('F34 keeps the first of two tools of one name', () => {
    const tools = readOffers(
      'tool',
      '[{"name":"a","v":1},{"name":"a","v":2},{"name":"b"},7,{"name":5},{"noname":1}]',
    )
    expect(tools.map(({ text }) => text)).toEqual(['{"name":"a","v":1}', '{"name":"b"}'])
  })

  it('lists no disabled service, but still knows its names', () => {
    const snapshot = new Snapshot(imageOf(1, [serviceOf('a', ['x'], { isEnabled: false })]))
    expect(read(snapshot.list('tool', { is: 'all', names: 'bare' }, 'legacy').page(undefined))).toEqual({
      tools: [],
    })
    expect(snapshot.resolve('tool', 'x', { is: 'all', names: 'bare' })?.service.isEnabled).toBe(false)
  })
})
