import { evictDurableObject, listDurableObjectIds, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import type { ClientSessionObject } from '../../src/durable/client-session.ts'
import { openSession, register } from './caller.ts'

const DAY_MS = 86_400_000

beforeAll(() => register('early', inject('upstreams').inviting))

async function newObject(work: () => Promise<unknown>) {
  const before = await idsOfSessions()
  await work()
  const id = (await idsOfSessions()).find((each) => !before.includes(each)) ?? ''
  return env.CLIENT_SESSION.get(env.CLIENT_SESSION.idFromString(id))
}

const idsOfSessions = async (): Promise<string[]> =>
  (await listDurableObjectIds(env.CLIENT_SESSION)).map(String)

/** Reads until the text is there. The stream is let go. */
async function readUntil(response: Response, wanted: RegExp): Promise<string> {
  let text = ''
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk
    if (wanted.test(text)) break
  }
  return text
}

describe('what a legacy session is told', () => {
  it('survives an eviction: log level and sessions with upstreams', async () => {
    const session = await openSession({ elicitation: {} })
    const stub = await newObject(() => session.call('logging/setLevel', { level: 'error' }))
    await session.call('tools/list', {})
    await stub.keepUpstream('a-service', {
      era: 'legacy',
      protocolVersion: '2025-11-25',
      sessionId: 'its-session',
    })
    await stub.subscribe('a-service', 'test://one')
    await evictDurableObject(stub)
    expect(await stub.state()).toMatchObject({
      isEnded: false,
      logLevel: 'error',
      upstreams: { 'a-service': { sessionId: 'its-session' } },
      subscriptions: [{ serviceId: 'a-service', uri: 'test://one' }],
    })
  })

  it('survives an eviction: answers to what its client was asked, each given once', async () => {
    const stub = env.CLIENT_SESSION.get(env.CLIENT_SESSION.newUniqueId())
    expect(await stub.answer('question', 'name', '{"action":"accept"}')).toBe(true)
    await evictDurableObject(stub)
    expect(await stub.answer('question', 'name', '{"action":"decline"}')).toBe(false)
    expect(await stub.collect('question', ['name'], 1_000)).toEqual({ name: '{"action":"accept"}' })
  })

  it('F51 survives an eviction: events that its client has not seen', async () => {
    const session = await openSession({})
    let stream: Response | undefined
    const stub = await newObject(async () => {
      stream = await session.listen()
      await register('later', inject('upstreams').inviting)
      if (stream) await readUntil(stream, /list_changed/)
    })
    await evictDurableObject(stub)
    expect(await readUntil(await session.listen('g0'), /list_changed/)).toMatch(
      /id: g1\ndata: .*list_changed/,
    )
  })
})

it.each<[string, (stub: DurableObjectStub<ClientSessionObject>) => Promise<unknown>]>([
  ['a level', (stub) => stub.setLogLevel('error')],
  ['a subscription', (stub) => stub.subscribe('a-service', 'test://one')],
  ['an answer', (stub) => stub.answer('question', 'name', '{}')],
  ['its end', (stub) => stub.end()],
])('a session is forgotten after a day of which only %s is kept', async (_, keep) => {
  const stub = env.CLIENT_SESSION.get(env.CLIENT_SESSION.newUniqueId())
  await keep(stub)
  await expectForgotten(stub)
})

it('a session is forgotten after a day that has only listened', async () => {
  const session = await openSession({})
  const stub = await newObject(async () => void (await (await session.listen()).body?.cancel()))
  await expectForgotten(stub)
})

async function expectForgotten(stub: DurableObjectStub<ClientSessionObject>): Promise<void> {
  const alarm = await runInDurableObject(stub, (_, { storage }) => storage.getAlarm())
  expect(alarm).toBeGreaterThan(Date.now() + DAY_MS - 60_000)
  expect(alarm).toBeLessThanOrEqual(Date.now() + DAY_MS)
}
