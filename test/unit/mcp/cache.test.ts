/** Hits, misses and those who wait, before upstreams that do as the test says. */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { ANONYMOUS } from '../../../src/identity/principal.ts'
import { answerCached } from '../../../src/mcp/cache.ts'
import type { Forward } from '../../../src/mcp/forward.ts'
import type { DispatchPorts } from '../../../src/mcp/prepare.ts'
import { Results } from '../../../src/mcp/results.ts'
import { ByteBudget } from '../../../src/platform/budget.ts'
import type { Kept } from '../../../src/registry/caching.ts'
import { Snapshot } from '../../../src/registry/snapshot.ts'
import { imageOf, serviceOf } from '../../support/image.ts'

const TIMEOUT_MS = 200
const snapshot = new Snapshot(imageOf(1, [serviceOf('bank', ['look'])]))
const forward: Forward = {
  serviceId: 'id-bank',
  method: 'tools/call',
  params: [['name', '"look"']],
  localName: 'look',
  caching: { ttlSeconds: 60, scope: 'shared', edition: 'e' },
  mirrors: [],
  given: undefined,
  endpoint: { is: 'service', name: 'bank' },
  principal: ANONYMOUS,
  session: undefined,
  era: 'legacy',
  capabilities: '{}',
  logLevel: undefined,
  idText: '7',
  acceptsJson: true,
  acceptsStream: true,
  context: { correlationId: 'c', trace: {}, isGiven: false },
  hops: 0,
}

let lateMs: number
let denial: string | undefined
let records: any[]
let sent: Forward[]
let stored: Map<string, Kept>
let ports: DispatchPorts

beforeEach(() => {
  lateMs = 0
  denial = undefined
  records = []
  sent = []
  stored = new Map()
  const clock = (): number => performance.now() + lateMs
  const shared = {
    find: async (key: string) => stored.get(key),
    keep: async (key: string, kept: Kept) => void stored.set(key, kept),
  }
  const budget = new ByteBudget(10_000_000)
  ports = {
    clock,
    budget,
    results: new Results({ shared, budget, clock }),
    guardedBy: () => ({ timeoutMs: TIMEOUT_MS, limits: { needsRecords: denial !== undefined } }),
    guard: {
      admit: async () => ({ why: denial, retryAfterMs: 1_000 }),
      conclude: async (_: unknown, status: string, note: { write: () => Promise<string> }) =>
        status === 'cached' && records.push(JSON.parse(await note.write())),
    },
    tickets: {},
    noteChange: () => undefined,
  } as never
})

type Send = (forward: Forward) => Promise<Response>

/** As a call does: what came of it is kept before it is answered. */
const bringing =
  (result = '{"content":[]}', answered: Promise<unknown> = Promise.resolve()): Send =>
  async (each) => {
    sent.push(each)
    await answered
    const { key, ttlSeconds } = each.keepAs ?? expect.fail()
    ports.results.keep(key, { result, keptAt: ports.clock(), ttlSeconds }, () => undefined)
    return Response.json({})
  }
const failing =
  (answered: Promise<unknown> = Promise.resolve()): Send =>
  async (each) => {
    sent.push(each)
    await answered
    return Response.json({})
  }
const never = new Promise<never>(() => undefined)

function ask(send: Send, cacheControl: string | null = null, signal = new AbortController().signal) {
  const live = { snapshot, signal, background: () => undefined }
  return answerCached(forward, cacheControl, live, ports, { send, isHere: true })
}
const mark = async (...given: Parameters<typeof ask>) => (await ask(...given)).headers.get('x-cache')

describe('a kept result', () => {
  it('is given for its time, and says how old it is', async () => {
    expect(await mark(bringing())).toBe('MISS')
    lateMs = 59_000
    const answer = await ask(bringing())
    expect([answer.headers.get('x-cache'), await answer.json()]).toEqual([
      'HIT',
      {
        jsonrpc: '2.0',
        id: 7,
        result: {
          content: [],
          _meta: { 'switchyard/cache': { status: 'hit', ageSeconds: 59, ttlSeconds: 60 } },
        },
      },
    ])
    lateMs = 60_001
    expect(await mark(bringing())).toBe('MISS')
  })

  it('of another isolate is as old as it was there', async () => {
    await ask(bringing())
    ports = { ...ports, results: new Results({ ...(ports as any), shared: sharedOf(stored) }) }
    lateMs = 30_000
    expect(await mark(bringing())).toBe('HIT')
    lateMs = 61_000
    expect(await mark(bringing())).toBe('MISS')
  })
  const sharedOf = (held: Map<string, Kept>) => ({
    find: async (key: string) => held.get(key),
    keep: async () => undefined,
  })

  it('is good enough for a caller who wants it no older', async () => {
    await ask(bringing())
    lateMs = 10_000
    expect(await mark(bringing(), 'max-age=20')).toBe('HIT')
    expect(await mark(bringing(), 'max-age=5')).toBe('MISS')
    expect(await mark(bringing(), 'max-age=5')).toBe('HIT')
  })

  it('S62 is recorded as such', async () => {
    await ask(bringing())
    await ask(bringing())
    expect(records).toMatchObject([{ outcome: 'done', usage: { status: 'success', isCached: true } }])
  })

  it('F59 is given to nobody while its record may find no room; other wants of the guard are none of it', async () => {
    await ask(bringing())
    denial = 'audit'
    const denied = await ask(bringing())
    expect([denied.status, ((await denied.json()) as any).error.code]).toEqual([503, -31503])
    for (const other of ['open', 'rate', 'throttled']) {
      denial = other
      expect(await mark(bringing())).toBe('HIT')
    }
  })

  it('F67 is refused where there is no memory to hold it', async () => {
    await ask(bringing(`{"content":[],"x":"${'x'.repeat(100_000)}"}`))
    const others = ports.budget.open()
    others.resize(10_000_000 - ports.budget.heldBytes)
    expect(((await (await ask(bringing())).json()) as any).error.code).toBe(-31503)
    others.release()
    expect(await mark(bringing())).toBe('HIT')
  })
})

describe('who waits for the same call', () => {
  /** Makes the call that the others wait for; it is under way when this resolves. */
  async function lead(send: Send, signal?: AbortSignal): Promise<{ readonly answer: Promise<Response> }> {
    const answer = ask(send, null, signal)
    await vi.waitUntil(() => sent.length > 0, { interval: 1 })
    return { answer }
  }

  it('is given what it brings', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    await lead(bringing('{"n":1}', promise))
    const others = [ask(bringing()), ask(bringing())]
    setTimeout(resolve, 20)
    const texts = await Promise.all(others.map(async (each) => await (await each).text()))
    expect(texts.every((text) => text.includes('"n":1'))).toBe(true)
    expect(sent).toHaveLength(1)
  })

  it('calls when it brings nothing, with the time that is left', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    await lead(failing(promise))
    const others = [ask(failing()), ask(failing())]
    setTimeout(resolve, 50)
    await Promise.all(others)
    expect(sent).toHaveLength(3)
    for (const { timeoutMs = Number.POSITIVE_INFINITY } of sent.slice(1)) {
      expect(timeoutMs).toBeLessThanOrEqual(TIMEOUT_MS - 40)
      expect(timeoutMs).toBeGreaterThan(0)
    }
  })

  it('calls when it throws', async () => {
    const { promise, reject } = Promise.withResolvers<never>()
    const { answer } = await lead(failing(promise))
    const other = ask(bringing())
    const broken = expect(answer).rejects.toThrow('a bug')
    setTimeout(() => reject(new Error('a bug')), 20)
    await broken
    expect((await other).headers.get('x-cache')).toBe('MISS')
  })

  it('F39 elects another when its caller goes away, and only one', async () => {
    const gone = new AbortController()
    await lead(failing(never), gone.signal)
    const { promise, resolve } = Promise.withResolvers<void>()
    const others = [1, 2, 3].map(() => ask(bringing('{"n":2}', promise)))
    setTimeout(() => gone.abort(), 10)
    setTimeout(resolve, 60)
    const marks = (await Promise.all(others)).map(({ headers }) => headers.get('x-cache'))
    expect(marks.toSorted()).toEqual(['HIT', 'HIT', 'MISS'])
    expect(sent).toHaveLength(2)
  })

  it('waits no longer than a call may take, and is told so', async () => {
    await lead(failing(never))
    const startedAt = performance.now()
    const late = await ask(bringing())
    expect(((await late.json()) as any).error.code).toBe(-31504)
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(TIMEOUT_MS - 1)
    expect(sent).toHaveLength(1)
    // What was lost without a trace holds nobody up for long.
    expect(await mark(bringing())).toBe('MISS')
  })

  it('makes no call of which nothing can come in the time that is left', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    await lead(failing(promise))
    const other = ask(bringing())
    setTimeout(resolve, TIMEOUT_MS * 0.93)
    expect(((await (await other).json()) as any).error.code).toBe(-31504)
    expect(sent).toHaveLength(1)
  })

  it('calls on its own, with all its time, when that streams for longer than a call may take', async () => {
    const streaming = new Response('', { headers: { 'content-type': 'text/event-stream' } })
    await ask(async (each) => (sent.push(each), streaming))
    expect(await mark(bringing())).toBe('MISS')
    expect(sent.map(({ timeoutMs }) => timeoutMs)).toEqual([undefined, undefined])
  })
})
