import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import type { Admission, AdmitRequest, Limits, Report } from '../../src/guard/admission.ts'
import type { SavedGate } from '../../src/guard/gate.ts'
import { NO_NEWS, type Outcome, tallyOf } from '../../src/guard/ledger.ts'

const LIMITS: Limits = {
  failureThreshold: 3,
  recoveryMs: 60_000,
  halfOpenMaxCalls: 1,
  probeMs: 31_000,
  rate: undefined,
  slowMs: undefined,
  instances: [],
}
const LIMITED: Limits = { ...LIMITS, rate: { requestsPerMinute: 1, burstLimit: 10 } }
const FAILED: Outcome = { is: 'failed', wasUnreached: false, retryAfterMs: 0 }

const WITHIN = { timeout: 8_000, interval: 100 }

const newStub = () => env.SERVICE_GUARD.get(env.SERVICE_GUARD.newUniqueId())
type Stub = ReturnType<typeof newStub>

const requestOf = (part: Partial<AdmitRequest> = {}): AdmitRequest => ({
  isolate: 'one',
  want: 1,
  waiting: 1,
  limits: LIMITS,
  report: NO_NEWS,
  ...part,
})
const ask = async (stub: Stub, part?: Partial<AdmitRequest>): Promise<Admission> => ({
  ...(await stub.admit('a-service', requestOf(part))),
})
const tell = (stub: Stub, report: Partial<Report>) =>
  ask(stub, { want: 0, report: { ...NO_NEWS, ...report } })
const generationOf = (admission: Admission): number => (admission.is === 'go' ? admission.generation : 0)

async function open(stub: Stub): Promise<void> {
  const generation = generationOf(await ask(stub))
  for (let at = 0; at < 3; at++) await tell(stub, { tallies: [tallyOf('', generation, FAILED)] })
  expect(await ask(stub)).toMatchObject({ is: 'no', why: 'open' })
}

describe('F46 a guard that is evicted', () => {
  it('still has its circuit open, and its generation', async () => {
    const stub = newStub()
    await open(stub)
    const before = (await stub.view('a-service', LIMITS)).breaker
    await evictDurableObject(stub)
    expect(await ask(stub)).toMatchObject({ is: 'no', why: 'open' })
    expect((await stub.view('a-service', LIMITS)).breaker).toMatchObject({
      state: 'open',
      generation: before.generation,
      trips: 1,
    })
  })
  it('gives no token twice', async () => {
    const stub = newStub()
    let given = 0
    for (let turn = 0; turn < 20; turn++) {
      const admission = await ask(stub, { limits: LIMITED, want: 4 })
      given += admission.is === 'go' ? (admission.tokens ?? 0) : 0
      if (turn % 3 === 0) await evictDurableObject(stub)
    }
    expect(given).toBe(10)
  })
  it('keeps what it counted', async () => {
    const stub = newStub()
    const generation = generationOf(await ask(stub))
    await tell(stub, {
      tallies: [tallyOf('', generation, { is: 'ok', isSlow: false })],
      durations: [10, 1],
      calls: { success: 1 },
    })
    await evictDurableObject(stub)
    const { counts, latency, durations } = await stub.view('a-service', LIMITS)
    expect(counts).toMatchObject({ ok: 1, calls: { success: 1 } })
    expect(durations.count).toBe(1)
    expect(latency.p50Ms).toBeGreaterThan(0)
  })
})

it('a guard that is only looked at counts as not used, so that its instances are not probed for that', async () => {
  const stub = newStub()
  const isUsed = () =>
    runInDurableObject(stub, async (_object, { storage }) => ({
      key: storage.kv.get('key'),
      alarm: await storage.getAlarm(),
    }))
  expect(await stub.glance(LIMITS)).toMatchObject({ breaker: { state: 'closed' }, counts: { ok: 0 } })
  expect(await isUsed()).toEqual({ key: undefined, alarm: null })
  await stub.view('default/a-service', LIMITS)
  expect(await isUsed()).toEqual({ key: 'default/a-service', alarm: expect.any(Number) })
})

it('F48 an evicted guard takes no older generation for its own', async () => {
  const stub = newStub()
  const limits = { ...LIMITS, recoveryMs: 1 }
  const hear = (outcome: Outcome): Promise<Admission> =>
    ask(stub, { want: 0, limits, report: { ...NO_NEWS, tallies: [tallyOf('', generation, outcome)] } })
  const generation = generationOf(await ask(stub, { limits }))
  for (let at = 0; at < 3; at++) await hear(FAILED)
  await vi.waitFor(async () => expect(await ask(stub, { limits })).toMatchObject({ isProbe: true }), WITHIN)
  await evictDurableObject(stub)
  await hear({ is: 'ok', isSlow: false })
  expect(await ask(stub, { limits })).toMatchObject({ is: 'no', why: 'open' })
})

it('F49 a guard whose storage fails decides as before, and writes it down later', async () => {
  const stub = newStub()
  await ask(stub)
  const mend = await runInDurableObject(stub, (_object, { storage }) => {
    const { put } = storage
    storage.put = () => Promise.reject(new Error('no room'))
    return () => void (storage.put = put)
  })
  await open(stub)
  mend()
  const kept = (): Promise<SavedGate | undefined> =>
    runInDurableObject(stub, (_object, { storage }) => storage.kv.get<SavedGate>('gate'))
  await vi.waitFor(async () => expect((await kept())?.breaker.is).toBe('open'), WITHIN)
  await evictDurableObject(stub)
  expect(await ask(stub)).toMatchObject({ is: 'no', why: 'open' })
})

it('F47 calls that ask while all objects are lost are all answered', async () => {
  const stub = newStub()
  await ask(stub)
  const asking = Array.from({ length: 50 }, () => ask(newStub()).then(String, String))
  await abortAllDurableObjects()
  expect(await Promise.all(asking)).toHaveLength(50)
  expect(await ask(newStub())).toMatchObject({ is: 'go' })
})

describe('records', () => {
  const record = (id: string): string =>
    JSON.stringify({
      id,
      organisationId: 'default',
      actor: 'me',
      action: 'mcp.tools/call',
      target: 'a-service/echo',
      outcome: 'done',
      detail: { correlationId: id },
      createdAt: Date.now(),
      usage: { serviceId: id, tool: 'echo', callerType: 'user', durationMs: 1, status: 'success' },
    })
  it('that Postgres never takes keep no other back', async () => {
    const stub = newStub()
    const bad = record(crypto.randomUUID()).replace('"a-service/echo"', '"a\\u0000b"')
    await tell(stub, { records: [bad, record(crypto.randomUUID())] })
    const left = async () => (await stub.view('a-service', LIMITS)).usage.waiting
    await vi.waitFor(async () => expect(await left()).toBe(0), WITHIN)
  })
  it('F59 let no call go that must have one where there may be no room, and any other', async () => {
    const stub = newStub()
    const one = record(crypto.randomUUID())
    const must: Limits = { ...LIMITS, needsRecords: true }
    for (let at = 0; at < 5; at++) await tell(stub, { records: Array<string>(4_999).fill(one) })
    expect(await ask(stub, { limits: must })).toMatchObject({ is: 'go' })
    await tell(stub, { records: [one, one, one, one, one] })
    expect(await ask(stub, { limits: must })).toMatchObject({ is: 'no', why: 'audit' })
    expect(await ask(stub)).toMatchObject({ is: 'go' })
    for (let at = 0; at < 6; at++) await tell(stub, { records: Array<string>(5_000).fill(one) })
    const { waiting, dropped } = (await stub.view('a-service', LIMITS)).usage
    expect(waiting).toBeLessThanOrEqual(50_000)
    expect(waiting + dropped).toBe(55_000)
    await evictDurableObject(stub)
    expect((await stub.view('a-service', LIMITS)).usage.dropped).toBe(dropped)
  })
  it('wait for Postgres in the object, whatever happens to it', async () => {
    const stub = newStub()
    await tell(stub, { records: [record(crypto.randomUUID()), record(crypto.randomUUID())] })
    await evictDurableObject(stub)
    expect((await stub.view('a-service', LIMITS)).usage).toEqual({ waiting: 2, dropped: 0 })
    const left = async () => (await stub.view('a-service', LIMITS)).usage
    await vi.waitFor(async () => expect(await left()).toEqual({ waiting: 0, dropped: 0 }), WITHIN)
  })
})
