/** The quick store is a cache: whatever happens to it is a miss, soon and quietly. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Fault } from '../../local/endpoint.ts'
import { openRedis } from '../../local/redis/redis.ts'
import { startUpstash, type Upstash } from '../../local/redis/upstash.ts'
import { QuickStore, quickPolicy } from '../../src/storage/quick.ts'

let upstash: Upstash
let redis: Awaited<ReturnType<typeof openRedis>>
let fault: Fault | undefined
let requests = 0
let now = 0
let store: QuickStore

beforeAll(async () => {
  redis = await openRedis()
  const hooks = { observe: () => void requests++, fault: () => fault }
  upstash = await startUpstash({ redis, token: 'token', port: 0, ...hooks })
})
afterAll(async () => {
  await upstash.close()
  await redis.close()
})
beforeEach(async () => {
  fault = undefined
  requests = 0
  store = new QuickStore(upstash.url, 'token', () => now)
  await store.run("redis.call('SET', KEYS[1], ARGV[1]) return 1", ['key'], ['{"a":"ü"}'])
})

describe('the quick store', () => {
  it('gives back what was stored, as text', async () => {
    expect(await store.get('key')).toBe('{"a":"ü"}')
    expect(await store.get('nothing')).toBeUndefined()
  })

  it.each<[string, Fault]>([
    ['F60 slower than its budget', { delayMs: quickPolicy.readBudgetMs * 10 }],
    ['F61 a 502', { status: 502 }],
    ['F62 a 429', { status: 429 }],
    ['F63 an answer that never comes', { hang: true }],
    ['a connection that breaks', { destroy: true }],
  ])('%s is a miss', async (_, given) => {
    fault = given
    expect(await store.get('key')).toBeUndefined()
    expect(requests).toBe(2)
  })

  it('F60 is left alone after five misses in a row, and tried again when the pause is over', async () => {
    fault = { destroy: true }
    for (let at = 0; at < 20; at++) await store.get('key')
    expect(requests).toBe(1 + quickPolicy.missesInARow)
    fault = undefined
    expect(await store.get('key')).toBeUndefined()
    now += quickPolicy.pauseMs
    expect(await store.get('key')).toBe('{"a":"ü"}')
  })

  it('a wrong token is a miss, not an error', async () => {
    expect(await new QuickStore(upstash.url, 'wrong', () => now).get('key')).toBeUndefined()
  })
})
