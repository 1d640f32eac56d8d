/** What is known of legacy sessions that have no object of their own, and who ends those that have one. */
import { listDurableObjectIds, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ClientSessionObject } from '../../src/durable/client-session.ts'
import { SessionRegisterObject } from '../../src/durable/session-register.ts'
import { openSession } from './caller.ts'

const DAY_MS = 86_400_000
const DIALECT = { era: 'legacy', protocolVersion: '2025-11-25', sessionId: 'its-session' } as const

afterEach(() => vi.restoreAllMocks())

const objectsOfSessions = async (): Promise<string[]> =>
  (await listDurableObjectIds(env.CLIENT_SESSION)).map(String)

const newRegister = () => env.SESSION_REGISTER.get(env.SESSION_REGISTER.newUniqueId())

/** The object of a session that has just one upstream session; the register knows of it. */
async function openKept() {
  const session = await openSession({})
  const before = await objectsOfSessions()
  await session.call('logging/setLevel', { level: 'error' })
  const id = (await objectsOfSessions()).find((each) => !before.includes(each)) ?? ''
  const stub = env.CLIENT_SESSION.get(env.CLIENT_SESSION.idFromString(id))
  await stub.keepUpstream('a-service', DIALECT)
  return { session, stub }
}

describe('a session', () => {
  it('that lists and ends never has an object of its own, and is not known afterwards', async () => {
    const before = await objectsOfSessions()
    const session = await openSession({})
    expect((await session.call('tools/list', {})).result.tools).toBeInstanceOf(Array)
    expect(await session.end()).toBe(204)
    expect((await session.call('tools/list', {})).error.code).toBe(-31404)
    expect(await session.end()).toBe(404)
    expect(await objectsOfSessions()).toEqual(before)
  })

  it('that has an object ends with it', async () => {
    const { session, stub } = await openKept()
    expect(await session.end()).toBe(204)
    expect(await stub.state()).toMatchObject({ isEnded: true, upstreams: {}, logLevel: undefined })
    expect(await stub.keepUpstream('a-service', DIALECT)).toBeUndefined()
    expect((await stub.state()).upstreams).toEqual({})
  })

  it('whose object is lost has not ended, and ends with all that it has when that is back', async () => {
    const { session, stub } = await openKept()
    vi.spyOn(ClientSessionObject.prototype, 'end').mockRejectedValueOnce(new Error('lost'))
    expect(await session.end()).toBe(503)
    expect((await stub.state()).upstreams).toEqual({ 'a-service': DIALECT })
    expect(await session.end()).toBe(204)
    expect(await stub.state()).toMatchObject({ isEnded: true, upstreams: {} })
  })

  it('F43 whose register is lost has not ended, and has no object made', async () => {
    const before = await objectsOfSessions()
    const session = await openSession({})
    const { prototype } = SessionRegisterObject
    vi.spyOn(prototype, 'keep').mockRejectedValueOnce(new Error('lost'))
    vi.spyOn(prototype, 'end').mockRejectedValueOnce(new Error('lost'))
    expect((await session.call('logging/setLevel', { level: 'error' })).error.code).toBe(-31503)
    expect(await session.end()).toBe(503)
    expect(await objectsOfSessions()).toEqual(before)
    expect((await session.call('logging/setLevel', { level: 'error' })).result).toEqual({})
    expect(await objectsOfSessions()).toHaveLength(before.length + 1)
    expect(await session.end()).toBe(204)
  })
})

describe('a register', () => {
  it('says of a session what came first, its own object or its end', async () => {
    const register = newRegister()
    const now = Date.now()
    expect(await register.look('one', now)).toBe('unknown')
    expect([await register.end('one', now), await register.keep('one', now)]).toEqual(['unknown', 'ended'])
    expect([await register.keep('two', now), await register.end('two', now)]).toEqual(['unknown', 'kept'])
    expect([await register.look('one', now), await register.look('two', now)]).toEqual(['ended', 'kept'])
    expect([await register.end('one', now), await register.keep('two', now)]).toEqual(['ended', 'kept'])
  })

  it('forgets sessions that are too old to be used, and is asleep when none is left', async () => {
    const register = newRegister()
    const [old, young] = [Date.now() - DAY_MS, Date.now() - DAY_MS + 7_200_000]
    await register.keep('old', old)
    await register.end('older', old - 1)
    await register.end('young', young)
    expect(await runDurableObjectAlarm(register)).toBe(true)
    expect([await register.look('old', old), await register.look('older', old - 1)]).toEqual([
      'unknown',
      'unknown',
    ])
    expect(await register.look('young', young)).toBe('ended')
    expect(await alarmOf(register)).toBe(young + DAY_MS)
    await runInDurableObject(register, (_, { storage }) => {
      storage.sql.exec('UPDATE sessions SET began_at = ?', old)
    })
    expect(await runDurableObjectAlarm(register)).toBe(true)
    expect(await alarmOf(register)).toBeNull()
  })

  it('is not woken for every session', async () => {
    const register = newRegister()
    await register.end('one', Date.now() - DAY_MS)
    await register.end('two', Date.now() - DAY_MS + 1_000)
    await runDurableObjectAlarm(register)
    expect(await alarmOf(register)).toBeGreaterThan(Date.now() + 3_500_000)
  })
})

const alarmOf = (stub: ReturnType<typeof newRegister>): Promise<number | null> =>
  runInDurableObject(stub, (_, { storage }) => storage.getAlarm())
