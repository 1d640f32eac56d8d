/** Tokens of the configured issuer that do not count: all are told the same, and none costs the issuer anything. */
import { createHmac } from 'node:crypto'
import { exportJWK, generateKeyPair } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectEcho, openYard, send, type Yard } from '../support/base.ts'
import type { Answer, Gateway } from '../support/gateway.ts'
import { type Issuer, PUBLIC_URL, startIssuer } from '../support/issuer.ts'

const INVALID = '{"error":"invalid_token","error_description":"The access token is invalid"}'
const CHALLENGE =
  'Bearer realm="switchyard", error="invalid_token", error_description="The access token is invalid", ' +
  `scope="mcp:read mcp:write", resource_metadata="${PUBLIC_URL}/.well-known/oauth-protected-resource`

let yard: Yard
let issuer: Issuer
let gateway: Gateway
beforeAll(async () => {
  ;[yard, issuer] = await Promise.all([openYard(), startIssuer()])
  gateway = await yard.stack.gateway({ OIDC_ISSUER: issuer.url, PUBLIC_URL })
})
afterAll(async () => {
  await yard.close()
  await issuer.close()
})

const sendAs = (token: string, path?: string, at = gateway): Promise<Answer> =>
  send(at, { ...(path !== undefined && { path }), headers: { authorization: `Bearer ${token}` } })

function expectInvalid(answer: Answer, place = '/mcp'): void {
  expect([answer.status, answer.text]).toEqual([401, INVALID])
  expect(answer.headers.get('www-authenticate')).toBe(`${CHALLENGE}${place}"`)
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const now = (): number => Math.floor(Date.now() / 1_000)

describe('a token', () => {
  it('of the issuer, for this gateway, opens it', async () => expectEcho(await sendAs(await issuer.sign())))

  it.each<[string, () => Promise<string>]>([
    ['B28 that expired', () => issuer.sign({ exp: now() - 60 })],
    ['B29 S16 for another resource', () => issuer.sign({ aud: 'https://other.example/mcp' })],
    ['B29 S16 for a name that begins as ours does', () => issuer.sign({ aud: `${PUBLIC_URL}/mcpx` })],
    ['B29 S16 for nobody', () => issuer.sign({ aud: undefined })],
    ['B33 that does not count yet', () => issuer.sign({ nbf: now() + 300 })],
    ['B33 without an end', () => issuer.sign({ exp: undefined })],
    ['of nobody', () => issuer.sign({ sub: undefined })],
    ['of an organisation that there is not', () => issuer.sign({ organisation: 'elsewhere' })],
    ['of another issuer', () => issuer.sign({ iss: 'https://other.example' })],
    ['of the same issuer, written otherwise', () => issuer.sign({ iss: `${issuer.url}/` })],
    ['whose claims were changed', async () => (await issuer.sign()).replace(/\.[^.]+\./, `.${part({})}.`)],
    ['whose signature was cut', async () => (await issuer.sign()).slice(0, -4)],
  ])('%s is invalid', async (_, sign) => expectInvalid(await sendAs(await sign())))

  it('B30 S17 with alg none is invalid', async () => {
    const [, claims = ''] = (await issuer.sign()).split('.')
    for (const alg of ['none', 'None', 'NONE', ''])
      expectInvalid(await sendAs(`${part({ alg, kid: 'first' })}.${claims}.`))
  })

  it('B31 S17 signed with the public key as a shared secret is invalid', async () => {
    const [, claims = ''] = (await issuer.sign()).split('.')
    const signed = `${part({ alg: 'HS256', kid: 'first' })}.${claims}`
    const secret = await issuer.publicKey()
    expectInvalid(
      await sendAs(`${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`),
    )
  })

  it('S13 with a key of its own is invalid, and nothing is fetched from where it points', async () => {
    const own = await generateKeyPair('ES256', { extractable: true })
    const jwk = await exportJWK(own.publicKey)
    const before = issuer.requests.length
    const pointers = [{ jwk }, { jku: `${issuer.origin}/own` }, { x5u: `${issuer.origin}/own` }]
    for (const pointer of pointers) {
      expectInvalid(await sendAs(await issuer.sign({}, pointer, own.privateKey)))
      expectInvalid(await sendAs(await issuer.sign({}, { ...pointer, kid: undefined }, own.privateKey)))
    }
    expect(issuer.requests.slice(before)).not.toContain('/own')
  })

  it('S18 that is invalid is refused where anonymous callers are admitted', async () => {
    const open = await yard.stack.gateway({ OIDC_ISSUER: issuer.url, PUBLIC_URL, MCP_AUTH: 'open' })
    expectInvalid(await sendAs(await issuer.sign({ exp: now() - 60 }), '/mcp', open))
    expectEcho(await sendAs(await issuer.sign(), '/mcp', open))
  })
})

describe('S16 a token for one endpoint', () => {
  it('opens that one and no other, nor the management API', async () => {
    const token = await issuer.sign({ aud: `${PUBLIC_URL}/mcp/fixture`, scope: 'mcp:admin' })
    expectInvalid(await sendAs(token, '/mcp'))
    expectEcho(await sendAs(token, '/mcp/fixture'))
    expectInvalid(await sendAs(token, '/mcp'))
    expectInvalid(await sendAs(token, '/mcp/other'), '/mcp/other')
    const headers = { authorization: `Bearer ${token}` }
    expect((await gateway.fetch('/api/v1/servers', { headers })).status).toBe(401)
  })

  it('is told by the settings, whatever the caller says of the host', async () => {
    const aud = `${gateway.url}/mcp`
    expectInvalid(await sendAs(await issuer.sign({ aud })))
    const named = await yard.stack.gateway({ OIDC_ISSUER: issuer.url, PUBLIC_URL, OIDC_AUDIENCE: 'a, b' })
    expectEcho(await sendAs(await issuer.sign({ aud: ['x', 'b'] }), '/mcp', named))
    expectInvalid(await sendAs(await issuer.sign(), '/mcp', named))
    const neither = await yard.stack.gateway({ OIDC_ISSUER: issuer.url })
    expect((await sendAs(await issuer.sign({ aud: `${neither.url}/mcp` }), '/mcp', neither)).status).toBe(503)
  })
})
