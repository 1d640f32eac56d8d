/** Tokens that were not given for a password, and passwords that are tried out. */
import { generateKeyPair, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose'
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CALL, HEADERS } from '../support/base.ts'
import type { Answer, Gateway } from '../support/gateway.ts'
import { bearer, logIn, makeKey, makeUser, passwordOf, tokenOf } from '../support/people.ts'
import { startStack, type Stack } from '../support/stack.ts'

const SECRET = 'jwt-secret-for-tests'
const INVALID = '{"error":"invalid_token","error_description":"The access token is invalid"}'

let stack: Stack
let gateway: Gateway
let userId: string
let since: number
let fetched = 0
const elsewhere = createServer((_, response) => {
  fetched++
  response.end('{"keys":[]}')
})

beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  userId = await makeUser(gateway, 'mallory')
  const [, payload = ''] = (await tokenOf(gateway, 'mallory')).split('.')
  since = JSON.parse(Buffer.from(payload, 'base64url').toString()).since
  await new Promise<void>((listening) => elsewhere.listen(0, '127.0.0.1', listening))
})
afterAll(async () => {
  elsewhere.close()
  await stack.close()
})

const seconds = (): number => Math.floor(Date.now() / 1_000)
const claimsOf = (rest: object): JWTPayload => {
  const now = seconds()
  const own = {
    iss: 'switchyard',
    aud: 'switchyard',
    sub: userId,
    org: 'default',
    since,
    iat: now,
    exp: now + 600,
  }
  const claims = { ...own, ...rest }
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
}
const sign = (rest: object = {}, secret = SECRET, header: object = {}): Promise<string> =>
  new SignJWT(claimsOf(rest))
    .setProtectedHeader({ alg: 'HS256', ...header } as JWTHeaderParameters)
    .sign(new TextEncoder().encode(secret), { crit: { x: true } })
const ask = (credential: string): Promise<Answer> =>
  gateway.rpc('tools/list', {}, { headers: bearer(credential) })
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

it('a token as the gateway itself would sign it is good: what follows changes one thing of it', async () =>
  expect((await ask(await sign())).status).toBe(200))

it.each<[string, () => string | Promise<string>]>([
  ['S17 without an algorithm', () => `${part({ alg: 'none' })}.${part(claimsOf({}))}.`],
  ['S17 without an algorithm, with a signature', () => `${part({ alg: 'none' })}.${part(claimsOf({}))}.AAAA`],
  ['S17 of another key', () => sign({}, 'another-secret-of-the-tests')],
  ['S17 of another algorithm of the same key', () => sign({}, SECRET, { alg: 'HS512' })],
  [
    'S17 whose claims were changed',
    async () => {
      const [header, , signature] = (await sign()).split('.')
      return `${header}.${part(claimsOf({ org: 'other' }))}.${signature}`
    },
  ],
  [
    'S17 of an RSA key that it brings along',
    async () => {
      const { privateKey } = await generateKeyPair('RS256')
      const header = { alg: 'RS256', jwk: { kty: 'RSA' } }
      return await new SignJWT(claimsOf({})).setProtectedHeader(header as never).sign(privateKey)
    },
  ],
  [
    'S13 that names where its keys are',
    () => {
      const { port } = elsewhere.address() as { port: number }
      const url = `http://127.0.0.1:${port}/keys`
      return sign({}, 'another-secret-of-the-tests', { jku: url, x5u: url, kid: url })
    },
  ],
  [
    'S13 that brings its key along',
    () => {
      const k = Buffer.from('another-secret-of-the-tests').toString('base64url')
      return sign({}, 'another-secret-of-the-tests', { jwk: { kty: 'oct', k, alg: 'HS256' } })
    },
  ],
  ['with a critical header that nobody knows', () => sign({}, SECRET, { crit: ['x'], x: 1 })],
  ['of another issuer', () => sign({ iss: 'https://idp.example' })],
  ['for another audience', () => sign({ aud: 'another' })],
  ['that has expired', () => sign({ exp: seconds() - 1 })],
  ['that never expires', () => sign({ exp: undefined })],
  ['that counts later', () => sign({ nbf: seconds() + 60 })],
  ['of nobody', () => sign({ sub: undefined })],
  ['of an unknown user', () => sign({ sub: crypto.randomUUID() })],
  ['of a user of another organisation', () => sign({ org: 'other' })],
  ['that was issued before its user was', () => sign({ since: since - 1 })],
])('a token %s is refused, and nothing is fetched', async (_, forge) => {
  const { status, text } = await ask(await forge())
  expect([status, text]).toEqual([401, INVALID])
  expect(fetched).toBe(0)
})

it('S18 MCP_AUTH=open refuses keys and tokens that are wrong, and admits the right ones', async () => {
  const open = await stack.gateway({ MCP_AUTH: 'open' })
  const { id, key } = await makeKey(open)
  const statusWith = async (headers: Record<string, string>): Promise<number> => {
    const { authorization: _, ...rest } = HEADERS
    const init = { method: 'POST', headers: { ...rest, ...headers }, body: JSON.stringify(CALL) }
    return (await open.fetch('/mcp', init)).status
  }
  expect(await statusWith({})).toBe(200)
  for (const right of [key, await sign()]) expect(await statusWith(bearer(right))).toBe(200)
  await open.manage('DELETE', `/api/v1/keys/${id}`)
  const forged = await sign({}, 'another-secret-of-the-tests')
  for (const wrong of [
    key,
    `sy_${'A'.repeat(43)}`,
    forged,
    `${part({ alg: 'none' })}.${part(claimsOf({}))}.`,
  ]) {
    expect(await statusWith(bearer(wrong))).toBe(401)
    expect(await statusWith({ 'x-api-key': wrong })).toBe(401)
  }
})

describe('passwords', () => {
  it('are tried ten times, then slowly, whether there is such a user or not', async () => {
    const fresh = await stack.gateway()
    await makeUser(fresh, 'victim')
    for (const username of ['victim', 'nobody']) {
      for (let tried = 0; tried < 10; tried++) {
        const spelled = tried % 2 === 0 ? username : username.toUpperCase()
        expect((await logIn(fresh, { username: spelled, password: `guess ${tried}` })).status).toBe(401)
      }
      const refused = await logIn(fresh, { username, password: passwordOf(username) })
      expect([refused.status, refused.body.code]).toEqual([429, 'too_many_logins'])
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    }
  })

  it('a login needs both fields and takes no other', async () => {
    for (const body of [{}, { username: 'mallory' }, { username: 'a', password: 'b', role: 'admin' }]) {
      const { status, body: problem } = await logIn(gateway, body)
      expect([status, problem.code]).toEqual([400, 'invalid_body'])
    }
  })
})
