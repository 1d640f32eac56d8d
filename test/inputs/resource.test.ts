/** What the gateway says of itself as an OAuth resource (RFC 9728), and where its challenges lead. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Answer, Gateway } from '../support/gateway.ts'
import { API_KEY } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'

const WELL_KNOWN = '/.well-known/oauth-protected-resource'
const PUBLIC_URL = 'https://mcp.example.com'
const ISSUER = 'https://auth.example.com/tenant'
const AUDIENCE = 'switchyard'

let stack: Stack
let named: Gateway
let unnamed: Gateway
let alone: Gateway
beforeAll(async () => {
  stack = await startStack()
  named = await stack.gateway({ OIDC_ISSUER: ISSUER, PUBLIC_URL })
  unnamed = await stack.gateway({ OIDC_ISSUER: ISSUER, OIDC_AUDIENCE: AUDIENCE })
  alone = await stack.gateway()
})
afterAll(() => stack.close())

const ask = (gateway: Gateway, path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  gateway.fetch(path, { method: path.startsWith('/mcp') ? 'POST' : 'GET', headers })
const challengeOf = async (gateway: Gateway, path: string, headers = {}): Promise<string | null> =>
  (await ask(gateway, path, headers)).headers.get('www-authenticate')

describe('the metadata', () => {
  it.each(['', '/mcp', '/mcp/user-service'])('of %s is public and names its resource', async (path) => {
    const { status, headers, body } = await ask(named, `${WELL_KNOWN}${path}`, {
      origin: 'https://any.example',
    })
    expect(status).toBe(200)
    expect(body).toEqual({
      resource: `${PUBLIC_URL}${path}`,
      authorization_servers: [ISSUER],
      scopes_supported: ['mcp:read', 'mcp:write', 'mcp:admin'],
      bearer_methods_supported: ['header'],
      resource_name: 'Switchyard',
    })
    expect(headers.get('access-control-allow-origin')).toBe('*')
    expect(headers.get('access-control-allow-credentials')).toBeNull()
    expect(headers.get('cache-control')).toBe('public, max-age=300')
  })

  it('may be read by a page whose client names its version', async () => {
    const { status, headers } = await named.fetch(`${WELL_KNOWN}/mcp`, { method: 'OPTIONS' })
    expect(status).toBe(204)
    expect(headers.get('access-control-allow-headers')).toBe('mcp-protocol-version')
  })

  it.each(['/other', '/mcp/user-service/more', '/mcp/UPPER', '/mcp/'])('of %s is not there', async (path) => {
    expect((await ask(named, `${WELL_KNOWN}${path}`)).status).toBe(404)
  })

  it('is not there where nobody issues tokens', async () => {
    expect((await ask(alone, WELL_KNOWN)).status).toBe(404)
    expect((await ask(alone, `${WELL_KNOWN}/mcp`)).status).toBe(404)
  })

  it('S19 is built from the address that was asked, never from what a header says of it', async () => {
    const forged = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil.example',
    }
    const { body } = await ask(unnamed, `${WELL_KNOWN}/mcp`, forged)
    expect(body.resource).toBe(`${unnamed.url}/mcp`)
    expect(await challengeOf(unnamed, '/mcp', forged)).toContain(`"${unnamed.url}${WELL_KNOWN}/mcp"`)
  })
})

describe('a challenge', () => {
  const missing = (scopes: string, place: string): string =>
    `Bearer realm="switchyard", scope="${scopes}", resource_metadata="${PUBLIC_URL}${WELL_KNOWN}${place}"`

  it('B25 leads to the metadata of what was asked for, and names no error', async () => {
    expect(await challengeOf(named, '/mcp')).toBe(missing('mcp:read mcp:write', '/mcp'))
    expect(await challengeOf(named, '/mcp?names=prefixed')).toBe(missing('mcp:read mcp:write', '/mcp'))
    expect(await challengeOf(named, '/mcp/any')).toBe(missing('mcp:read mcp:write', '/mcp/any'))
    expect(await challengeOf(named, '/api/v1/servers')).toBe(missing('mcp:read mcp:write mcp:admin', ''))
  })

  it('B25 leads nowhere where nobody issues tokens', async () => {
    const said = 'Bearer realm="switchyard", scope="mcp:read mcp:write"'
    expect(await challengeOf(alone, '/mcp')).toBe(said)
  })

  it('stands in no other answer', async () => {
    const { status, headers } = await ask(named, '/health', { 'x-api-key': API_KEY })
    expect([status, headers.get('www-authenticate')]).toEqual([200, null])
    const refused = await named.fetch('/mcp', { method: 'POST', headers: { origin: 'https://evil.example' } })
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([403, null])
  })
})
