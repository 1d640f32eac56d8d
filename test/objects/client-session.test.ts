import { evictDurableObject, listDurableObjectIds } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { openSession, register } from './caller.ts'

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
