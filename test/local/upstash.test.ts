import { Redis } from '@upstash/redis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openRedis } from '../../local/redis/redis.ts'
import type { RedisEngine } from '../../local/redis/reply.ts'
import { startUpstash } from '../../local/redis/upstash.ts'
import type { Upstash } from '../../local/redis/upstash.ts'
import { describeEngines, uniqueName } from './engines.ts'

const TOKEN = 'token-of-the-test'
const ODD = 'naïve ☃ 😀 \u0000\u0001\u007f\r\n"\\/OK'

describeEngines('ioredis-mock', 'TEST_REDIS_URL', (url) => {
  let engine: RedisEngine
  let target: Upstash
  let redis: Redis
  const prefix = uniqueName('upstash')
  let keys = 0
  const newKey = (): string => `${prefix}:${(keys += 1)}`

  const connect = (options: object = {}): Redis =>
    new Redis({ url: target.url, token: TOKEN, automaticDeserialization: false, retry: false, ...options })

  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(target.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    const json: unknown = await response.json()
    return { status: response.status, headers: response.headers, json }
  }

  beforeAll(async () => {
    engine = await openRedis(url)
    target = await startUpstash({ redis: engine, token: TOKEN, port: 0 })
    redis = connect()
  })

  afterAll(async () => {
    for (let i = 1; i <= keys; i += 1) await redis.del(`${prefix}:${i}`)
    await target.close()
    await engine.close()
  })

  test.each([['plain'], [''], ['OK'], ['12345678901234567890'], [ODD]])(
    '%j is stored and read',
    async (value) => {
      const key = newKey()
      expect(await redis.set(key, value)).toBe('OK')
      expect(await redis.get(key)).toBe(value)
      expect(await connect({ responseEncoding: false }).get(key)).toBe(value)
      expect(await redis.mget(key, newKey())).toEqual([value, null])
    },
  )

  test('SET keeps its options, in either case of letters', async () => {
    const key = newKey()
    expect(await redis.set(key, 'a', { nx: true, px: 50_000 })).toBe('OK')
    expect(await redis.set(key, 'b', { nx: true })).toBeNull()
    expect(await redis.get(key)).toBe('a')
    expect(await redis.pttl(key)).toBeGreaterThan(40_000)
    expect(await redis.set(key, 'c', { get: true, ex: 90 })).toBe('a')
    expect(await redis.ttl(key)).toBeGreaterThan(80)
    expect(await redis.set(newKey(), 'd', { xx: true })).toBeNull()
    expect((await post('/', ['sEt', key, 'e', 'Ex', 70])).json).toEqual({ result: 'OK' })
    expect(await redis.ttl(key)).toBeLessThanOrEqual(70)
    await redis.set(key, 'f')
    expect(await redis.ttl(key)).toBe(-1)
  })

  test('a key expires', async () => {
    const [short, long] = [newKey(), newKey()]
    await redis.set(short, 'x', { px: 60 })
    await redis.set(long, 'x')
    expect(await redis.expire(long, 100)).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 120))
    expect(await redis.get(short)).toBeNull()
    expect(await redis.ttl(short)).toBe(-2)
    expect(await redis.del(short, long)).toBe(1)
  })

  test('counters, hashes, scans and publishing work', async () => {
    const [counter, hash] = [newKey(), newKey()]
    expect(await redis.incr(counter)).toBe(1)
    expect(await redis.incrby(counter, 41)).toBe(42)
    expect(await redis.hset(hash, { a: '1', 'b c': ODD })).toBe(2)
    expect(await redis.hget(hash, 'b c')).toBe(ODD)
    expect(await redis.hget(hash, 'none')).toBeNull()
    expect((await post('/', ['HGETALL', hash])).json).toEqual({ result: ['a', '1', 'b c', ODD] })
    expect(await connect({ automaticDeserialization: true }).hgetall(hash)).toEqual({ a: 1, 'b c': ODD })
    const found = await redis.scan(0, { match: `${prefix}:*`, count: 1000 })
    expect(found[1]).toContain(counter)
    expect(await redis.ping()).toBe('PONG')
    expect(await redis.publish(newKey(), 'm')).toBe(0)
  })

  test.each([
    [['NOSUCH', 'a'], /^ERR unknown command/],
    [['GET'], /^ERR wrong number of arguments for 'get' command/],
    [['SET', 'k', 'v', 'WHAT'], /^ERR syntax error/],
    [['SET', 'k', 'v', 'EX', 'soon'], /^ERR value is not an integer/],
    [['SET', 'k', 'v', 'PX', '0'], /^ERR invalid expire time in 'set' command/],
    [['BLPOP', 'k', 0], /^ERR Command is not available: 'BLPOP'/],
    [['subscribe', 'c'], /^ERR Command is not available: 'SUBSCRIBE'/],
    [['MONITOR'], /^ERR Command is not available/],
    [['XREAD', 'BLOCK', '0', 'STREAMS', 's', '$'], /^ERR Command is not available/],
    [[], /^ERR empty command/],
    [['GET', null], /^ERR failed to parse command/],
    [{ a: 1 }, /^ERR failed to parse command/],
    ['{', /^ERR failed to parse command/],
  ])('%j is 400 with an error line', async (command, error) => {
    const { status, json } = await post('/', command)
    expect(status).toBe(400)
    expect(json).toEqual({ error: expect.stringMatching(error) })
  })

  test('a command on the wrong type changes nothing', async () => {
    const [hash, text] = [newKey(), newKey()]
    await redis.hset(hash, { a: '1' })
    await redis.set(text, 'word')
    await expect(redis.get(hash)).rejects.toThrow('WRONGTYPE')
    await expect(redis.incr(hash)).rejects.toThrow('WRONGTYPE')
    await expect(redis.hset(text, { a: '1' })).rejects.toThrow('WRONGTYPE')
    await expect(redis.incr(text)).rejects.toThrow('ERR value is not an integer')
    expect(await redis.get(text)).toBe('word')
    expect(await redis.hgetall(hash)).toEqual(['a', '1'])
  })

  test('in a pipeline one failing item fails alone', async () => {
    const key = newKey()
    const commands = [
      ['SET', key, 'x'],
      ['INCR', key],
      ['GET', key],
      ['BLPOP', key, 0],
      ['HGETALL', newKey()],
    ]
    const { status, json } = await post('/pipeline', commands)
    expect(status).toBe(200)
    expect(json).toEqual([
      { result: 'OK' },
      { error: 'ERR value is not an integer or out of range' },
      { result: 'x' },
      { error: expect.stringContaining('not available') },
      { result: [] },
    ])
    const results = await redis.pipeline().set(key, '1').incr(key).get(key).exec()
    expect(results).toEqual(['OK', 2, '2'])
  })

  test('multi-exec runs all, or none when Redis would not queue one', async () => {
    const [key, other] = [newKey(), newKey()]
    expect(await redis.multi().set(key, '1').incr(key).get(key).exec()).toEqual(['OK', 2, '2'])
    const failing = await post('/multi-exec', [
      ['SET', other, 'x'],
      ['INCR', other],
      ['GET', other],
    ])
    expect(failing.status).toBe(200)
    expect(failing.json).toMatchObject([
      { result: 'OK' },
      { error: expect.stringMatching(/^ERR value is not an integer/) },
      { result: 'x' },
    ])
    const voided = await post('/multi-exec', [['SET', key, 'lost'], ['GET']])
    expect(voided.status).toBe(400)
    expect(voided.json).toEqual({ error: expect.stringMatching(/EXECABORT/) })
    const blocked = await post('/multi-exec', [
      ['SET', key, 'lost'],
      ['BLPOP', key, 0],
    ])
    expect(blocked.status).toBe(400)
    expect(await redis.get(key)).toBe('2')
  })

  test('transactions at the same time do not meet', async () => {
    const key = newKey()
    await redis.set(key, '0')
    const step = () =>
      redis.multi().incr(key).get(key).incr(key).get(key).exec<[number, string, number, string]>()
    const all = await Promise.all(Array.from({ length: 20 }, step))
    for (const [first, seen, second, last] of all) {
      expect([seen, second, last]).toEqual([String(first), first + 1, String(first + 1)])
    }
    expect(await redis.get(key)).toBe('40')
  })

  test.each([
    ['return 7', 7],
    ['return 3.9', 3],
    ['return KEYS[1] .. ARGV[1]', `k${ODD}`],
    ['return {KEYS[1], ARGV[2], 5, {ARGV[3], false}}', ['k', '2', 5, ['3', null]]],
    ['return nil', null],
    ['return false', null],
    ['return true', 1],
    ['return {1, nil, 3}', [1]],
    ['return redis.status_reply("FINE")', 'FINE'],
    ['return tonumber(ARGV[4]) + 1', 1767000000124],
    ['return (tonumber(ARGV[4]) + 1) .. "x"', '1767000000124x'],
    ['return string.format("%d/%s", tonumber(ARGV[4]), "a")', '1767000000123/a'],
  ])('EVAL %j', async (script, expected) => {
    expect(await redis.eval(script, ['k'], [ODD, '2', '3', '1767000000123'])).toEqual(expected)
  })

  test('a script reads and writes, and its errors are command errors', async () => {
    const [key, hash] = [newKey(), newKey()]
    const forward = `local now = tonumber(redis.call('GET', KEYS[1]) or '0')
      local next = math.max(now + 1, tonumber(ARGV[1]))
      redis.call('SET', KEYS[1], next, 'PX', 60000)
      return redis.call('GET', KEYS[1])`
    expect(await redis.eval(forward, [key], ['1767000000123'])).toBe('1767000000123')
    expect(await redis.eval(forward, [key], ['5'])).toBe('1767000000124')
    expect(await redis.pttl(key)).toBeGreaterThan(50_000)
    await redis.hset(hash, { a: '', b: '2' })
    const look = `return {redis.call('HGETALL', KEYS[1]), redis.call('HGET', KEYS[1], 'a'),
      redis.call('HGET', KEYS[1], 'z'), redis.call('MGET', KEYS[2], KEYS[3])}`
    const seen = await redis.eval(look, [hash, key, newKey()], [])
    expect(seen).toEqual([['a', '', 'b', '2'], '', null, ['1767000000124', null]])
    await expect(redis.eval("return redis.error_reply('MINE no')", [], [])).rejects.toThrow('MINE no')
    await expect(redis.eval("error('boom')", [], [])).rejects.toThrow('boom')
    await expect(redis.eval('retur 1', [], [])).rejects.toThrow('Error compiling script')
    const caught = "local r = redis.pcall('NOSUCH') return r.err ~= nil"
    expect(await redis.eval(caught, [], [])).toBe(1)
  })

  test('a script is found by its hash once loaded', async () => {
    const source = `return {'${prefix}', KEYS[1]}`
    const sha = await redis.scriptLoad(source)
    expect(await redis.evalsha(sha, ['a'], [])).toEqual([prefix, 'a'])
    expect(await redis.scriptExists(sha)).toEqual([1])
    await expect(redis.evalsha('0'.repeat(40), [], [])).rejects.toThrow('NOSCRIPT')
  })

  test('base64 encodes strings at any depth, and nothing else', async () => {
    const key = newKey()
    const base64 = { 'upstash-encoding': 'base64' }
    const set = await post('/', ['SET', key, 'é'], base64)
    expect(set.json).toEqual({ result: 'OK' })
    expect((await post('/', ['GET', key], base64)).json).toEqual({ result: 'w6k=' })
    expect((await post('/', ['GET', newKey()], base64)).json).toEqual({ result: null })
    const nested = await post('/', ['EVAL', "return {'a', 1, false, {'OK'}}", 0], base64)
    expect(nested.json).toEqual({ result: ['YQ==', 1, null, ['T0s=']] })
    const items = await post('/pipeline', [['GET', key], ['EXISTS', key], ['NOSUCH']], base64)
    expect(items.json).toEqual([{ result: 'w6k=' }, { result: 1 }, { error: expect.stringMatching(/^ERR/) }])
    expect(items.headers.get('upstash-sync-token')).toBeTruthy()
  })

  test('a command may stand in the path', async () => {
    const key = newKey()
    const headers = { authorization: `Bearer ${TOKEN}` }
    const get = async (path: string) => (await fetch(target.url + path, { headers })).json()
    expect(await get(`/set/${key}/a%2Fb%20c`)).toEqual({ result: 'OK' })
    expect(await get(`/get/${key}`)).toEqual({ result: 'a/b c' })
    expect((await post(`/set/${key}?EX=100`, '{"a":1}')).json).toEqual({ result: 'OK' })
    expect(await get(`/get/${key}`)).toEqual({ result: '{"a":1}' })
    expect(await redis.ttl(key)).toBeGreaterThan(90)
    expect((await fetch(target.url, { method: 'DELETE', headers })).status).toBe(405)
  })

  test.each(['/', '/pipeline', '/multi-exec', '/get/a'])('%s needs the token', async (path) => {
    for (const headers of [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: TOKEN },
      { authorization: '' },
    ]) {
      const response = await fetch(target.url + path, { method: 'POST', body: '[["PING"]]', headers })
      expect(response.status).toBe(401)
      expect(await response.json()).toEqual({ error: 'WRONGPASS invalid or missing auth token' })
    }
  })

  test('hooks see every request and decide its fate', async () => {
    const paths: string[] = []
    // Two cuts: without retries the client still tries twice.
    const faults = [{ status: 500 }, { destroy: true }, { destroy: true }, undefined]
    const hooks = { observe: (path: string) => paths.push(path), fault: () => faults.shift() }
    const faulty = await startUpstash({ redis: engine, token: TOKEN, port: 0, ...hooks })
    const client = new Redis({ url: faulty.url, token: TOKEN, retry: false })
    await expect(client.ping()).rejects.toThrow('fault')
    await expect(client.get('a')).rejects.toThrow()
    const [pong] = await client.pipeline().ping().exec()
    expect(pong).toBe('PONG')
    expect(paths.at(-1)).toBe('/pipeline')
    await faulty.close()
    await expect(client.ping()).rejects.toThrow()
  })
})

test('two Redis in memory share nothing', async () => {
  const [one, other] = [await openRedis(), await openRedis()]
  await one.call(['SET', 'k', 'v'])
  expect(await other.call(['GET', 'k'])).toEqual({ reply: null })
  await Promise.all([one.close(), other.close()])
})

test('a script in the Redis in memory cannot reach the process', async () => {
  const redis = await openRedis()
  const seen = await redis.call([
    'EVAL',
    'return tostring(io) .. tostring(os) .. tostring(require) .. tostring(call)',
    '0',
  ])
  expect(seen).toEqual({ reply: 'nilnilnilnil' })
  await redis.close()
})

test('a Redis out of reach is one clear error without the password', async () => {
  const error = await openRedis('redis://:hunter2@127.0.0.1:1').catch(String)
  expect(error).toContain('Redis at 127.0.0.1:1 is out of reach')
  expect(error).not.toContain('hunter2')
})
