import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fingerprint } from '../../../src/registry/fingerprint.ts'
import type { ServiceRecord } from '../../../src/registry/image.ts'
import { type Endpoint, type KindGroup, Snapshot } from '../../../src/registry/snapshot.ts'
import { imageOf, offering } from '../../support/image.ts'

const ALL: Endpoint = { is: 'all', names: 'bare' }
const groups: readonly KindGroup[] = ['tools', 'prompts', 'resources']
const offered = { tools: ['t'], prompts: ['p'], resources: ['a:1'], templates: ['a:{x}'] }
const views = (version: number, list: readonly ServiceRecord[], endpoint: Endpoint = ALL) => {
  const snapshot = new Snapshot(imageOf(version, list))
  return groups.map((group) => snapshot.viewFingerprint(group, endpoint))
}
/** Which groups look different from the start. */
const changed = (list: readonly ServiceRecord[], endpoint: Endpoint = ALL): KindGroup[] => {
  const [before, after] = [views(1, [offering('a', offered)], endpoint), views(2, list, endpoint)]
  return groups.filter((_, at) => before[at] !== after[at])
}

describe('what a view shows', () => {
  it('is the same in another version, and after changes that no list shows', () => {
    expect(changed([offering('a', offered)])).toEqual([])
    expect(changed([offering('a', offered, { instructions: 'new' }), offering('b', {})])).toEqual([])
  })

  it.each([
    ['a tool more', { ...offered, tools: ['t', 'u'] }, ['tools']],
    ['a tool described', { ...offered, tools: [{ name: 't', description: 'x' }] }, ['tools']],
    ['a prompt renamed', { ...offered, prompts: ['q'] }, ['prompts']],
    ['a resource gone', { ...offered, resources: [] }, ['resources']],
    ['a template more', { ...offered, templates: ['a:{x}', 'b:{x}'] }, ['resources']],
    [
      'a resource that became a template',
      { ...offered, resources: [], templates: ['a:1', 'a:{x}'] },
      ['resources'],
    ],
  ])('differs by %s', (_, other, expected) => {
    expect(changed([offering('a', other)])).toEqual(expected)
  })

  it('differs when a service is disabled, but not at the endpoint of another', () => {
    const [a, b] = [offering('a', offered), offering('b', { prompts: ['x'] })]
    expect(changed([{ ...a, isEnabled: false }])).toEqual(['tools', 'prompts', 'resources'])
    expect(changed([a, b])).toEqual(['prompts'])
    expect(changed([a, b], { is: 'service', name: 'a' })).toEqual([])
  })

  it('differs when a name changes hands, though every service says what it said', () => {
    const [a, b] = [offering('a', offered), offering('b', offered)]
    const [first, second] = [imageOf(1, [a, b]), imageOf(1, [b, a])]
    const one = new Snapshot(first).viewFingerprint('resources', ALL)
    expect(new Snapshot({ ...first, names: second.names }).viewFingerprint('resources', ALL)).not.toBe(one)
  })
})

it('a fingerprint is that of the items and of their order', () => {
  const fingerprint = (items: readonly string[]) => {
    const sum = new Fingerprint()
    for (const item of items) sum.add(item)
    return String(sum)
  }
  const items = fc.array(fc.string({ maxLength: 3 }), { maxLength: 3 })
  fc.assert(
    fc.property(items, items, (one, other) => {
      expect(fingerprint(one) === fingerprint(other)).toBe(JSON.stringify(one) === JSON.stringify(other))
    }),
    { numRuns: 5_000 },
  )
})
