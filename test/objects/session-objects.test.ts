/** Isolates that share the objects of legacy sessions: what they make, find and end of them. */
import { listDurableObjectIds } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { SessionObjects } from '../../src/durable/objects.ts'
import { openReach } from '../../src/durable/reach.ts'
import { SessionRegisterObject } from '../../src/durable/session-register.ts'
import type { Session } from '../../src/identity/session.ts'
import { err, ok } from '../../src/platform/result.ts'

const DIALECT = { era: 'legacy', protocolVersion: '2025-11-25', sessionId: 'its-session' } as const

afterEach(() => vi.restoreAllMocks())

const objectsOfSessions = async (): Promise<string[]> =>
  (await listDurableObjectIds(env.CLIENT_SESSION)).map(String)

const newIsolate = (): SessionObjects =>
  new SessionObjects(
    env,
    openReach(() => undefined),
    Date.now,
  )

const newSession = (): Session => ({
  name: crypto.randomUUID(),
  protocolVersion: '2025-11-25',
  capabilities: '{}',
  beganAt: Date.now(),
})

describe('an isolate', () => {
  it.each<[string, (isolate: SessionObjects, session: Session) => Promise<unknown>]>([
    ['looks it up', async (isolate, session) => isolate.state(session, () => undefined)],
    [
      'takes back a subscription',
      (isolate, session) => isolate.unsubscribe(session, 'a-service', 'test://one'),
    ],
    ['loses its upstream session', (isolate, session) => isolate.homeOf(session, 'a-service').lose(DIALECT)],
    ['finds no upstream session', (isolate, session) => isolate.homeOf(session, 'a-service').find()],
    ['ends it', (isolate, session) => isolate.end(session)],
  ])('that has not seen a session and %s needs no object for that', async (_, act) => {
    const before = await objectsOfSessions()
    await act(newIsolate(), newSession())
    expect(await objectsOfSessions()).toEqual(before)
  })

  it('asks a register nothing more of a session that has an object', async () => {
    const isolate = newIsolate()
    const session = newSession()
    const { prototype } = SessionRegisterObject
    const asked = [vi.spyOn(prototype, 'look'), vi.spyOn(prototype, 'keep'), vi.spyOn(prototype, 'end')]
    const home = isolate.homeOf(session, 'a-service')
    expect(await home.find()).toBeUndefined()
    const before = asked.map(({ mock }) => mock.calls.length)
    expect(await home.keep(DIALECT)).toEqual(DIALECT)
    expect(await home.find()).toEqual(DIALECT)
    await isolate.setLogLevel(session, 'error')
    expect(await isolate.end(session)).toEqual(ok({ 'a-service': DIALECT }))
    expect(asked.map(({ mock }) => mock.calls.length)).toEqual(before)
  })

  it('ends a session that it has never seen with all that others gave it', async () => {
    const [one, other] = [newIsolate(), newIsolate()]
    const session = newSession()
    one.begin(session)
    await one.homeOf(session, 'a-service').keep(DIALECT)
    expect(await other.state(session, () => undefined)).toMatchObject({ upstreams: { 'a-service': DIALECT } })
    expect(await other.end(session)).toEqual(ok({ 'a-service': DIALECT }))
    for (const isolate of [one, other, newIsolate()]) {
      expect(await isolate.homeOf(session, 'a-service').find()).toBeUndefined()
      expect(await isolate.state(session, () => undefined)).toMatchObject({ isEnded: true, upstreams: {} })
    }
  })

  it.each<[string, (isolate: SessionObjects, session: Session) => Promise<unknown>]>([
    ['sets a level', (isolate, session) => isolate.setLogLevel(session, 'error')],
    ['subscribes', (isolate, session) => isolate.subscribe(session, 'a-service', 'test://one')],
    ['waits for an answer', (isolate, session) => isolate.collect(session, 'question', ['key'], 5_000)],
    ['has an answer', (isolate, session) => isolate.answer(session, 'question', 'key', '{}')],
  ])('that %s where the session has ended elsewhere is told, and makes no object', async (_, act) => {
    const [one, other] = [newIsolate(), newIsolate()]
    const session = newSession()
    one.begin(session)
    const before = await objectsOfSessions()
    await other.end(session)
    expect(await act(one, session)).toEqual(err({ why: 'unknown_session' }))
    expect(await one.state(session, () => undefined)).toMatchObject({ isEnded: true })
    expect(await objectsOfSessions()).toEqual(before)
  })

  it.each(['before', 'after'])(
    'that opens an upstream session while the session ends elsewhere keeps none: %s it found none',
    async (when) => {
      const [one, other] = [newIsolate(), newIsolate()]
      const session = newSession()
      one.begin(session)
      const home = one.homeOf(session, 'a-service')
      if (when === 'before') await other.end(session)
      expect(await home.find()).toBeUndefined()
      if (when === 'after') expect(await other.end(session)).toEqual(ok({}))
      expect(await home.keep(DIALECT)).toBeUndefined()
      expect(await newIsolate().state(session, () => undefined)).toMatchObject({
        isEnded: true,
        upstreams: {},
      })
    },
  )

  it('whose register is lost has an upstream session for itself, and makes no object', async () => {
    const before = await objectsOfSessions()
    const isolate = newIsolate()
    const session = newSession()
    vi.spyOn(SessionRegisterObject.prototype, 'keep').mockRejectedValue(new Error('lost'))
    vi.spyOn(SessionRegisterObject.prototype, 'look').mockImplementation(() => {
      throw new Error('lost')
    })
    const home = isolate.homeOf(session, 'a-service')
    expect(await home.find()).toBeUndefined()
    expect(await home.keep(DIALECT)).toEqual(DIALECT)
    expect(await home.find()).toEqual(DIALECT)
    expect(await newIsolate().state(session, () => undefined)).toMatchObject({
      isEnded: false,
      upstreams: {},
    })
    expect(await objectsOfSessions()).toEqual(before)
  })
})
