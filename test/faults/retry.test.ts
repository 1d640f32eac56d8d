/** Calls that are tried again: which, how often, and after which pause (document 002, "Retry Logic"). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Fault, ROWS } from '../support/dial.ts'
import type { Gateway } from '../support/gateway.ts'
import { STAYS_CLOSED } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const tool = (name: string, annotations: object) =>
  JSON.stringify({ name, inputSchema: { type: 'object' }, annotations })
const DELAY_MS = 60

let stack: Stack
let gateway: Gateway
let upstream: Upstream
beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  upstream = await startUpstream({
    era: 'legacy',
    resources: [{ uri: 'test://one', name: 'one' }],
    prompts: [{ name: 'greet' }],
    tools: [tool('again', { idempotentHint: true }), tool('look', { readOnlyHint: true })],
  })
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})
afterEach(() => upstream.dial.clear())

const retry = {
  maxAttempts: 3,
  backoffStrategy: 'exponential',
  initialDelay: DELAY_MS,
  maxDelay: 2_000,
  jitter: false,
} as const
const register = (rest: object = {}) =>
  gateway.registerAnew('flaky', upstream.url, { retry, ...STAYS_CLOSED, ...rest })
beforeEach(() => register())

const send = (method: string, params: object) => gateway.rpc(method, params, { path: '/mcp/flaky' })
const read = () => send('resources/read', { uri: 'test://one' })
const call = (name = 'echo') => send('tools/call', { name, arguments: { text: 'x' } })
const fail = (fault: Fault, method: string, times?: number) =>
  upstream.dial.set({ ...fault, for: method, ...(times === undefined ? {} : { times }) })
const sent = (method: string): number => upstream.calls(method).length

/** How often it went out, and what was answered. */
async function attempts(method: string, work: () => ReturnType<typeof send>) {
  const before = sent(method)
  const { body } = await work()
  return { code: body.error?.code, sent: sent(method) - before }
}

describe('a read that fails', () => {
  it.each<[string, Fault]>([
    ['F07', ROWS.F07],
    ['F13', ROWS.F13],
    ['F14', ROWS.F14],
    ['F21', ROWS.F21],
    ['F21 before any header', { is: 'reset' }],
  ])('%s is sent again until it goes well', async (_, fault) => {
    fail(fault, 'resources/read', 2)
    expect(await attempts('resources/read', read)).toEqual({ code: undefined, sent: 3 })
  })
  it('is sent no more often than was set', async () => {
    fail(ROWS.F07, 'resources/read')
    expect(await attempts('resources/read', read)).toEqual({ code: -31502, sent: 3 })
  })
  it('is sent once where no retry is set', async () => {
    await gateway.registerAnew('flaky', upstream.url, STAYS_CLOSED)
    fail(ROWS.F07, 'resources/read', 1)
    expect(await attempts('resources/read', read)).toEqual({ code: -31502, sent: 1 })
  })
  it.each<[string, Fault, number]>([
    ['F12', ROWS.F12, -31502],
    ['F18', ROWS.F18, -31513],
    ['a 405', { is: 'respond', status: 405 }, -31502],
  ])('%s is sent once where another try would say the same', async (_, fault, code) => {
    fail(fault, 'resources/read')
    const before = sent('resources/read')
    expect((await read()).text).toContain(`"code":${code}`)
    expect(sent('resources/read') - before).toBe(1)
  })
  it('has one time for all tries', async () => {
    await register({ timeoutMs: 400, retry: { ...retry, initialDelay: 300 } })
    fail(ROWS.F07, 'resources/read')
    expect(await attempts('resources/read', read)).toEqual({ code: -31502, sent: 2 })
  })
})

describe('the pause', () => {
  const pauses = async (): Promise<number[]> => {
    const from = upstream.requests.length
    fail(ROWS.F07, 'resources/read')
    await read()
    const times = upstream.requests.slice(from).map(({ at }) => at)
    return times.slice(1).map((time, index) => time - (times[index] ?? 0))
  }
  it('doubles', async () => {
    const [first = 0, second = 0] = await pauses()
    expect(first).toBeGreaterThanOrEqual(DELAY_MS - 5)
    expect(second).toBeGreaterThanOrEqual(2 * DELAY_MS - 5)
  })
  it('grows by the same each time where it is linear, and never beyond its bound', async () => {
    await register({ retry: { ...retry, backoffStrategy: 'linear', initialDelay: 1_500, maxDelay: 100 } })
    for (const pause of await pauses()) expect(pause).toBeLessThan(1_000)
  })
  it('F09 is as long as the upstream asks', async () => {
    const from = upstream.requests.length
    upstream.dial.set({
      is: 'respond',
      status: 429,
      headers: { 'retry-after': '1' },
      for: 'tools/call',
      times: 1,
    })
    const { body } = await call()
    expect(body.result.content[0].text).toBe('x')
    const [first = 0, second = 0] = upstream.requests.slice(from).map(({ at }) => at)
    expect(second - first).toBeGreaterThanOrEqual(995)
  })
})

describe('F01 a tool call that fails', () => {
  it.each<[string, Fault, number]>([
    ['F07', ROWS.F07, -31502],
    ['F21', ROWS.F21, -31502],
    ['reset', { is: 'reset' }, -31501],
  ])('%s is not sent again: it may have had effects', async (_, fault, code) => {
    fail(fault, 'tools/call', 1)
    expect(await attempts('tools/call', call)).toEqual({ code, sent: 1 })
  })
  it.each(['again', 'look'])('S41 nor where the tool `%s` says that this does no harm', async (name) => {
    fail(ROWS.F07, 'tools/call', 1)
    expect(await attempts('tools/call', () => call(name))).toEqual({ code: -31502, sent: 1 })
  })
  it.each(['again', 'look'])('unless the service is trusted, for `%s`', async (name) => {
    await register({ trusted: true })
    fail(ROWS.F07, 'tools/call', 1)
    expect((await attempts('tools/call', () => call(name))).sent).toBe(2)
    fail(ROWS.F07, 'tools/call', 1)
    expect((await attempts('tools/call', () => call('echo'))).sent).toBe(1)
  })
  it('F10 is sent again once when its credential was refused once', async () => {
    fail(ROWS.F11, 'tools/call', 1)
    expect(await attempts('tools/call', call)).toEqual({ code: undefined, sent: 2 })
  })
  it('F11 is sent twice at most when its credential is refused', async () => {
    fail(ROWS.F11, 'tools/call')
    const { headers, body } = await call()
    expect(body.error.code).toBe(-31511)
    expect(headers.get('www-authenticate')).toBeNull()
    expect(await attempts('tools/call', call)).toEqual({ code: -31511, sent: 2 })
  })
})

it('S55 repeats are no storm: a fifth of the calls at most', async () => {
  fail(ROWS.F07, 'resources/read')
  await register({ retry: { ...retry, maxAttempts: 10, initialDelay: 1, maxDelay: 1 } })
  const before = sent('resources/read')
  for (let turn = 0; turn < 10; turn++) await Promise.all(Array.from({ length: 10 }, read))
  expect(sent('resources/read') - before).toBeLessThanOrEqual(120)
  expect(sent('resources/read') - before).toBeGreaterThan(100)
})
