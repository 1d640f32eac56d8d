/** The keys of the issuer: how often they are asked for, and what a token may make of them. */
import { exportJWK, generateKeyPair } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectEcho, openYard, send, type Yard } from '../support/base.ts'
import type { Answer, Gateway } from '../support/gateway.ts'
import { type Issuer, PUBLIC_URL, startIssuer } from '../support/issuer.ts'

let yard: Yard
beforeAll(async () => {
  yard = await openYard()
})
afterAll(() => yard.close())

/** A gateway that has never heard of this issuer. */
async function meet(alg?: string, path?: string): Promise<{ issuer: Issuer; gateway: Gateway }> {
  const issuer = await startIssuer(alg, path)
  return { issuer, gateway: await yard.stack.gateway({ OIDC_ISSUER: issuer.url, PUBLIC_URL }) }
}

const sendAs = (gateway: Gateway, token: string): Promise<Answer> =>
  send(gateway, { headers: { authorization: `Bearer ${token}` } })

describe('keys', () => {
  it('B32 S51 a hundred unknown ones make one fetch, one after the other and at once', async () => {
    const { issuer, gateway } = await meet()
    const other = await generateKeyPair('ES256')
    const spam = (from: number): Promise<Answer[]> =>
      Promise.all(
        Array.from({ length: 50 }, async (_, at) =>
          sendAs(gateway, await issuer.sign({}, { kid: `k${from + at}` }, other.privateKey)),
        ),
      )
    const answers = [...(await spam(0)), ...(await spam(50))]
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 100 }, () => 401))
    expect(issuer.fetches()).toBe(1)
    expectEcho(await sendAs(gateway, await issuer.sign()))
    await issuer.close()
  })

  it('S51 tokens that cannot be of this issuer ask it nothing', async () => {
    const { issuer, gateway } = await meet()
    const tokens = [
      issuer.sign({ iss: 'https://other.example' }),
      issuer.sign({ aud: 'https://other.example' }),
      issuer.sign({ exp: 1 }),
    ]
    for (const token of tokens) expect((await sendAs(gateway, await token)).status).toBe(401)
    expect(issuer.requests).toEqual([])
    await issuer.close()
  })

  it('are fetched once for a token that is used again and again', async () => {
    const { issuer, gateway } = await meet('EdDSA', '/tenant')
    const token = await issuer.sign()
    for (let turn = 0; turn < 5; turn++) expectEcho(await sendAs(gateway, token))
    expect(issuer.requests).toEqual(['/.well-known/oauth-authorization-server/tenant', '/jwks'])
    await issuer.close()
  })

  it('once fetched, go on counting while the issuer is away', async () => {
    const { issuer, gateway } = await meet('RS256')
    expectEcho(await sendAs(gateway, await issuer.sign()))
    issuer.say((response) => {
      response.destroy()
      return true
    })
    expectEcho(await sendAs(gateway, await issuer.sign({ sub: 'bob' })))
    await issuer.close()
  })

  it('that were never heard of make it 503, not a wrong credential', async () => {
    const { issuer, gateway } = await meet()
    issuer.say((response) => {
      response.destroy()
      return true
    })
    const { status, headers } = await sendAs(gateway, await issuer.sign())
    expect([status, headers.get('retry-after')]).toEqual([503, '1'])
    await issuer.close()
  })

  it('S17 one without alg verifies what is of its kind only, and a shared secret verifies nothing', async () => {
    const { issuer, gateway } = await meet()
    const rsa = await generateKeyPair('RS256', { extractable: true })
    const { alg: _, ...bare } = { alg: '', ...(await exportJWK(rsa.publicKey)) }
    const secret = { kty: 'oct', kid: 'shared', k: Buffer.alloc(32, 1).toString('base64url') }
    issuer.publish([{ ...bare, kid: 'bare' }, secret])
    expectEcho(await sendAs(gateway, await issuer.sign({}, { alg: 'RS256', kid: 'bare' }, rsa.privateKey)))
    const crossed = await issuer.sign({}, { kid: 'bare' })
    expect((await sendAs(gateway, crossed)).status).toBe(401)
    const shared = await crypto.subtle.importKey(
      'raw',
      Buffer.alloc(32, 1),
      { name: 'HMAC', hash: 'SHA-256' },
      false,
      ['sign'],
    )
    const hmac = await issuer.sign({}, { alg: 'HS256', kid: 'shared' }, shared)
    expect((await sendAs(gateway, hmac)).status).toBe(401)
    await issuer.close()
  })
})

describe('an issuer', () => {
  const metadata = '/.well-known/oauth-authorization-server'

  it.each<[string, (issuer: Issuer) => object]>([
    ['that calls itself otherwise', ({ origin }) => ({ issuer: `${origin}/`, jwks_uri: `${origin}/jwks` })],
    [
      'S01 whose keys are where the address guard lets nobody',
      ({ url }) => ({ issuer: url, jwks_uri: `${url}/jwks#x` }),
    ],
  ])('%s is not believed', async (_, document) => {
    const { issuer, gateway } = await meet()
    issuer.say((response, path) => {
      if (path === metadata) response.end(JSON.stringify(document(issuer)))
      return path === metadata
    })
    expect((await sendAs(gateway, await issuer.sign())).status).toBe(503)
    expect(issuer.fetches()).toBe(0)
    await issuer.close()
  })

  it('S06 that redirects is not followed', async () => {
    const { issuer, gateway } = await meet()
    issuer.say((response, path) => {
      if (path === '/jwks') response.writeHead(302, { location: '/elsewhere' }).end()
      return path === '/jwks'
    })
    expect((await sendAs(gateway, await issuer.sign())).status).toBe(503)
    expect(issuer.requests).not.toContain('/elsewhere')
    await issuer.close()
  })

  it('S49 whose keys have no end is read to a limit', async () => {
    const { issuer, gateway } = await meet()
    issuer.say((response, path) => {
      if (path === '/jwks') response.end(`{"keys":[],"x":"${'x'.repeat(300_000)}"}`)
      return path === '/jwks'
    })
    expect((await sendAs(gateway, await issuer.sign())).status).toBe(503)
    await issuer.close()
  })
})
