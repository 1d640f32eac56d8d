import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RegistryImage } from '../../../src/registry/image.ts'
import type { OfferKind } from '../../../src/registry/kind.ts'
import { type Endpoint, Snapshot } from '../../../src/registry/snapshot.ts'
import { prefixedUri, readPrefixedUri } from '../../../src/registry/uri.ts'
import { imageOf, offering } from '../../support/image.ts'

const ALL: Endpoint = { is: 'all', names: 'bare' }
const PREFIXED: Endpoint = { is: 'all', names: 'prefixed' }
const at = (name: string): Endpoint => ({ is: 'service', name })

const slug = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,3}[a-z0-9])?$/)
const awkward = [
  'switchyard:a:x',
  'SWITCHYARD:a:x',
  `a:${'x'.repeat(1_024)}`,
  'a:ä😀',
  'a:\u0000',
  'a:\ud800',
  '{',
  ':',
]
const uri = fc.oneof(
  fc.stringMatching(/^[ab]:\/{0,2}[ab]{0,2}$/),
  slug.map((name) => `switchyard:${name}:x:y`),
  fc.constantFrom(...awkward),
  fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }),
)
const template = fc.oneof(
  fc.stringMatching(/^[ab]:[ab]?\{\+?x\}$/),
  fc.constantFrom('{+x}', 'a:{x}/{y}'),
  uri,
)
const name = fc.oneof(fc.stringMatching(/^[a-z_]{1,6}$/), fc.string({ minLength: 1, maxLength: 90 }))
const few = { maxLength: 4 }
const services = fc.uniqueArray(
  fc.record({
    name: slug,
    tools: fc.uniqueArray(name, few),
    prompts: fc.uniqueArray(name, few),
    resources: fc.uniqueArray(uri, few),
    templates: fc.uniqueArray(template, few),
    isEnabled: fc.boolean(),
  }),
  { selector: (service) => service.name, maxLength: 4 },
)
type Services = typeof services extends fc.Arbitrary<infer T> ? T : never

const imageFor = (list: Services): RegistryImage =>
  imageOf(
    1,
    list.map(({ name, isEnabled, ...offered }) => offering(name, offered, {}, { isEnabled })),
  )

const MEMBERS = {
  tool: ['tools', 'name'],
  prompt: ['prompts', 'name'],
  resource: ['resources', 'uri'],
  template: ['resourceTemplates', 'uriTemplate'],
} as const

const listed = (snapshot: Snapshot, kind: OfferKind, endpoint: Endpoint): string[] => {
  const [list, member] = MEMBERS[kind]
  const page = JSON.parse(new TextDecoder().decode(snapshot.list(kind, endpoint, 'legacy').page(undefined)))
  return page[list].map((item: Record<string, string>) => item[member])
}

const resolve = (snapshot: Snapshot, kind: OfferKind, publicName: string, endpoint: Endpoint) => {
  if (kind === 'resource') return snapshot.resolveResource(publicName, endpoint)
  if (kind === 'template') return snapshot.resolveTemplate(publicName, endpoint)
  return snapshot.resolve(kind, publicName, endpoint)
}

const kinds = ['tool', 'prompt', 'resource', 'template'] as const
const offeredAs = { tool: 'tools', prompt: 'prompts', resource: 'resources', template: 'templates' } as const

describe('public names of every kind', () => {
  it.each(kinds)('S38 every %s that is listed leads back to what its service calls it', (kind) => {
    fc.assert(
      fc.property(services, fc.constantFrom('bare' as const, 'prefixed' as const), (list, names) => {
        const endpoint = { is: 'all', names } as const
        const snapshot = new Snapshot(imageFor(list))
        const publicNames = listed(snapshot, kind, endpoint)
        expect(new Set(publicNames).size).toBe(publicNames.length)
        const reached = publicNames.map((publicName) => {
          const target = resolve(snapshot, kind, publicName, endpoint)
          return [target?.service.name, target?.localName]
        })
        const enabled = list.filter(({ isEnabled }) => isEnabled)
        expect(reached).toEqual(enabled.flatMap((s) => s[offeredAs[kind]].map((local) => [s.name, local])))
      }),
      { numRuns: 300 },
    )
  })

  it.each(kinds)('at the endpoint of one service every %s has its own name', (kind) => {
    fc.assert(
      fc.property(services, (list) => {
        const snapshot = new Snapshot(imageFor(list))
        for (const service of list.filter(({ isEnabled }) => isEnabled)) {
          const endpoint = at(service.name)
          expect(listed(snapshot, kind, endpoint)).toEqual(service[offeredAs[kind]])
          for (const local of service[offeredAs[kind]]) {
            const target = resolve(snapshot, kind, local, endpoint)
            expect([target?.service.name, target?.localName]).toEqual([service.name, local])
          }
        }
      }),
    )
  })

  it('keeps the names of tools and of prompts apart', () => {
    const image = imageOf(1, [offering('a', { tools: ['x'] }), offering('b', { prompts: ['x'] })])
    const snapshot = new Snapshot(image)
    expect(snapshot.resolve('tool', 'x', ALL)?.service.name).toBe('a')
    expect(snapshot.resolve('prompt', 'x', ALL)?.service.name).toBe('b')
    expect(listed(snapshot, 'prompt', ALL)).toEqual(['x'])
  })
})

describe('public URIs', () => {
  it('lead every caller back to the service that named the URI, listed or not', () => {
    fc.assert(
      fc.property(services, uri, fc.constantFrom(ALL, PREFIXED), (list, any, endpoint) => {
        const snapshot = new Snapshot(imageFor(list))
        for (const { name, resources, templates } of list) {
          const service = snapshot.service(name)
          if (!service || resources.length + templates.length === 0) continue
          for (const local of [any, ...resources]) {
            const target = snapshot.resolveResource(snapshot.publicUri(service, local, endpoint), endpoint)
            expect([target?.service.name, target?.localName]).toEqual([name, local])
          }
          expect(snapshot.publicUri(service, any, at(name))).toBe(any)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('are never rewritten where rewritesUris says so', () => {
    const ownUri = uri.filter((text) => !text.startsWith('switchyard:'))
    fc.assert(
      fc.property(services, ownUri, (list, any) => {
        const snapshot = new Snapshot(imageFor(list))
        for (const service of snapshot.image.services) {
          if (snapshot.rewritesUris(service, ALL)) continue
          const own = list.find(({ name }) => name === service.name)?.resources ?? []
          for (const local of [any, ...own]) expect(snapshot.publicUri(service, local, ALL)).toBe(local)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('the prefix comes off again, whatever stands behind it', () => {
    fc.assert(
      fc.property(slug, uri, (service, local) => {
        expect(readPrefixedUri(prefixedUri(service, local))).toEqual({ service, local })
      }),
    )
    for (const odd of ['switchyard:', 'switchyard:a', 'switchyard:a:', 'Switchyard:a:b', 'xswitchyard:a:b'])
      expect(readPrefixedUri(odd)).toBeUndefined()
  })
})

const nameOf = (snapshot: Snapshot, uri: string, endpoint: Endpoint = ALL) => {
  const target = snapshot.resolveResource(uri, endpoint)
  return target && `${target.service.name} ${target.localName}`
}

describe('who is asked for a resource', () => {
  const first = offering('first', { resources: ['a:1', 'a:2'], templates: ['a:t/{x}'] })
  const second = offering('second', {
    resources: ['a:1', 'b:1', 'a:t/listed'],
    templates: ['a:t/{x}', 'b:{+x}'],
  })

  it('the prefix decides, then the grant, then the first template, then nobody', () => {
    const snapshot = new Snapshot(imageOf(1, [first, second, offering('third', { tools: ['t'] })]))
    expect(listed(snapshot, 'resource', ALL)).toEqual([
      'a:1',
      'a:2',
      'switchyard:second:a:1',
      'b:1',
      'a:t/listed',
    ])
    expect(listed(snapshot, 'template', ALL)).toEqual(['a:t/{x}', 'switchyard:second:a:t/{x}', 'b:{+x}'])
    expect(nameOf(snapshot, 'switchyard:second:a:1')).toBe('second a:1')
    expect(nameOf(snapshot, 'switchyard:first:a:1')).toBe('first a:1')
    expect(nameOf(snapshot, 'switchyard:second:never:listed')).toBe('second never:listed')
    expect(nameOf(snapshot, 'a:1')).toBe('first a:1')
    expect(nameOf(snapshot, 'a:t/listed')).toBe('second a:t/listed')
    expect(nameOf(snapshot, 'a:t/other')).toBe('first a:t/other')
    expect(nameOf(snapshot, 'b:anything/else')).toBe('second b:anything/else')
    expect(nameOf(snapshot, 'switchyard:second:a:t/5')).toBe('second a:t/5')
    expect(nameOf(snapshot, 'c:1')).toBeUndefined()
    expect(nameOf(snapshot, 'switchyard:third:c:1')).toBeUndefined()
    expect(nameOf(snapshot, 'switchyard:nobody:c:1')).toBeUndefined()
  })

  it('the only enabled service with resources is asked for whatever nobody claims', () => {
    const off = { ...second, isEnabled: false }
    const snapshot = new Snapshot(imageOf(1, [first, off, offering('third', { tools: ['t'] })]))
    expect(nameOf(snapshot, 'c:1')).toBe('first c:1')
    // The disabled one keeps what it was granted, and the caller is told that it is disabled.
    expect(snapshot.resolveResource('b:1', ALL)?.service).toMatchObject({ name: 'second', isEnabled: false })
    expect(snapshot.rewritesUris(first, ALL)).toBe(true)
    expect(snapshot.publicUri(first, 'b:1', ALL)).toBe('switchyard:first:b:1')
  })

  it('a capability is enough where nothing is listed', () => {
    const dynamic = offering('dynamic', {}, { capabilities: '{ "resources" : {} }' })
    const spoiled = offering('spoiled', {}, { capabilities: '{"resources":null}' })
    const modern = offering('modern', {}, { legacyCapabilities: '{"resources":{}}' })
    expect(nameOf(new Snapshot(imageOf(1, [dynamic])), 'x:1')).toBe('dynamic x:1')
    expect(nameOf(new Snapshot(imageOf(1, [modern])), 'x:1')).toBe('modern x:1')
    expect(nameOf(new Snapshot(imageOf(1, [spoiled])), 'x:1')).toBeUndefined()
    expect(nameOf(new Snapshot(imageOf(1, [dynamic, modern])), 'x:1')).toBeUndefined()
  })

  it('at the endpoint of a service that service is asked, for its own URIs only', () => {
    const snapshot = new Snapshot(imageOf(1, [first, second]))
    expect(nameOf(snapshot, 'a:1', at('second'))).toBe('second a:1')
    expect(nameOf(snapshot, 'switchyard:first:a:1', at('second'))).toBe('second switchyard:first:a:1')
    expect(snapshot.rewritesUris(second, at('second'))).toBe(false)
  })

  it('a URI stays with its holder, also while it is missing from the list', () => {
    const image = imageOf(1, [first, second])
    const shorter = offering('first', { resources: ['a:2'] })
    const snapshot = new Snapshot({ ...image, services: [shorter, second] })
    expect(nameOf(snapshot, 'a:1')).toBe('first a:1')
    expect(listed(snapshot, 'resource', ALL)).toContain('switchyard:second:a:1')
  })

  it('an earlier service that adds a template later takes nothing from a later one', () => {
    const early = offering('early', { templates: ['b:{+x}'] })
    const late = offering('late', { templates: ['b:in/{x}'] })
    const grants = imageOf(1, [late, early]).names
    const snapshot = new Snapshot({ ...imageOf(1, [early, late]), names: grants })
    expect(nameOf(snapshot, 'b:in/1')).toBe('late b:in/1')
    expect(nameOf(snapshot, 'b:out')).toBe('early b:out')
  })

  it('S37 a prefixed URI cannot be claimed, nor every URI at once, whoever was granted it', () => {
    const evil = offering('evil', {
      resources: ['switchyard:first:a:1', 'SwitchYard:first:a:1'],
      templates: ['{+x}'],
    })
    const claimed = ['resource', 'template'].flatMap((kind) =>
      ['switchyard:first:a:1', '{+x}'].map((name) => ({ kind: kind as OfferKind, name, serviceId: evil.id })),
    )
    const image = imageOf(1, [evil, first])
    expect(image.names.filter(({ serviceId }) => serviceId === evil.id)).toEqual([])
    const snapshot = new Snapshot({
      ...image,
      names: [...claimed.filter(({ name }) => name !== '{+x}'), ...image.names],
    })
    expect(nameOf(snapshot, 'switchyard:first:a:1')).toBe('first a:1')
    expect(nameOf(snapshot, 'c:1')).toBeUndefined()
    expect(listed(snapshot, 'resource', ALL)[0]).toBe('switchyard:evil:switchyard:first:a:1')
    expect(listed(snapshot, 'template', ALL)[0]).toBe('switchyard:evil:{+x}')
  })

  it('a template that is listed no more matches nothing, nor does one beyond any sensible number', () => {
    const image = imageOf(1, [first, offering('b', { resources: ['b:1'], templates: ['b:{+x}'] })])
    const shorter = offering('b', { resources: ['b:1'] })
    expect(nameOf(new Snapshot(image), 'b:2')).toBe('b b:2')
    expect(nameOf(new Snapshot({ ...image, services: [first, shorter] }), 'b:2')).toBeUndefined()
    const many = Array.from({ length: 300 }, (_, at) => `m:${at}/{x}`)
    const snapshot = new Snapshot(imageOf(1, [first, offering('m', { templates: many })]))
    expect(nameOf(snapshot, 'm:255/x')).toBe('m m:255/x')
    expect(nameOf(snapshot, 'm:256/x')).toBeUndefined()
    expect(nameOf(snapshot, 'switchyard:m:m:256/x')).toBe('m m:256/x')
  })

  it('without a grant (registered before there were any) a URI is prefixed', () => {
    const snapshot = new Snapshot({ ...imageOf(1, [first]), names: [] })
    expect(listed(snapshot, 'resource', ALL)).toEqual(['switchyard:first:a:1', 'switchyard:first:a:2'])
    expect(snapshot.rewritesUris(first, ALL)).toBe(true)
    expect(nameOf(snapshot, 'a:1')).toBe('first a:1')
  })

  it('what the database could not hold is never granted', () => {
    const fits = `a:${'x'.repeat(1_022)}`
    const odd = [`${fits}x`, `a:${'ä'.repeat(600)}`, 'a:\u0000', 'a:\n', 'a:\ud800']
    const { names } = imageOf(1, [offering('a', { resources: [fits, ...odd], templates: [fits, ...odd] })])
    expect(names.map(({ kind, name }) => `${kind} ${name}`)).toEqual([`resource ${fits}`, `template ${fits}`])
  })

  it('leaves the links of a service alone that can read nothing', () => {
    const snapshot = new Snapshot(imageOf(1, [first, second, offering('third', { tools: ['t'] })]))
    const third = snapshot.service('third')
    if (!third) throw new Error('third is registered')
    expect(snapshot.publicUri(third, 'https://web.example/page', ALL)).toBe('https://web.example/page')
    expect(snapshot.rewritesUris(third, ALL)).toBe(false)
  })

  it('a completion names a template or a resource', () => {
    const snapshot = new Snapshot(imageOf(1, [first, second]))
    const owner = (name: string, endpoint: Endpoint = ALL) => {
      const target = snapshot.resolveTemplate(name, endpoint)
      return target && `${target.service.name} ${target.localName}`
    }
    expect(owner('a:t/{x}')).toBe('first a:t/{x}')
    expect(owner('switchyard:second:a:t/{x}')).toBe('second a:t/{x}')
    expect(owner('a:1')).toBe('first a:1')
    expect(owner('c:{x}')).toBeUndefined()
    expect(owner('a:t/{x}', at('second'))).toBe('second a:t/{x}')
  })
})

describe('user interfaces of tools and resources (MCP Apps)', () => {
  const tool = (uri: string) =>
    `{"_meta":{"big":12345678901234567890,"ui":{"resourceUri":"${uri}"},"ui/resourceUri" : "${uri}"},"name":"show"}`
  const withUi = (name: string) =>
    offering(
      name,
      { resources: ['ui://app'] },
      {
        tools: `[${tool('ui://app')}]`,
        resources: '[{"uri":"ui://app","_meta":{"ui":{"resourceUri":"ui://app"}}}]',
      },
    )
  const text = (snapshot: Snapshot, kind: OfferKind, endpoint: Endpoint) =>
    new TextDecoder().decode(snapshot.list(kind, endpoint, 'legacy').page(undefined))

  it('point where the caller can read them, and are else the same bytes', () => {
    const snapshot = new Snapshot(imageOf(1, [withUi('a'), withUi('b')]))
    const second = tool('switchyard:b:ui://app').replace('"show"', '"b__show"')
    expect(text(snapshot, 'tool', ALL)).toBe(`{"tools":[${tool('ui://app')},${second}]}`)
    expect(text(snapshot, 'tool', at('b'))).toBe(`{"tools":[${tool('ui://app')}]}`)
    expect(text(snapshot, 'resource', ALL)).toContain(
      '{"uri":"switchyard:b:ui://app","_meta":{"ui":{"resourceUri":"switchyard:b:ui://app"}}}',
    )
  })
})
