/** How fast a change is seen, and what still works while a dependency is away. Two gateways on one registry. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ROWS } from '../support/dial.ts'
import { eventually, type Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let stack: Stack
let writer: Gateway
let other: Gateway
let upstream: Upstream

beforeAll(async () => {
  stack = await startStack()
  writer = await stack.gateway()
  other = await stack.gateway()
  upstream = await startUpstream({ era: 'legacy' })
  await writer.register('first', upstream.url)
  await Promise.all([writer, other].map((gateway) => eventually(10_000, () => sees(gateway, 'first'))))
})
afterEach(() => {
  stack.database.giveBack()
  stack.cache.giveBack()
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})

const sees = async (gateway: Gateway, name: string): Promise<void> =>
  expect(await gateway.toolNames('/mcp?names=prefixed')).toContain(`${name}__echo`)

/** Milliseconds until a gateway lists the service, asked all the time. */
async function seenAfterMs(gateway: Gateway, name: string, write: () => Promise<unknown>): Promise<number> {
  await write()
  const writtenAt = performance.now()
  await eventually(10_000, () => sees(gateway, name))
  return performance.now() - writtenAt
}

describe('a write', () => {
  it('is visible to the next request on the writing isolate', async () => {
    await writer.register('at-once', upstream.url)
    await sees(writer, 'at-once')
  })

  it('is visible to another isolate within 2 s', async () => {
    expect(await seenAfterMs(other, 'soon', () => writer.register('soon', upstream.url))).toBeLessThan(2_000)
  })

  it('is visible to another isolate within 5 s while Redis is away, and Redis heals by itself', async () => {
    stack.cache.takeAway()
    expect(await seenAfterMs(other, 'later', () => writer.register('later', upstream.url))).toBeLessThan(
      5_000,
    )
    expect((await other.fetch('/health')).body).toMatchObject({
      status: 'degraded',
      dependencies: { cache: 'unreachable', database: 'ok' },
    })
    stack.cache.giveBack()
    await eventually(10_000, async () => expect((await other.fetch('/health')).body.status).toBe('ok'))
    expect(await seenAfterMs(other, 'healed', () => writer.register('healed', upstream.url))).toBeLessThan(
      2_000,
    )
  })
})

describe('with Postgres away', () => {
  it('lists and calls go on, writes are refused and nothing is lost', async () => {
    stack.database.takeAway()
    await sees(other, 'first')
    const { body } = await other.rpc('tools/call', { name: 'echo', arguments: { text: 'hi' } })
    expect(body.result.content[0].text).toBe('hi')
    const refused = await writer.register('lost', upstream.url)
    expect([refused.status, refused.body.code]).toEqual([503, 'storage_unavailable'])
    expect(refused.headers.get('retry-after')).toBe('1')
    expect((await other.manage('GET', '/api/v1/servers')).status).toBe(200)
    expect((await other.fetch('/health')).body).toMatchObject({
      status: 'degraded',
      dependencies: { database: 'unreachable' },
    })
    stack.database.giveBack()
    expect((await writer.register('lost', upstream.url)).status).toBe(201)
  })

  it(
    'lists go on with Redis away as well, past the age at which a request waits for a look',
    { timeout: 15_000 },
    async () => {
      stack.database.takeAway()
      stack.cache.takeAway()
      const end = Date.now() + 6_500
      while (Date.now() < end) await sees(other, 'first')
    },
  )

  it('a gateway that starts anew answers from Redis, and with Redis away too says 503', async () => {
    stack.database.takeAway()
    await sees(await stack.gateway(), 'first')
    stack.cache.takeAway()
    const blind = await stack.gateway()
    const { status, body, headers } = await blind.rpc('tools/list')
    expect([status, body.error.code, headers.get('retry-after')]).toEqual([503, -31503, '1'])
  })
})

describe('what Redis holds', () => {
  it('F64 an image that was altered or planted is not believed, and a good one takes its place', async () => {
    const redis = async (...command: string[]): Promise<unknown> => {
      const init = {
        method: 'POST',
        headers: { authorization: 'Bearer redis-token' },
        body: JSON.stringify(command),
      }
      return JSON.parse(await (await fetch(stack.redisUrl, init)).text()).result
    }
    await writer.register('sealed', upstream.url)
    const [row] = await stack.query('select version from registry_versions')
    const version = String(row?.['version'])
    expect(Number(version)).toBeGreaterThan(1.7e12)
    await eventually(5_000, async () => expect(await redis('GET', 'mcp:registry:version')).toBe(version))
    const key = `mcp:registry:snapshot:${version}`
    const planted = 'cGxhbnRlZCBieSBzb21lYm9keSB3aG8gY2FuIHdyaXRlIHRvIHJlZGlz'
    await redis('SET', key, planted)
    await sees(await stack.gateway(), 'first')
    await eventually(5_000, async () =>
      expect(String(await redis('GET', key)).length).toBeGreaterThan(planted.length),
    )
    stack.database.takeAway()
    await sees(await stack.gateway(), 'first')
  })
})

describe('a warm call', () => {
  it('touches neither Postgres nor Redis: once a second the version is looked at, every two what was done is written down', async () => {
    const call = () => writer.rpc('tools/call', { name: 'echo', arguments: { text: 'hi' } })
    await call()
    await stack.quiet()
    stack.database.requests = 0
    stack.cache.requests = 0
    const startedAt = performance.now()
    const upstreamBefore = upstream.calls('tools/call').length
    for (let at = 0; at < 300; at++) await call()
    const seconds = (performance.now() - startedAt) / 1_000
    expect(upstream.calls('tools/call').length - upstreamBefore).toBe(300)
    // One more for what was done before: refusals are written down apart from calls.
    expect(stack.database.requests).toBeLessThanOrEqual(Math.ceil(seconds / 2) + 1)
    expect(stack.cache.requests).toBeLessThanOrEqual(Math.ceil(seconds))
  })
})

describe('fifty services, five of them hung and five slow', () => {
  it('S52 are listed without asking any of them', { timeout: 60_000 }, async () => {
    const upstreams = await Promise.all(Array.from({ length: 50 }, () => startUpstream({ era: 'legacy' })))
    for (const [at, one] of upstreams.entries())
      expect((await writer.register(`many-${at}`, one.url)).status).toBe(201)
    for (const [at, one] of upstreams.entries()) {
      if (at < 5) one.dial.set(ROWS.F03)
      else if (at < 10) one.dial.set({ ...ROWS.F31, ms: 20_000 })
      one.requests.length = 0
    }
    const times: number[] = []
    for (let at = 0; at < 300; at++) {
      const startedAt = performance.now()
      const { body } = await writer.rpc('tools/list')
      times.push(performance.now() - startedAt)
      expect(body.result.tools.length).toBeGreaterThanOrEqual(50 * upstream.offer.tools.length)
    }
    expect(upstreams.flatMap(({ requests }) => requests)).toEqual([])
    times.sort((a, b) => a - b)
    const [p50, p99] = [times[150], times[297]].map((time) => time?.toFixed(1))
    process.stdout.write(`tools/list over 50 services: p50 ${p50} ms, p99 ${p99} ms\n`)
    await Promise.all(upstreams.map((one) => one.stop()))
  })
})
