/** Credentials that are taken back while everything is warm, on the gateway that does it and on another one. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, eventually, type Gateway } from '../support/gateway.ts'
import { openLegacySession } from '../support/legacy-session.ts'
import { modernCall } from '../support/modern-call.ts'
import { bearer, by, makeKey, makeOrganisation, makeUser, tokenOf } from '../support/people.ts'
import { startStack, type Stack } from '../support/stack.ts'

let stack: Stack
let writer: Gateway
let other: Gateway
const streams: AbortController[] = []

beforeAll(async () => {
  stack = await startStack()
  writer = await stack.gateway()
  other = await stack.gateway()
})
afterEach(() => {
  for (const stream of streams.splice(0)) stream.abort()
  stack.database.giveBack()
  stack.cache.giveBack()
})
afterAll(() => stack.close())

const ask = (gateway: Gateway, credential: string): Promise<Answer> =>
  gateway.rpc('tools/list', {}, { headers: bearer(credential) })
const statusOf = async (answer: Promise<Answer>): Promise<number> => (await answer).status

/** What a credential is taken back by; gives the credential, and how. */
const WAYS = {
  'a revoked key': async () => {
    const { id, key } = await makeKey(writer)
    return { credential: key, takeBack: () => writer.manage('DELETE', `/api/v1/keys/${id}`) }
  },
  'the token of a deleted user': async () => {
    const id = await makeUser(writer, `user-${crypto.randomUUID()}`)
    const { items } = (await writer.manage('GET', '/api/v1/users?limit=1000')).body
    const { username } = items.find((user: { id: string }) => user.id === id)
    const credential = await tokenOf(writer, username)
    return { credential, takeBack: () => writer.manage('DELETE', `/api/v1/users/${id}`) }
  },
} as const

describe.each(Object.entries(WAYS))('F57 %s', (_, prepare) => {
  it('is refused at once where that was done, and elsewhere within 2 s', async () => {
    const { credential, takeBack } = await prepare()
    for (const gateway of [writer, other])
      await eventually(5_000, async () => expect(await statusOf(ask(gateway, credential))).toBe(200))
    expect(await statusOf(takeBack())).toBe(200)
    const takenBackAt = performance.now()
    const refused = await ask(writer, credential)
    expect([refused.status, refused.text]).toEqual([
      401,
      '{"error":"invalid_token","error_description":"The access token is invalid"}',
    ])
    await eventually(5_000, async () => expect(await statusOf(ask(other, credential))).toBe(401))
    expect(performance.now() - takenBackAt).toBeLessThan(2_000)
  })

  it('ends what its caller listens to, on both gateways and in both eras', async () => {
    const { credential, takeBack } = await prepare()
    const lasting = (await makeKey(writer)).key
    const ended: string[] = []
    const opened: string[] = []
    for (const [name, gateway] of Object.entries({ writer, other })) {
      for (const [who, by] of [
        ['taken', credential],
        ['kept', lasting],
      ] as const) {
        await eventually(5_000, async () => expect(await statusOf(ask(gateway, by))).toBe(200))
        for (const era of ['legacy', 'modern'] as const) {
          const label = `${who} ${name} ${era}`
          void until(await listen(gateway, era, by), () => ended.push(label))
          opened.push(label)
        }
      }
    }
    expect(ended).toEqual([])
    await takeBack()
    const taken = opened.filter((label) => label.startsWith('taken')).sort()
    await eventually(5_000, () => expect(ended.toSorted()).toEqual(taken))
  })
})

it('F57 B35 a listener of an organisation that is suspended is let go', async () => {
  const admin = await makeOrganisation(writer, 'suspended')
  let isEnded = false
  void until(await listen(writer, 'modern', admin), () => (isEnded = true))
  expect(isEnded).toBe(false)
  await writer.manage('PUT', '/api/v1/organisations/suspended', { isSuspended: true })
  await eventually(5_000, () => expect(isEnded).toBe(true))
})

it('a write that cannot be stored takes nothing back', async () => {
  const { id, key } = await makeKey(writer)
  stack.database.takeAway()
  const refused = await writer.manage('DELETE', `/api/v1/keys/${id}`)
  expect([refused.status, refused.body.code]).toEqual([503, 'storage_unavailable'])
  expect(await statusOf(ask(writer, key))).toBe(200)
  expect(await statusOf(writer.manage('GET', '/api/v1/keys', undefined, by(key)))).toBe(200)
})

async function listen(gateway: Gateway, era: 'legacy' | 'modern', credential: string): Promise<Response> {
  const stream = new AbortController()
  streams.push(stream)
  const { signal } = stream
  if (era === 'legacy') {
    const session = await openLegacySession(gateway, { token: credential })
    const headers = { ...session.headers, accept: 'text/event-stream' }
    return await fetch(`${gateway.url}/mcp`, { headers, signal })
  }
  const call = modernCall('', {
    method: 'subscriptions/listen',
    rest: { notifications: { toolsListChanged: true } },
    token: credential,
  })
  return await fetch(`${gateway.url}/mcp`, { ...call, signal })
}

/** Reads to its end. */
async function until(response: Response, end: () => void): Promise<void> {
  expect(response.status).toBe(200)
  try {
    await response.text()
    end()
  } catch {
    // Ended by the test.
  }
}
