/** Results in the quick store: what is not ours, not whole or not in its place is a miss. */
import { beforeEach, describe, expect, it } from 'vitest'
import { Sealer } from '../../../src/platform/seal.ts'
import type { QuickStore } from '../../../src/storage/quick.ts'
import { StoredResults } from '../../../src/storage/results.ts'

const KEY = 'k'.repeat(64)
const PLACE = `mcp:result:${KEY}`
const kept = {
  result: '{"content":[{"type":"text","text":"5 \\u00fc 9007199254740993"}]}',
  keptAt: 7,
  ttlSeconds: 60,
}

const held = new Map<string, string>()
const lifetimes: number[] = []
const store = {
  get: async (key: string) => held.get(key),
  set: async (key: string, value: string, seconds: number) => {
    held.set(key, value)
    lifetimes.push(seconds)
  },
} as unknown as QuickStore
const sealer = (fill: number, purpose: 'result' | 'image' = 'result') =>
  new Sealer([new Uint8Array(32).fill(fill)], purpose)
const results = new StoredResults(store, sealer(1))

beforeEach(async () => {
  held.clear()
  lifetimes.length = 0
  await results.keep(KEY, kept)
})

describe('a stored result', () => {
  it('comes back byte for byte, and lives no longer than it is good', async () => {
    expect(await results.find(KEY)).toEqual(kept)
    expect(lifetimes).toEqual([60])
  })

  it('S58 shows nothing of itself', () => {
    expect([...held.keys()]).toEqual([PLACE])
    expect(held.get(PLACE)).toMatch(/^[A-Za-z0-9+/=_-]+$/)
  })

  it.each<[string, (sealed: string) => string]>([
    ['truncated', (sealed) => sealed.slice(0, -8)],
    ['altered', (sealed) => `${sealed.slice(0, 20)}${sealed[20] === 'A' ? 'B' : 'A'}${sealed.slice(21)}`],
    ['in clear', () => '7 60 {"content":[]}'],
    ['empty', () => ''],
    ['no base64', () => '\u0000\u{1f600}'],
  ])('F64 that is %s is a miss', async (_, change) => {
    held.set(PLACE, change(held.get(PLACE) ?? ''))
    expect(await results.find(KEY)).toBeUndefined()
  })

  it('S31 of another key, of another purpose or under another secret is a miss', async () => {
    const other = 'o'.repeat(64)
    held.set(`mcp:result:${other}`, held.get(PLACE) ?? '')
    expect(await results.find(other)).toBeUndefined()
    for (const wrong of [sealer(2), sealer(1, 'image')]) {
      expect(await new StoredResults(store, wrong).find(KEY)).toBeUndefined()
    }
  })

  it('that is too large for the store is not sent there', async () => {
    const noise = Array.from({ length: 700_000 }, () => Math.floor(Math.random() * 36).toString(36)).join('')
    await results.keep(KEY, {
      ...kept,
      result: JSON.stringify({ noise: noise + noise.split('').toReversed().join('') + noise }),
    })
    expect(await results.find(KEY)).toEqual(kept)
  })
})
