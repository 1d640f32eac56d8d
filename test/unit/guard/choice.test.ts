import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { InstanceView } from '../../../src/guard/admission.ts'
import type { Strategy } from '../../../src/guard/balance.ts'
import { chooseInstance, type Instances, type Known } from '../../../src/guard/choice.ts'

const URLS = ['a', 'b', 'c'] as const
const instances: Instances = [
  { url: 'a', weight: 1 },
  { url: 'b', weight: 1 },
  { url: 'c', weight: 1 },
]
const viewOf = (url: string, about: Partial<InstanceView> = {}): InstanceView => ({
  url,
  isDown: false,
  inFlight: 0,
  score: 1,
  ...about,
})
const knowing = (known: Partial<Known> = {}): Known => ({
  views: [],
  inFlightAt: () => 0,
  turn: 0,
  random: 0,
  ...known,
})
const down = (...urls: string[]): InstanceView[] =>
  URLS.map((url) => viewOf(url, { isDown: urls.includes(url) }))
const chosen = (known: Partial<Known>, wish = {}, strategy: Strategy = 'round_robin'): string[] =>
  [0, 1, 2, 3].map((turn) => chooseInstance(strategy, instances, wish, knowing({ ...known, turn })))

describe('the choice of an instance', () => {
  it('is not made where there is only one', () => {
    const [only] = instances
    expect(chooseInstance('random', [only], { avoids: new Set(['a']) }, knowing({ views: down('a') }))).toBe(
      'a',
    )
  })

  it('takes all in turn while nothing is known of them', () => {
    expect(chosen({}).join('')).toBe('abca')
  })

  it('leaves out what is down', () => {
    expect(chosen({ views: down('b') }).join('')).toBe('acac')
  })

  it('leaves out what this call has tried', () => {
    expect(chosen({}, { avoids: new Set(['a', 'b']) }).join('')).toBe('cccc')
  })

  it('tries one that is down rather than the same again, and the same again rather than none', () => {
    expect(chosen({ views: down('b', 'c') }, { avoids: new Set(['a']) }).join('')).toBe('bcbc')
    expect(chosen({ views: down('b') }, { avoids: new Set(URLS) }).join('')).toBe('acac')
    expect(chosen({ views: down(...URLS) }, { avoids: new Set(URLS) }).join('')).toBe('abca')
  })

  it('keeps to the preferred instance while that is up and untried', () => {
    expect(chosen({}, { prefers: 'b' }).join('')).toBe('bbbb')
    expect(chosen({ views: down('b') }, { prefers: 'b' }).join('')).toBe('acac')
    expect(chosen({}, { prefers: 'b', avoids: new Set(['b']) }).join('')).toBe('acac')
    expect(chosen({}, { prefers: 'gone' }).join('')).toBe('abca')
  })

  it('least_connections counts the calls of this isolate and of all others', () => {
    const views = [viewOf('a', { inFlight: 1 }), viewOf('b', { inFlight: 3 }), viewOf('c')]
    const inFlightAt = (url: string): number => (url === 'c' ? 2 : 0)
    expect(chosen({ views, inFlightAt }, {}, 'least_connections').join('')).toBe('aaaa')
  })

  it('health_based takes the one with the best score', () => {
    const views = [viewOf('a', { score: 0.9 }), viewOf('b'), viewOf('c', { score: 0.5 })]
    expect(chosen({ views }, {}, 'health_based').join('')).toBe('bbbb')
  })

  it('is never none, and never one that is down while another would do', () => {
    const some = fc.subarray([...URLS])
    const strategy = fc.constantFrom<Strategy>(
      'round_robin',
      'least_connections',
      'weighted',
      'health_based',
      'random',
    )
    const random = fc.double({ min: 0, max: 0.999_999, noNaN: true })
    fc.assert(
      fc.property(some, some, strategy, fc.nat(), random, (out, tried, strategy, turn, random) => {
        const avoids = new Set<string>(tried)
        const known = knowing({ views: down(...out), turn, random })
        const url = chooseInstance(strategy, instances, { avoids }, known)
        expect(URLS).toContain(url)
        const good = URLS.filter((each) => !out.includes(each) && !avoids.has(each))
        if (good.length > 0) expect(good).toContain(url)
      }),
    )
  })
})
