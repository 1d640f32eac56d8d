/** OAuth credentials that come with a registration or from the environment, the access token good or not. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { eventually, type Gateway } from '../support/gateway.ts'
import { expectEcho, openSignIn, type SignIn } from '../support/sign-in.ts'

let yard: SignIn
beforeAll(async () => {
  yard = await openSignIn()
})
afterAll(() => yard.close())
beforeEach(() => yard.reset())

describe('a registration whose access token has ended', () => {
  it('is stored first, refreshed, and read', async () => {
    const auth = yard.authorization.signIn()
    yard.authorization.endAccess()
    const { status, body } = await yard.gateway.register('late', yard.upstream.url, { auth })
    expect([status, body.status, body.tools.length]).toEqual([201, 'connected', 8])
    expectEcho(await yard.call('late'))
    expect(yard.authorization.refreshes).toBe(1)
  })

  it('is stored with the reason where its refresh token is good no more', async () => {
    const auth = yard.authorization.signIn()
    yard.authorization.revokeAll()
    const { status, body } = await yard.gateway.register('too-late', yard.upstream.url, { auth })
    expect([status, body.status]).toEqual([201, 'error'])
    expect(body.statusReason).toContain('invalid_grant')
  })
})

describe('a credential of the environment', () => {
  const configured = (name: string, rest: Record<string, string>): Promise<Gateway> => {
    const prefix = `MCP_SERVICE_${name.toUpperCase().replaceAll('-', '_')}_`
    const own = Object.entries({ AUTH_TYPE: 'oauth2', ...rest }).map(([key, value]) => [prefix + key, value])
    return yard.stack.gateway({ MCP_SERVICES: `${name}=${yard.upstream.url}`, ...Object.fromEntries(own) })
  }

  it('is refreshed like any other', async () => {
    const { accessToken, refreshToken, tokenUrl, clientId } = yard.authorization.signIn()
    yard.authorization.endAccess()
    const variables = {
      ACCESS_TOKEN: accessToken,
      REFRESH_TOKEN: refreshToken,
      TOKEN_URL: tokenUrl,
      CLIENT_ID: clientId,
    }
    const other = await configured('from-env', variables)
    await eventually(10_000, async () => expect((await yard.show('from-env')).status).toBe('connected'))
    expect((await other.toolNames('/mcp/from-env')).length).toBe(8)
    expect(yard.authorization.refreshes).toBe(1)
    // Another start finds the same variables, whose tokens are spent by now.
    const again = await configured('from-env', variables)
    await again.fetch('/health')
    await yard.stack.quiet()
    expectEcho(await yard.call('from-env'))
    expect([(await yard.show('from-env')).status, yard.authorization.refreshes]).toEqual(['connected', 1])
  })

  it('is sent as it is where no token endpoint is named', async () => {
    const { accessToken, refreshToken } = yard.authorization.signIn()
    await configured('as-documented', { ACCESS_TOKEN: accessToken, REFRESH_TOKEN: refreshToken })
    await eventually(10_000, async () => expect((await yard.show('as-documented')).status).toBe('connected'))
  })
})
