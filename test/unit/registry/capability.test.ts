import { describe, expect, it } from 'vitest'
import type { Catalogue } from '../../../src/protocol/catalogue.ts'
import type { Era } from '../../../src/protocol/version.ts'
import type { ServiceRecord } from '../../../src/registry/image.ts'
import { type Endpoint, Snapshot } from '../../../src/registry/snapshot.ts'
import { imageOf, offering, serviceOf } from '../../support/image.ts'

const ALL: Endpoint = { is: 'all', names: 'bare' }

/** Which versions a service speaks, and what it says of itself in each. */
const legacy = (capabilities: string) => ({ capabilities, legacyCapabilities: capabilities })
const modern = (capabilities: string): Partial<Catalogue> => ({
  era: 'modern',
  protocolVersion: '2026-07-28',
  legacyVersion: undefined,
  capabilities,
})
const both = (capabilities: string, legacyCapabilities: string): Partial<Catalogue> => ({
  era: 'modern',
  protocolVersion: '2026-07-28',
  capabilities,
  legacyCapabilities,
})

const merged = (list: readonly ServiceRecord[], era: Era, endpoint: Endpoint = ALL): string =>
  new Snapshot(imageOf(1, list)).capabilities(endpoint, era)
const of = (...catalogues: Partial<Catalogue>[]): ServiceRecord[] =>
  catalogues.map((catalogue, at) => offering(`s${at}`, {}, catalogue))

describe('capabilities of all services together', () => {
  it('are tools at least', () => {
    expect(merged([], 'legacy')).toBe('{"tools":{"listChanged":true}}')
    expect(merged([], 'modern')).toBe('{"tools":{"listChanged":true}}')
  })

  it('are what any of them has, in the words of the gateway', () => {
    const list = of(
      legacy('{"prompts":{},"resources":{"listChanged":false},"logging":{"x":1}}'),
      legacy('{"resources":{"subscribe":true},"completions":{}}'),
      legacy('{"resources":{}}'),
    )
    expect(JSON.parse(merged(list, 'legacy'))).toEqual({
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { subscribe: true, listChanged: true },
      logging: {},
      completions: {},
    })
    expect(JSON.parse(merged(of(legacy('{"resources":{"subscribe":false}}')), 'modern')).resources).toEqual({
      listChanged: true,
    })
  })

  it('unite tasks for legacy clients only', () => {
    const list = of(
      legacy('{"tasks":{"list":{},"requests":{"tools":{"call":{}}},"a":1}}'),
      legacy('{"tasks":{"cancel":{},"requests":{"sampling":{"x":{}},"tools":{"call":{"y":1}}},"a":2}}'),
    )
    expect(JSON.parse(merged(list, 'legacy')).tasks).toEqual({
      list: {},
      requests: { tools: { call: { y: 1 } }, sampling: { x: {} } },
      a: 1,
      cancel: {},
    })
    expect(JSON.parse(merged(list, 'modern'))).not.toHaveProperty('tasks')
    expect(JSON.parse(merged(of(modern('{"tasks":{}}')), 'legacy'))).not.toHaveProperty('tasks')
  })

  it('keep of each extension, and of what nobody knows, what the first registered said, byte for byte', () => {
    const ui = '{ "mimeTypes" : ["text/html"], "big":12345678901234567890 }'
    const list = of(
      legacy(`{"extensions":{"io/ui":${ui}},"experimental":{"x":{"v":1}},"vendor":{ "b":1,"a":[ ] }}`),
      legacy(
        '{"extensions":{"io/ui":{"mimeTypes":[],"more":1},"io/tasks":{}},"experimental":{"x":{"v":2,"w":1},"y":{}},"vendor":2}',
      ),
    )
    const text = merged(list, 'modern')
    expect(text).toContain(`"extensions":{"io/ui":${ui},"io/tasks":{}}`)
    expect(text).toContain('"experimental":{"x":{"v":1},"y":{}}')
    expect(text).toContain('"vendor":{ "b":1,"a":[ ] }')
  })

  it('are those of the era asked for, or of the only one that a service speaks', () => {
    const list = of(both('{"prompts":{}}', '{"completions":{}}'))
    expect(JSON.parse(merged(list, 'modern'))).toHaveProperty('prompts')
    expect(JSON.parse(merged(list, 'modern'))).not.toHaveProperty('completions')
    expect(JSON.parse(merged(list, 'legacy'))).toHaveProperty('completions')
    expect(JSON.parse(merged(list, 'legacy'))).not.toHaveProperty('prompts')
    expect(JSON.parse(merged(of(modern('{"prompts":{}}')), 'legacy'))).toHaveProperty('prompts')
    expect(JSON.parse(merged(of(legacy('{"prompts":{}}')), 'modern'))).toHaveProperty('prompts')
  })

  it('count neither the disabled nor those that were never reached, nor what is no capability', () => {
    const off = offering('off', {}, legacy('{"prompts":{}}'), { isEnabled: false })
    const away = serviceOf('away', [], { catalogue: undefined })
    const odd = of(legacy('{"prompts":null,"resources":true,"tasks":[1]}'), legacy('[]'), legacy('"a"'))
    expect(merged([off, away, ...odd], 'legacy')).toBe('{"tools":{"listChanged":true}}')
  })

  it('hold against depths that nobody needs', () => {
    const deep = `${'{"tasks":'.repeat(10_000)}{}${'}'.repeat(10_000)}`
    expect(merged(of(legacy(deep), legacy(deep)), 'legacy')).toContain('"tasks"')
  })
})

describe('capabilities of one service', () => {
  const at = (name: string): Endpoint => ({ is: 'service', name })
  it('are its own only', () => {
    const list = [
      offering('a', {}, legacy('{"prompts":{}}')),
      offering('b', {}, legacy('{"tools":{},"x":1}')),
      serviceOf('c', [], { catalogue: undefined, config: { fallbackTools: '[{"name":"t"}]' } }),
      serviceOf('d', [], { catalogue: undefined }),
    ]
    expect(merged(list, 'legacy', at('a'))).toBe('{"prompts":{"listChanged":true}}')
    expect(merged(list, 'legacy', at('b'))).toBe('{"tools":{"listChanged":true},"x":1}')
    expect(merged(list, 'legacy', at('c'))).toBe('{"tools":{"listChanged":true}}')
    expect(merged(list, 'legacy', at('d'))).toBe('{}')
  })
})

describe('instructions', () => {
  const told = (...texts: (string | undefined)[]) =>
    new Snapshot(
      imageOf(
        1,
        texts.map((instructions, at) => offering(`s${at}`, {}, { instructions })),
      ),
    )

  it('stand under a heading for each service that has any', () => {
    expect(told('One.', undefined, '', 'Two.\n').instructions(ALL)).toBe('## s0\n\nOne.\n\n## s3\n\nTwo.\n')
    expect(told(undefined, '').instructions(ALL)).toBeUndefined()
  })

  it('are cut, visibly, and never within a character', () => {
    const [text = ''] = [told(`a${'😀'.repeat(2_000)}`).instructions(ALL)]
    const body = text.slice('## s0\n\n'.length)
    expect(body.endsWith(' […]')).toBe(true)
    expect(body.length).toBeLessThanOrEqual(2_000)
    expect(body.length).toBeGreaterThan(1_990)
    expect(body.isWellFormed()).toBe(true)
    const all = told(...Array.from({ length: 20 }, () => 'x'.repeat(1_500))).instructions(ALL) ?? ''
    expect(all.length).toBe(16_000)
    expect(all.endsWith('x […]')).toBe(true)
  })

  it('of one service are its own, whole; of a disabled one there are none', () => {
    const long = 'x'.repeat(5_000)
    expect(told('a', long).instructions({ is: 'service', name: 's1' })).toBe(long)
    const off = offering('off', {}, { instructions: 'x' }, { isEnabled: false })
    expect(new Snapshot(imageOf(1, [off])).instructions({ is: 'service', name: 'off' })).toBeUndefined()
    expect(new Snapshot(imageOf(1, [off])).instructions(ALL)).toBeUndefined()
  })
})
