/** Credentials that are missing or wrong; which of the two is all that anybody is told. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CALL, expectEcho, HEADERS, headersOf, openYard, send, type Yard } from '../support/base.ts'
import { API_KEY, TOKEN } from '../support/gateway.ts'

let yard: Yard
beforeAll(async () => {
  yard = await openYard()
})
afterAll(() => yard.close())

it.each([
  ['B24 a token in the query', `/mcp?access_token=${TOKEN}`, undefined],
  ['B25 no Authorization', '/mcp', undefined],
  ['B26 Basic', '/mcp', 'Basic YTpi'],
])('%s counts as none', async (_, path, authorization) => {
  const answer = await send(yard.gateway, { path, headers: { authorization } })
  expect(answer.status).toBe(401)
  expect(answer.body).toEqual({ error: 'unauthorized', error_description: 'Bearer token required' })
  expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer /)
  expect(answer.headers.get('www-authenticate')).not.toContain('error=')
})

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const claims = { iss: 'https://idp.example', sub: 'a', aud: 'switchyard', exp: 9_999_999_999 }
it.each([
  ['B27 an empty bearer', 'Bearer '],
  ['B27 two tokens', `Bearer ${TOKEN} ${TOKEN}`],
  ['B27 a wrong token', 'Bearer wrong'],
  ['B27 a token with one more character', `Bearer ${TOKEN}x`],
  ['B27 a token with other letter case', `Bearer ${TOKEN.toUpperCase()}`],
  ['a JWT where no issuer is set', `Bearer ${part({ alg: 'none' })}.${part(claims)}.`],
  ['B36 16 KB of it', `Bearer ${'a'.repeat(16_000)}`],
])('%s is invalid, whatever is wrong with it', async (_, authorization) => {
  const answer = await send(yard.gateway, { headers: { authorization } })
  expect(answer.status).toBe(401)
  expect(answer.text).toBe('{"error":"invalid_token","error_description":"The access token is invalid"}')
  expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"')
})

it('the API key opens the endpoint as well', async () =>
  expectEcho(await send(yard.gateway, { headers: { authorization: undefined, 'x-api-key': API_KEY } })))

it('S18 MCP_AUTH=open admits anonymous callers and still refuses a wrong credential', async () => {
  const open = await yard.stack.gateway({ MCP_AUTH: 'open' })
  const anonymous = headersOf({ headers: { authorization: undefined } })
  const post = (headers: Record<string, string>) =>
    open.fetch('/mcp', { method: 'POST', headers, body: JSON.stringify(CALL) })
  expectEcho(await post(anonymous))
  expect((await post({ ...HEADERS, authorization: 'Bearer wrong' })).status).toBe(401)
  expect((await open.fetch('/api/v1/servers', { headers: anonymous })).status).toBe(401)
})
