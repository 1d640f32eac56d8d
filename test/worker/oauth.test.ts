/** Upstreams that are reached with an OAuth credential, which is refreshed (document 002, "OAuth2"). */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../support/gateway.ts'
import type { Seen } from '../support/message.ts'
import { expectEcho, openSignIn, type SignIn } from '../support/sign-in.ts'

let yard: SignIn
beforeAll(async () => {
  yard = await openSignIn()
})
afterAll(() => yard.close())
beforeEach(() => yard.reset())

const tokenOf = ({ headers }: Seen): string | undefined => headers.authorization
const audit = (name: string) =>
  yard.stack.query(
    `select action, outcome, detail, actor from audit_log where target = '${name}' order by created_at`,
  )

/** What other isolates look at. */
async function published(): Promise<number> {
  const headers = { authorization: 'Bearer redis-token' }
  const response = await fetch(`${yard.stack.redisUrl}/get/mcp:registry:version`, { headers })
  return Number(JSON.parse(await response.text()).result)
}

describe('an access token', () => {
  it('that was refreshed is shown to all other isolates at once', async () => {
    const name = await yard.register(-1_000)
    await yard.stack.quiet()
    const before = await published()
    expectEcho(await yard.call(name))
    await eventually(2_000, async () => expect(await published()).toBeGreaterThan(before))
  })

  it('that is good is sent as it is, and nobody is asked for another', async () => {
    const name = await yard.register(3_600_000)
    for (let at = 0; at < 3; at++) expectEcho(await yard.call(name))
    expect(yard.authorization.asked).toEqual([])
  })

  it('that has ended is refreshed once for fifty calls at once', async () => {
    const name = await yard.register(-1_000)
    yard.authorization.endAccess()
    const answers = await Promise.all(Array.from({ length: 50 }, () => yard.call(name)))
    for (const answer of answers) expectEcho(answer)
    expect(yard.authorization.refreshes).toBe(1)
    expect(yard.authorization.asked).toHaveLength(1)
    expect(await yard.show(name)).toMatchObject({ status: 'connected' })
    expect(await audit(name)).toContainEqual(
      expect.objectContaining({ action: 'credential.refresh', outcome: 'done', actor: 'gateway' }),
    )
  })

  it('that ends soon is refreshed while calls go on with it', async () => {
    const name = await yard.register(30_000)
    yard.authorization.fault = { is: 'delay', ms: 500 }
    const before = yard.upstream.calls('tools/call').length
    expectEcho(await yard.call(name))
    expectEcho(await yard.call(name))
    const [first, second] = yard.upstream.calls('tools/call').slice(before).map(tokenOf)
    await eventually(3_000, async () => {
      expectEcho(await yard.call(name))
      expect(yard.upstream.calls('tools/call').map(tokenOf).at(-1)).not.toBe(first)
    })
    expect(second).toBe(first)
    expect(yard.authorization.asked).toHaveLength(1)
  })

  it('F10 that its upstream refuses before its time is refreshed, and the call sent once more', async () => {
    const name = await yard.register()
    yard.authorization.endAccess()
    const before = yard.upstream.calls('tools/call').length
    expectEcho(await yard.call(name))
    expect(yard.authorization.refreshes).toBe(1)
    expect(yard.upstream.calls('tools/call').length - before).toBe(2)
  })

  it('F11 that is new and refused all the same is not replaced again and again', async () => {
    const name = await yard.register()
    const end = yard.upstream.dial.set({ is: 'respond', status: 401, for: 'tools/call' })
    const before = yard.upstream.calls('tools/call').length
    for (let at = 0; at < 3; at++) expect((await yard.call(name)).body.error.code).toBe(-31511)
    end()
    expect(yard.authorization.refreshes).toBe(1)
    expect(yard.upstream.calls('tools/call').length - before).toBe(6)
  })

  it('is refreshed with the token that the last refresh brought', async () => {
    const name = await yard.register(-1_000)
    yard.authorization.expiresIn = 0.2
    for (let turn = 1; turn <= 3; turn++) {
      await eventually(3_000, async () => {
        expectEcho(await yard.call(name))
        expect(yard.authorization.refreshes).toBe(turn)
      })
    }
    expect(new Set(yard.authorization.asked.map(({ form }) => form.get('refresh_token'))).size).toBe(3)
  })
})

describe('what the token endpoint is asked', () => {
  it('is the grant of RFC 6749 for the upstream, by a client without a secret', async () => {
    const name = await yard.register(-1_000)
    await yard.call(name)
    const [asked] = yard.authorization.asked
    expect(Object.fromEntries(asked?.form ?? [])).toEqual({
      grant_type: 'refresh_token',
      refresh_token: expect.stringMatching(/^rt-/),
      client_id: 'the-gateway',
      resource: yard.upstream.url,
    })
    expect(asked?.headers.authorization).toBeUndefined()
  })

  it('is authenticated where the client has a secret', async () => {
    yard.authorization.clientSecret = 's3cret'
    const name = await yard.register(-1_000)
    expectEcho(await yard.call(name))
    yard.authorization.clientSecret = undefined
    expect(yard.authorization.asked[0]?.form.has('client_id')).toBe(false)
  })
})

describe('a refresh token that is rejected', () => {
  const REASON = 'Its refresh token was rejected (invalid_grant). Sign in again and set `auth` anew with PUT.'

  it('is shown with its reason, and asked for no more until an operator sets another', async () => {
    const name = await yard.register(-1_000)
    yard.authorization.revokeAll()
    const { body } = await yard.call(name)
    expect([body.error.code, body.error.data]).toEqual([-31511, { upstream: name }])
    expect(await yard.show(name)).toMatchObject({ status: 'error', statusReason: REASON })
    expect(await audit(name)).toContainEqual(
      expect.objectContaining({
        action: 'credential.refresh',
        outcome: 'rejected',
        detail: { reason: 'invalid_grant' },
      }),
    )
    for (let at = 0; at < 3; at++) expect((await yard.call(name)).body.error.code).toBe(-31511)
    expect(yard.authorization.asked).toHaveLength(1)
    expect(
      (await yard.gateway.manage('PUT', `/api/v1/servers/${name}`, { timeoutMs: 5_000 })).body,
    ).toMatchObject({
      status: 'error',
      statusReason: REASON,
    })
    const renewed = await yard.gateway.manage('PUT', `/api/v1/servers/${name}`, {
      auth: yard.authorization.signIn(),
    })
    expect(renewed.body).toMatchObject({ status: 'connected' })
    expectEcho(await yard.call(name))
    expect(yard.authorization.asked).toHaveLength(1)
  })

  it('keeps no call back whose access token is still good', async () => {
    const name = await yard.register(30_000)
    yard.authorization.fault = { is: 'respond', status: 400, body: '{"error":"invalid_grant"}' }
    expectEcho(await yard.call(name))
    await eventually(3_000, async () => expect((await yard.show(name)).statusReason).toBe(REASON))
    for (let at = 0; at < 3; at++) expectEcho(await yard.call(name))
    expect(yard.authorization.asked).toHaveLength(1)
  })
})

describe('a modern call that may wait for its caller', () => {
  it('F10 is sent once more as well', async () => {
    const name = await yard.register()
    yard.authorization.endAccess()
    const before = yard.upstream.calls('tools/call').length
    const declared = { 'io.modelcontextprotocol/clientCapabilities': { roots: {} } }
    const answer = await yard.gateway.modern(
      'tools/call',
      { name: 'echo', arguments: { text: 'x' } },
      {
        path: `/mcp/${name}`,
        meta: declared,
      },
    )
    expectEcho(answer)
    expect(yard.upstream.calls('tools/call').length - before).toBe(2)
    expect(yard.authorization.refreshes).toBe(1)
  })
})

describe('an update that brings no credential', () => {
  it('leaves the one alone that was refreshed meanwhile', async () => {
    const name = await yard.register(-1_000)
    expectEcho(await yard.call(name))
    const sealed = () => yard.stack.query(`select sealed_auth from services where name = '${name}'`)
    const before = await sealed()
    await yard.gateway.manage('PUT', `/api/v1/servers/${name}`, { timeoutMs: 5_000 })
    expect(await sealed()).toEqual(before)
  })
})
