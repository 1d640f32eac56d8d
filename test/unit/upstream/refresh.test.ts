/** One refresh at a token endpoint over real HTTP, and what is made of its answer. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { Secret } from '../../../src/platform/secret.ts'
import type { Grant } from '../../../src/upstream/grant.ts'
import type { Finding } from '../../../src/upstream/hosts.ts'
import { refreshGrant } from '../../../src/upstream/refresh.ts'
import { type AuthorizationServer, startAuthorizationServer } from '../../support/token-endpoint.ts'

const RESOURCE = 'https://mcp.example/mcp'

let server: AuthorizationServer
beforeAll(async () => {
  server = await startAuthorizationServer()
})
afterAll(() => server.stop())
afterEach(() => {
  server.fault = undefined
  server.expiresIn = 3_600
  server.rotates = true
  server.clientSecret = undefined
  server.asked.length = 0
  vi.restoreAllMocks()
})

function grantOf(part: Partial<Grant> = {}): Grant {
  const { accessToken, refreshToken, tokenUrl, clientId } = server.signIn()
  return {
    type: 'oauth2',
    accessToken: new Secret(accessToken),
    refreshToken: new Secret(refreshToken),
    tokenUrl,
    clientId,
    receivedAt: 0,
    setAt: 5,
    turn: 7,
    ...part,
  }
}
const refresh = (grant: Grant, allowPrivate = true, finding: Finding = 'public') =>
  refreshGrant(grant, RESOURCE, {
    policy: { allowPrivate, ownHosts: [] },
    hosts: { examine: async () => finding },
    clock: () => 1_000,
  })
const answers = (status: number, body: object): void => {
  server.fault = { is: 'respond', status, body: JSON.stringify(body) }
}

describe('a refresh', () => {
  it('gives the next credential of the same grant', async () => {
    const grant = grantOf()
    const refreshed = await refresh(grant)
    if (refreshed.is !== 'refreshed') throw new Error(refreshed.is)
    const { accessToken, refreshToken, ...rest } = refreshed.grant
    expect(rest).toMatchObject({ receivedAt: 1_000, expiresAt: 3_601_000, setAt: 5, turn: 8 })
    expect(server.accepts(`Bearer ${accessToken.reveal()}`)).toBe(true)
    expect(refreshToken.reveal()).not.toBe(grant.refreshToken.reveal())
  })

  it('keeps the refresh token where the endpoint gives no other', async () => {
    const grant = grantOf()
    answers(200, { access_token: 'new', token_type: 'bearer' })
    const refreshed = await refresh(grant)
    if (refreshed.is !== 'refreshed') throw new Error(refreshed.is)
    expect(refreshed.grant.refreshToken).toBe(grant.refreshToken)
    expect(refreshed.grant.expiresAt).toBeUndefined()
  })

  it.each([
    ['60', 61_000],
    [0, undefined],
    ['soon', undefined],
    [-1, undefined],
    [null, undefined],
  ])('takes expires_in %j as it is meant', async (seconds, expiresAt) => {
    answers(200, { access_token: 'new', expires_in: seconds })
    expect(await refresh(grantOf())).toMatchObject({ is: 'refreshed', grant: { expiresAt } })
  })

  it.each([
    [400, 'invalid_grant'],
    [401, 'invalid_client'],
    [400, 'invalid_scope'],
  ])('that is answered with %i %s is rejected', async (status, error) => {
    answers(status, { error, error_description: 'canary' })
    expect(await refresh(grantOf())).toEqual({ is: 'rejected', rejection: error })
    expect(server.asked).toHaveLength(1)
  })

  it('is asked for without a resource where the endpoint takes none', async () => {
    const { fetch } = globalThis
    vi.spyOn(globalThis, 'fetch').mockImplementation((...request) => {
      server.fault = server.asked.length === 0 ? NO_RESOURCE : undefined
      return fetch(...request)
    })
    expect((await refresh(grantOf())).is).toBe('refreshed')
    expect(server.asked.map(({ form }) => form.get('resource'))).toEqual([RESOURCE, null])
  })

  it('names client and secret in a form of their own, whatever they consist of', async () => {
    await refresh(grantOf({ clientId: 'a:b ü', clientSecret: new Secret('c%d&') }))
    const basic = Buffer.from('a%3Ab+%C3%BC:c%25d%26').toString('base64')
    expect(server.asked[0]?.headers.authorization).toBe(`Basic ${basic}`)
  })

  it('S01 asks nobody where its endpoint may not be called by now', async () => {
    const refreshed = await refresh(grantOf(), false)
    expect(refreshed).toEqual({ is: 'unreachable', reason: 'its token endpoint may not be called' })
    expect(server.asked).toEqual([])
  })

  it('S08 asks nobody where the name of its endpoint leads astray by now', async () => {
    expect((await refresh(grantOf(), true, 'private')).is).toBe('unreachable')
    expect(server.asked).toEqual([])
    expect((await refresh(grantOf(), true, 'unknown')).is).toBe('refreshed')
  })

  it('is unreachable where nothing listens', async () => {
    const refreshed = await refresh(grantOf({ tokenUrl: 'http://127.0.0.1:9/token' }))
    expect(refreshed).toEqual({ is: 'unreachable', reason: 'its token endpoint did not answer' })
  })
})

const NO_RESOURCE = { is: 'respond', status: 400, body: '{"error":"invalid_target"}' } as const
