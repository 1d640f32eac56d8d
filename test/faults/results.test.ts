/** The result cache when what it rests on fails: the quick store, the call that others wait for, the caller who made it. */
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Fault } from '../../local/endpoint.ts'
import { type Answer, eventually, type Gateway, STAYS_CLOSED, TOKEN } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const TIMEOUT_MS = 2_000

let stack: Stack
let first: Gateway
let second: Gateway
let upstream: Upstream

beforeAll(async () => {
  stack = await startStack()
  const gateways = await stack.gateways({}, { isolates: 2 })
  first = gateways[0] ?? expect.fail()
  second = gateways[1] ?? expect.fail()
  upstream = await startUpstream({ era: 'legacy' })
  const service = { cacheTtlSeconds: 60, timeoutMs: TIMEOUT_MS, ...STAYS_CLOSED }
  await first.register('bank', upstream.url, service)
  await eventually(10_000, async () => expect(await second.toolNames()).toContain('echo'))
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})
beforeEach(async () => {
  stack.cache.giveBack()
  await eventually(20_000, async () => {
    expect((await first.fetch('/health')).body.dependencies.cache.status ?? 'ok').toBe('ok')
  })
})

/** Waits until both know what is committed. */
async function agreed(): Promise<void> {
  const versionOf = async (gateway: Gateway) => (await gateway.fetch('/health')).body.registryVersion
  await eventually(10_000, async () => {
    await second.toolNames()
    expect(await versionOf(second)).toBe(await versionOf(first))
  })
}

let last = 0
/** Arguments that nobody had before. */
const fresh = (): { readonly text: string } => ({ text: `t${++last}` })
const calls = (): number => upstream.calls('tools/call').length
const call = (gateway: Gateway, args: object, name = 'echo'): Promise<Answer> =>
  gateway.rpc('tools/call', { name, arguments: args })
const mark = async (gateway: Gateway, args: object) => (await call(gateway, args)).headers.get('x-cache')

/** What is kept in Redis, by key. */
const keys = async (): Promise<string[]> => await redis('KEYS', 'mcp:result:*')
async function redis(...command: string[]): Promise<any> {
  const headers = { authorization: 'Bearer redis-token' }
  const response = await fetch(stack.redisUrl, { method: 'POST', headers, body: JSON.stringify(command) })
  return ((await response.json()) as { readonly result: unknown }).result
}

describe('isolates', () => {
  it('give what another one has kept, and forget it when results are thrown away', async () => {
    const args = fresh()
    const before = calls()
    expect(await mark(first, args)).toBe('MISS')
    await stack.quiet()
    const { body, headers } = await call(second, args)
    expect([headers.get('x-cache'), body.result.content[0].text]).toEqual(['HIT', args.text])
    expect(calls() - before).toBe(1)
    await first.manage('DELETE', '/api/v1/servers/bank/cache')
    await agreed()
    expect(await mark(second, args)).toBe('MISS')
    await stack.quiet()
    expect(await mark(first, args)).toBe('HIT')
    expect(calls() - before).toBe(2)
  })

  it('S58 leave no argument and no result in clear in Redis', async () => {
    const args = { text: 'a-secret-canary' }
    await call(first, args)
    await eventually(5_000, async () => expect(await keys()).not.toEqual([]))
    const values = await Promise.all((await keys()).map((key) => redis('GET', key)))
    expect(JSON.stringify([await keys(), values])).not.toContain('canary')
    const lifetimes = await Promise.all((await keys()).map((key) => redis('TTL', key)))
    for (const seconds of lifetimes) {
      expect(seconds).toBeGreaterThan(0)
      expect(seconds).toBeLessThanOrEqual(60)
    }
  })
})

describe('a value in the quick store', () => {
  /** The one that comes of a call at the first isolate. */
  async function keep(args: object): Promise<string> {
    await stack.quiet()
    const before = new Set(await keys())
    await call(first, args)
    await stack.quiet()
    return (await keys()).find((key) => !before.has(key)) ?? expect.fail()
  }

  it.each<[string, (sealed: string, another: string) => string]>([
    ['truncated', (sealed) => sealed.slice(0, -20)],
    ['that of another key', (_, another) => another],
    ['in clear', () => '7 60 {"content":[]}'],
    ['empty', () => ''],
  ])('F64 that is %s is given to nobody', async (_, change) => {
    const [args, other] = [fresh(), fresh()]
    const [key, another] = [await keep(args), await keep(other)]
    await redis('SET', key, change(await redis('GET', key), await redis('GET', another)), 'EX', '60')
    const before = calls()
    const { body, headers } = await call(second, args)
    expect([headers.get('x-cache'), body.result.content[0].text]).toEqual(['MISS', args.text])
    expect(calls() - before).toBe(1)
    expect(await mark(second, other)).toBe('HIT')
  })
})

describe('the quick store', () => {
  it.each<[string, Fault]>([
    ['F63 that is away', { destroy: true }],
    ['F60 that is slow', { delayMs: 1_500 }],
    ['F61 that answers 502', { status: 502 }],
    ['F62 whose quota is spent', { status: 429 }],
    ['that answers garbage', { status: 200, body: '{"result":"garbage"}' }],
  ])('%s is a miss, and what the isolate remembers is given all the same', async (_, fault) => {
    const args = fresh()
    await agreed()
    stack.cache.fault = fault
    const startedAt = performance.now()
    expect(await mark(second, args)).toBe('MISS')
    expect(performance.now() - startedAt).toBeLessThan(1_500)
    expect(await mark(second, args)).toBe('HIT')
  })
})

describe('calls that wait for the same one', () => {
  const together = (count: number, args: object): Promise<Answer[]> =>
    Promise.all(Array.from({ length: count }, () => call(first, args)))
  /** Makes a call over a socket of its own, which is on its way when this resolves. */
  async function lead(args: object): Promise<Socket> {
    const before = calls()
    const params = { name: 'echo', arguments: args }
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
    const { hostname, port } = new URL(first.url)
    const socket = connect(Number(port), hostname).on('error', () => undefined)
    const headers = [
      'POST /mcp HTTP/1.1',
      `host: ${hostname}`,
      `authorization: Bearer ${TOKEN}`,
      'content-type: application/json',
      'accept: application/json, text/event-stream',
      `content-length: ${body.length}`,
    ]
    socket.write(`${headers.join('\r\n')}\r\n\r\n${body}`)
    await eventually(3_000, () => expect(calls() - before).toBe(1))
    return socket
  }
  /** Long enough for callers to be waiting; where they are not yet, the outcome must be the same. */
  const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 200))

  it('F39 have their result when its caller goes away, from one more call', async () => {
    const args = fresh()
    const before = calls()
    upstream.dial.set({ is: 'silent', for: 'tools/call', times: 1 })
    const socket = await lead(args)
    const following = together(4, args)
    await settle()
    expect(calls() - before).toBe(1)
    socket.resetAndDestroy()
    const answers = await following
    expect(answers.map(({ body }) => body.result.content[0].text)).toEqual(Array(4).fill(args.text))
    expect(calls() - before).toBe(2)
  })

  it('make it themselves when the service breaks it off', async () => {
    const args = fresh()
    const before = calls()
    upstream.dial.set({ is: 'silent', for: 'tools/call', times: 1 })
    const socket = await lead(args)
    const following = together(3, args)
    await settle()
    expect(calls() - before).toBe(1)
    await upstream.restart()
    const answers = await following
    expect(answers.map(({ body }) => body.result.content[0].text)).toEqual(Array(3).fill(args.text))
    socket.destroy()
  })

  it('make it themselves when it brings an error', async () => {
    const before = calls()
    upstream.dial.set({ is: 'delay', ms: 300, for: 'tools/call', times: 1 })
    const answers = await Promise.all(Array.from({ length: 4 }, () => call(first, { text: 'no' }, 'fail')))
    expect(answers.map(({ body }) => body.result.isError)).toEqual(Array(4).fill(true))
    expect(calls() - before).toBe(4)
  })

  it('wait no longer than a call may take', async () => {
    const args = fresh()
    const clear = upstream.dial.set({ is: 'silent', for: 'tools/call' })
    const startedAt = performance.now()
    const answers = await together(3, args)
    expect(performance.now() - startedAt).toBeLessThan(TIMEOUT_MS * 1.8)
    clear()
    for (const { body } of answers) expect(body.error.code).toBe(-31504)
    expect(await mark(first, args)).toBe('MISS')
  })
})
