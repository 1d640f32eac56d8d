/** The quick store is a cache: whatever happens to it is a miss, soon and quietly. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Fault } from '../../local/endpoint.ts'
import { openRedis } from '../../local/redis/redis.ts'
import { startUpstash, type Upstash } from '../../local/redis/upstash.ts'
import { QuickStore, quickPolicy } from '../../src/storage/quick.ts'
import { startStack } from '../support/stack.ts'

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
    ['F61 a 502 in HTML', { status: 502, body: '<html>SET key {"a":"ü"}</html>' }],
    ['F61 a page of HTML that calls itself a success', { status: 200, body: '<html>welcome</html>' }],
    ['F62 a 429', { status: 429 }],
    ['F63 an answer that never comes', { hang: true }],
    ['an answer without a result', { status: 200, body: '{}' }],
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

  it.each<[string, Fault]>([
    ['429', { status: 429 }],
    ['429 in HTML', { status: 429, body: '<html>too many</html>' }],
    [
      'ERR max requests limit exceeded',
      { status: 400, body: '{"error":"ERR max requests limit exceeded. Limit: 10000, Usage: 10000."}' },
    ],
    [
      'ERR max daily request limit exceeded',
      { status: 400, body: '{"error":"ERR max daily request limit exceeded. Limit: 10000, Usage: 10000."}' },
    ],
  ])('F62 is left alone for a minute after one %s', async (_, given) => {
    fault = given
    expect(await store.get('key')).toBeUndefined()
    fault = undefined
    now += quickPolicy.quotaPauseMs - 1
    expect(await store.get('key')).toBeUndefined()
    expect(requests).toBe(2)
    now += 1
    expect(await store.get('key')).toBe('{"a":"ü"}')
  })

  it('F62 is not left alone for an error that only quotes those words', async () => {
    fault = { status: 400, body: '{"error":"ERR unknown command, ERR max requests limit exceeded"}' }
    expect(await store.get('key')).toBeUndefined()
    fault = undefined
    expect(await store.get('key')).toBe('{"a":"ü"}')
  })

  it('F60 F63 is waited for no longer than its budget', async () => {
    fault = { hang: true }
    const askedAt = performance.now()
    expect(await store.get('key')).toBeUndefined()
    const waitedMs = performance.now() - askedAt
    expect(waitedMs).toBeGreaterThan(quickPolicy.readBudgetMs - 20)
    expect(waitedMs).toBeLessThan(quickPolicy.readBudgetMs + 1_000)
  })

  it('deletes', async () => {
    await store.delete('key')
    expect(await store.get('key')).toBeUndefined()
  })

  it('a wrong token is a miss, not an error', async () => {
    expect(await new QuickStore(upstash.url, 'wrong', () => now).get('key')).toBeUndefined()
  })
})

it('F61 neither what it answers nor what it was asked is told to anybody', async () => {
  const stack = await startStack()
  let log = ''
  const settings = { LOG_LEVEL: 'debug' }
  const gateway = await stack.gateway(settings, { sink: (text) => void (log += text) })
  stack.cache.fault = { status: 502, body: '<html>text-of-the-proxy</html>' }
  stack.cache.requests = 0
  const answers = [
    await gateway.fetch('/health'),
    await gateway.rpc('tools/list'),
    await gateway.register('x', 'https://nowhere.invalid/mcp'),
    await gateway.fetch('/health'),
  ]
  expect(stack.cache.requests).toBeGreaterThan(0)
  for (const text of [log, ...answers.map((answer) => answer.text)]) {
    expect(text).not.toMatch(/text-of-the-proxy|mcp:registry|redis-token|UpstashError/)
  }
  await stack.close()
})
