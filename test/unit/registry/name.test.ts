import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkSlug, fitName } from '../../../src/registry/name.ts'
import { Snapshot } from '../../../src/registry/snapshot.ts'
import { imageOf, serviceOf } from '../../support/image.ts'

const slug = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,6}[a-z0-9])?$/)
const local = fc.oneof(fc.stringMatching(/^[a-z_]{1,6}$/), fc.string({ minLength: 1, maxLength: 90 }))
const registry = fc.uniqueArray(fc.tuple(slug, fc.uniqueArray(local, { maxLength: 5 })), {
  selector: ([name]) => name,
  maxLength: 5,
})

const listed = (snapshot: Snapshot, names: 'bare' | 'prefixed'): { name: string }[] => {
  const page = snapshot.list('tool', { is: 'all', names }, 'legacy').page(undefined)
  return JSON.parse(new TextDecoder().decode(page)).tools
}

describe('public names', () => {
  it('S38 every listed name is fit for clients, unique, and leads back to one tool', () => {
    fc.assert(
      fc.property(registry, fc.constantFrom('bare' as const, 'prefixed' as const), (services, names) => {
        const snapshot = new Snapshot(
          imageOf(
            1,
            services.map(([name, tools]) => serviceOf(name, tools)),
          ),
        )
        const publicNames = listed(snapshot, names).map(({ name }) => name)
        expect(new Set(publicNames).size).toBe(publicNames.length)
        const reached = publicNames.map((name) => {
          expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
          const target = snapshot.resolve('tool', name, { is: 'all', names })
          return `${target?.service.name} ${target?.localName}`
        })
        const offered = services.flatMap(([name, tools]) => tools.map((tool) => `${name} ${tool}`))
        expect(reached.toSorted()).toEqual(offered.toSorted())
      }),
    )
  })

  it('S37 service__tool always means that tool of that service, whatever others offer', () => {
    fc.assert(
      fc.property(registry, fc.boolean(), (services, evilFirst) => {
        const evil = serviceOf(
          'evil',
          services.flatMap(([name, tools]) => tools.map((tool) => `${name}__${tool}`)),
        )
        const honest = services
          .filter(([name]) => name !== 'evil')
          .map(([name, tools]) => serviceOf(name, tools))
        // Whether it comes first or last, and even where it was granted the bare names.
        const order = evilFirst ? [evil, ...honest] : [...honest, evil]
        const stolen = evil.catalogue ? JSON.parse(evil.catalogue.tools) : []
        const image = imageOf(1, order)
        const names = stolen.map(({ name }: { name: string }) => ({ kind: 'tool', name, serviceId: evil.id }))
        const snapshot = new Snapshot({ ...image, names: [...image.names, ...names] })
        for (const [name, tools] of services.filter(([name]) => name !== 'evil')) {
          for (const tool of tools) {
            const target = snapshot.resolve('tool', `${name}__${tool}`, { is: 'all', names: 'bare' })
            expect(target).toMatchObject({ localName: tool, service: { name } })
          }
        }
      }),
    )
  })

  it('S37 names that look alike stay apart: letters of other scripts, other case', () => {
    const alike = ['search', 'sеarch', 'ｓearch', 'Search']
    const snapshot = new Snapshot(
      imageOf(
        1,
        alike.map((tool, at) => serviceOf(`s${at}`, [tool])),
      ),
    )
    const names = listed(snapshot, 'bare').map(({ name }) => name)
    expect(names[0]).toBe('search')
    expect(new Set(names).size).toBe(alike.length)
    for (const [at, name] of names.entries()) {
      expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
      const target = snapshot.resolve('tool', name, { is: 'all', names: 'bare' })
      expect([target?.service.name, target?.localName]).toEqual([`s${at}`, alike[at]])
    }
    expect(['gіthub', 'GitHub', 'github.search'].map(checkSlug)).toEqual(['pattern', 'pattern', 'pattern'])
  })

  it('S38 a local name that looks like a prefixed one is listed under its own prefix', () => {
    const services = [serviceOf('z', ['c']), serviceOf('a', ['b__c']), serviceOf('b', ['c'])]
    const snapshot = new Snapshot(imageOf(1, services))
    expect(listed(snapshot, 'bare').map(({ name }) => name)).toEqual(['c', 'a__b__c', 'b__c'])
    const reached = (name: string) =>
      snapshot.resolve('tool', name, { is: 'all', names: 'bare' })?.service.name
    expect(['c', 'a__b__c', 'b__c'].map(reached)).toEqual(['z', 'a', 'b'])
  })

  it('keeps a bare name with its holder when an earlier service offers it later', () => {
    const early = serviceOf('early', ['search'])
    const holder = serviceOf('holder', ['search'])
    const image = {
      ...imageOf(1, [early, holder]),
      names: [{ kind: 'tool' as const, name: 'search', serviceId: holder.id }],
    }
    const snapshot = new Snapshot(image)
    expect(listed(snapshot, 'bare').map(({ name }) => name)).toEqual(['early__search', 'search'])
    expect(snapshot.resolve('tool', 'search', { is: 'all', names: 'bare' })?.service.name).toBe('holder')
  })

  it('leaves the names of one service untouched at its own endpoint', () => {
    const snapshot = new Snapshot(imageOf(1, [serviceOf('a', ['x.y', 'long'.repeat(30)])]))
    const page = snapshot.list('tool', { is: 'service', name: 'a' }, 'legacy').page(undefined)
    const { tools } = JSON.parse(new TextDecoder().decode(page))
    expect(tools.map(({ name }: { name: string }) => name)).toEqual(['x.y', 'long'.repeat(30)])
    expect(snapshot.resolve('tool', 'x.y', { is: 'service', name: 'a' })?.localName).toBe('x.y')
    expect(snapshot.resolve('tool', 'a__x.y', { is: 'service', name: 'a' })).toBeUndefined()
  })

  it('shortens the same name the same way every time', () => {
    const long = 'a'.repeat(100)
    expect(fitName(long)).toBe(fitName(long))
    expect(fitName(`${long}b`)).not.toBe(fitName(long))
  })
})

describe('slugs', () => {
  it.each(['a', 'user-service', '3d', 'a'.repeat(32)])('accepts %s', (text) => {
    expect(checkSlug(text)).toBeUndefined()
  })
  it.each(['', '-a', 'a-', 'A', 'a_b', 'a.b', 'a'.repeat(33), 'ü'])('refuses %j', (text) => {
    expect(checkSlug(text)).toBe('pattern')
  })
  it.each(['health', 'services', 'request', 'sse', 'message'])('reserves %s', (text) => {
    expect(checkSlug(text)).toBe('reserved')
  })
})
