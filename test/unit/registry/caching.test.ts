/** Which tools' results are given again, and when older ones are found no more. */
import { describe, expect, it } from 'vitest'
import { cachingOf } from '../../../src/registry/caching.ts'
import type { ServiceConfig, ServiceRecord, ToolSetting } from '../../../src/registry/image.ts'
import { offering } from '../../support/image.ts'

const tools = [
  'plain',
  { name: 'reads', annotations: { readOnlyHint: true } },
  { name: 'writes', annotations: { readOnlyHint: false } },
  { name: 'destroys', annotations: { destructiveHint: true } },
]
const digests = { plain: 'd1', reads: 'd2', writes: 'd3', destroys: 'd4' }

const of = (
  tool: string,
  config: ServiceConfig,
  setting?: Partial<ToolSetting>,
  record: Partial<ServiceRecord> = {},
) =>
  cachingOf({
    service: offering('bank', { tools }, {}, { config, digests, ...record }),
    localName: tool,
    mirrors: [],
    setting: setting && { serviceId: 'id-bank', tool, isEnabled: true, ...setting },
  })

describe('results are given again', () => {
  it.each<[string, ServiceConfig, Partial<ToolSetting> | undefined, number | undefined]>([
    ['not unless somebody says so', {}, undefined, undefined],
    ['where the service says so', { cacheTtlSeconds: 5 }, undefined, 5],
    ['where the tool says so', {}, { cacheTtlSeconds: 7 }, 7],
    ['as the tool says, not the service', { cacheTtlSeconds: 5 }, { cacheTtlSeconds: 7 }, 7],
    ['not where the tool says no', { cacheTtlSeconds: 5 }, { cacheTtlSeconds: 0 }, undefined],
    ['where a tool says other things only', { cacheTtlSeconds: 5 }, { timeoutMs: 1 }, 5],
    ['not where the service says no', { cacheTtlSeconds: 0 }, {}, undefined],
  ])('%s', (_, config, setting, seconds) => {
    expect(of('plain', config, setting)?.ttlSeconds).toBe(seconds)
  })

  it('of a tool that says that it changes something only by its own setting', () => {
    for (const tool of ['writes', 'destroys']) {
      expect(of(tool, { cacheTtlSeconds: 5 })).toBeUndefined()
      expect(of(tool, { cacheTtlSeconds: 5 }, { isEnabled: true })).toBeUndefined()
      expect(of(tool, {}, { cacheTtlSeconds: 5 })?.ttlSeconds).toBe(5)
    }
    expect(of('reads', { cacheTtlSeconds: 5 })?.ttlSeconds).toBe(5)
  })

  it('to everybody unless the service or the tool says otherwise', () => {
    const config = { cacheTtlSeconds: 5 }
    expect(of('plain', config)?.scope).toBe('shared')
    expect(of('plain', { ...config, cacheScope: 'caller' })?.scope).toBe('caller')
    expect(of('plain', { ...config, cacheScope: 'caller' }, { cacheScope: 'shared' })?.scope).toBe('shared')
    expect(of('plain', config, { cacheScope: 'caller' })?.scope).toBe('caller')
  })

  it('not of a tool of which it is not known what it is', () => {
    expect(of('plain', { cacheTtlSeconds: 5 }, undefined, { digests: {} })).toBeUndefined()
    expect(of('toString', { cacheTtlSeconds: 5 })).toBeUndefined()
  })
})

it('what was kept is found no more once the tool is another, or results were thrown away', () => {
  const config = { cacheTtlSeconds: 5 }
  const editions = [
    of('plain', config),
    of('plain', config, undefined, { digests: { plain: 'd9' } }),
    of('plain', config, undefined, { cacheEpoch: 1 }),
    of('plain', config, { cacheEpoch: 1 }),
    of('plain', config, { cacheEpoch: 11 }, { cacheEpoch: 1 }),
    of('plain', config, { cacheEpoch: 1 }, { cacheEpoch: 11 }),
    of('plain', config, undefined, { url: 'https://other.example/mcp' }),
    of('plain', config, undefined, { instances: [{ id: 'i', url: 'https://other.example/mcp', weight: 1 }] }),
    of('plain', { ...config, secretsSetAt: '2026-01-01T00:00:00.000Z' }),
  ].map((caching) => caching?.edition)
  expect(new Set(editions).size).toBe(editions.length)
})
