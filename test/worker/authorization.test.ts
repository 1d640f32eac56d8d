/**
 * The whole OAuth flow (2026-07-28 and 2025-11-25, "Authorization"): official clients find a real authorization server
 * from nothing but the URL of the gateway, register, and come back with a token for it.
 */
import { decodeJwt } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { findFreePort } from '../../local/port.ts'
import { SCOPES } from '../../src/identity/scope.ts'
import { type Authorization, startAuthorization } from '../support/authorization.ts'
import type { Gateway } from '../support/gateway.ts'
import { authorizeLegacy, authorizeModern, type OAuthClient } from '../support/oauth-client.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let stack: Stack
let upstream: Upstream
let authorization: Authorization
let gateway: Gateway
let url: string
let other: Gateway
let client: OAuthClient

/** A gateway that is a resource of its own, under a host name that no upstream has. */
async function openResource(): Promise<{ gateway: Gateway; url: string }> {
  const port = await findFreePort()
  const url = `http://localhost:${port}`
  const settings = { OIDC_ISSUER: authorization.issuer, PUBLIC_URL: url }
  return { gateway: await stack.gateway(settings, { port }), url }
}

beforeAll(async () => {
  ;[stack, upstream, authorization] = await Promise.all([startStack(), startUpstream(), startAuthorization()])
  ;({ gateway, url } = await openResource())
  other = (await openResource()).gateway
  expect((await gateway.register('fixture', upstream.url)).status).toBe(201)
})
afterEach(async () => {
  await client.close()
  for (const scope of SCOPES) authorization.agreed.add(scope)
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
  await authorization.close()
})

describe.each([
  ['of 2025-11-25', authorizeLegacy],
  ['of 2026-07-28', authorizeModern],
])('a client %s', (_, authorize) => {
  it('finds its way from the challenge to a call', async () => {
    client = await authorize(`${url}/mcp`)
    expect((await client.tools()).map(({ name }) => name)).toContain('echo')
    expect((await client.call('echo', { text: 'hi' })).content[0].text).toBe('hi')
    const [asked, ...more] = client.notes.asked
    expect(more).toEqual([])
    expect(asked?.get('resource')).toBe(`${url}/mcp`)
    expect(asked?.get('scope')).toBe('mcp:read mcp:write')
    expect(asked?.get('code_challenge_method')).toBe('S256')
    const { aud, iss, sub } = decodeJwt(client.notes.tokens.access_token)
    expect({ aud, iss, sub }).toEqual({ aud: `${url}/mcp`, iss: authorization.issuer, sub: 'ada' })
  })

  it('B34 asks its user for more when a call needs it', async () => {
    authorization.agreed.delete('mcp:write')
    client = await authorize(`${url}/mcp`)
    expect((await client.tools()).length).toBeGreaterThan(1)
    expect(decodeJwt(client.notes.tokens.access_token)['scope']).toBe('mcp:read')
    authorization.agreed.add('mcp:write')
    expect((await client.call('echo', { text: 'hi' })).content[0].text).toBe('hi')
    expect(client.notes.asked.map((asked) => asked.get('scope'))).toEqual([
      'mcp:read mcp:write',
      'mcp:read mcp:write',
    ])
  })

  it('gets a token for one service, which opens that one alone', async () => {
    client = await authorize(`${url}/mcp/fixture`)
    expect((await client.call('echo', { text: 'hi' })).content[0].text).toBe('hi')
    const headers = { authorization: `Bearer ${client.notes.tokens.access_token}` }
    expect((await gateway.rpc('tools/list', {}, { path: '/mcp/fixture', headers })).status).toBe(200)
    expect((await gateway.rpc('tools/list', {}, { headers })).status).toBe(401)
  })

  it('S16 gets nowhere with its token at another resource of the same authorization server', async () => {
    client = await authorize(`${url}/mcp`)
    const headers = { authorization: `Bearer ${client.notes.tokens.access_token}` }
    expect((await gateway.rpc('tools/list', {}, { headers })).status).toBe(200)
    expect((await other.rpc('tools/list', {}, { headers })).status).toBe(401)
  })
})
