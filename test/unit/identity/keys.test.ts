/** Keys of an issuer over time, with a clock that the test moves. */
import { exportJWK, generateKeyPair } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readAudience } from '../../../src/identity/audience.ts'
import { verifyIssued } from '../../../src/identity/issuer.ts'
import { IssuerKeys, KEYS } from '../../../src/identity/jwks.ts'
import { type Issuer, PUBLIC_URL, startIssuer } from '../../support/issuer.ts'

const MINUTE_MS = 60_000

let issuer: Issuer
let keys: IssuerKeys
let now: number
let misses: number
let work: Promise<unknown>[]
const background = (begun: Promise<unknown>): void => void work.push(begun)
const settled = (): Promise<unknown> => Promise.all(work)

beforeEach(async () => {
  issuer = await startIssuer()
  now = Date.now()
  misses = 0
  work = []
  const onMiss = (): void => void misses++
  keys = new IssuerKeys({ issuer: issuer.url, mayCall: async () => true, onMiss, clock: () => now })
})
afterEach(() => issuer.close())

const goAway = (): void =>
  issuer.say((response) => {
    response.destroy()
    return true
  })
const count = async (kid?: string): Promise<number | undefined> =>
  (await keys.find(kid, background))?.keys.length

describe('keys', () => {
  it('S51 are fetched once in 30 s, however many unknown ones are named', async () => {
    for (let turn = 0; turn < 100; turn++) expect(await count(`k${turn}`)).toBe(0)
    expect(issuer.fetches()).toBe(1)
    now += KEYS.betweenMs - 1
    await count('k')
    expect(issuer.fetches()).toBe(1)
    now += 1
    await count('k')
    expect(issuer.fetches()).toBe(2)
  })

  it('are fetched once for all who ask at once, and all get them', async () => {
    const counts = await Promise.all(Array.from({ length: 20 }, () => count('first')))
    expect(counts).toEqual(Array.from({ length: 20 }, () => 1))
    expect(issuer.fetches()).toBe(1)
  })

  it('are fetched anew before they are old, and nobody waits for that', async () => {
    await count('first')
    now += KEYS.freshMs + 1
    goAway()
    expect(await count('first')).toBe(1)
    await settled()
    expect(misses).toBe(1)
  })

  it('that are new are found when a token names one', async () => {
    await count('first')
    const { publicKey } = await generateKeyPair('ES256', { extractable: true })
    issuer.publish([{ ...(await exportJWK(publicKey)), kid: 'second' }])
    now += KEYS.betweenMs
    expect(await count('second')).toBe(1)
    expect(await count('first')).toBe(0)
  })

  it('count for a day while the issuer is away, and then no more', async () => {
    await count('first')
    goAway()
    now += KEYS.uselessMs
    expect(await count('first')).toBe(1)
    now += 1
    expect(await keys.find('first', background)).toBeUndefined()
  })

  it('are bounded in number, and shared secrets are none', async () => {
    const { publicKey } = await generateKeyPair('ES256', { extractable: true })
    const jwk = await exportJWK(publicKey)
    const secret = { kty: 'oct', k: 'AAAA' }
    issuer.publish([secret, ...Array.from({ length: 150 }, (_, at) => ({ ...jwk, kid: `k${at}` }))])
    expect(await count()).toBe(KEYS.maxCount)
    expect((await keys.find(undefined, background))?.keys.every(({ kty }) => kty === 'EC')).toBe(true)
  })

  it('that are withdrawn verify nothing 10 minutes later, even for a token that counted before', async () => {
    const verify = verifyIssued({
      issuer: issuer.url,
      keys,
      readAudience: readAudience({ issuer: issuer.url, audiences: undefined }, PUBLIC_URL),
      clock: () => now,
    })
    const start = now
    const token = await issuer.sign({ exp: Math.floor(start / 1_000) + 7_200 })
    let proof = await verify(token, background)
    issuer.publish([])
    let lastAccepted = 0
    for (; now < start + 15 * MINUTE_MS; now += 5_000) {
      if (typeof proof !== 'function' || !proof(undefined as never, now))
        proof = await verify(token, background)
      await settled()
      if (typeof proof === 'function') lastAccepted = now - start
    }
    expect(lastAccepted).toBeGreaterThan(4 * MINUTE_MS)
    expect(lastAccepted).toBeLessThanOrEqual(10 * MINUTE_MS)
  })
})
