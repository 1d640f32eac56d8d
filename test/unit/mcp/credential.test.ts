import { describe, expect, it } from 'vitest'
import { type CredentialAnswer, Credentials } from '../../../src/mcp/credential.ts'
import { err, ok } from '../../../src/platform/result.ts'
import { Secret } from '../../../src/platform/secret.ts'
import type { UpstreamAuth } from '../../../src/upstream/connection.ts'
import type { Grant } from '../../../src/upstream/grant.ts'
import { serviceOf } from '../../support/image.ts'

const HOUR = 3_600_000
const AWAY = { is: 'away', reason: 'because', retryAfterMs: 1_000 } as const

/** The turn-th credential of a series, which ends an hour after `receivedAt`. */
const grantOf = (turn: number, part: Partial<Grant> = {}): Grant => ({
  type: 'oauth2',
  accessToken: new Secret(`at-${turn}`),
  refreshToken: new Secret(`rt-${turn}`),
  tokenUrl: 'https://as.example/token',
  clientId: 'me',
  receivedAt: 0,
  expiresAt: HOUR,
  setAt: 0,
  turn,
  ...part,
})

/** An isolate whose registry holds `stored`, and a guard that answers with what `next` makes. */
function startIsolate(stored: UpstreamAuth | undefined, next: () => Grant | CredentialAnswer | undefined) {
  const auths = new Map<string, UpstreamAuth>()
  const world = { now: 0, asked: 0, work: [] as Promise<unknown>[] }
  if (stored) auths.set('stored', stored)
  const credentials = new Credentials({
    open: ({ sealedAuth = '' }) => auths.get(sealedAuth) ?? Promise.resolve(undefined),
    ask: async () => {
      world.asked++
      const given = next()
      if (!given) return err('lost')
      if ('is' in given) return ok(given)
      auths.set(`turn-${given.turn}`, given)
      return ok({ is: 'held', sealed: `turn-${given.turn}` })
    },
    clock: () => world.now,
  })
  const background = (work: Promise<unknown>): void => void world.work.push(work)
  const service = serviceOf('one', [], { sealedAuth: 'stored' })
  const getNow = () => credentials.get(service, background)
  const get = async () => await getNow()
  const renew = (refused: UpstreamAuth) => credentials.renew(service, refused, background)
  return { world, get, renew, getNow }
}

describe('the credential of a call', () => {
  it('is given at once while it is good, and nobody is asked', () => {
    for (const stored of [grantOf(1), { type: 'bearer', token: new Secret('t') } as const]) {
      const { world, getNow } = startIsolate(stored, () => undefined)
      expect(getNow()).toBe(stored)
      expect([world.asked, world.work.length]).toEqual([0, 0])
    }
  })

  it('is fetched ahead of its end, once in a while, and is then the new one', async () => {
    const { world, get, getNow } = startIsolate(grantOf(1), () => grantOf(2, { expiresAt: 2 * HOUR }))
    world.now = HOUR - 1
    for (let at = 0; at < 9; at++) expect(getNow()).toMatchObject({ turn: 1 })
    await Promise.all(world.work)
    expect(await get()).toMatchObject({ turn: 2 })
    expect(world.asked).toBe(1)
  })

  it('is waited for once it has ended, and remembered', async () => {
    const { world, get } = startIsolate(grantOf(1), () => grantOf(2, { expiresAt: 2 * HOUR }))
    world.now = HOUR
    expect(await get()).toMatchObject({ turn: 2 })
    expect(await get()).toMatchObject({ turn: 2 })
    expect(world.asked).toBe(1)
  })

  it.each<[string, CredentialAnswer | undefined, string]>([
    ['its token endpoint is away', AWAY, 'because'],
    ['its guard is lost', undefined, 'its guard did not answer'],
  ])('is missing while %s, and nobody is asked for a while', async (_, answer, reason) => {
    const { world, get } = startIsolate(grantOf(1), () => answer)
    world.now = HOUR
    const refusal = { why: 'upstream_unreachable', service: 'one', reason: expect.stringContaining(reason) }
    for (let at = 0; at < 3; at++) expect(await get()).toEqual(refusal)
    expect(world.asked).toBe(1)
    world.now += 1_000
    await get()
    expect(world.asked).toBe(2)
  })

  it('is refused where it was rejected or does not open, and nobody is asked', async () => {
    const refusal = { why: 'upstream_auth', service: 'one' }
    const rejected = startIsolate(grantOf(1, { rejection: 'invalid_grant' }), () => undefined)
    rejected.world.now = HOUR
    expect([await rejected.get(), rejected.world.asked]).toEqual([refusal, 0])
    const foreign = startIsolate(undefined, () => undefined)
    expect([await foreign.get(), foreign.world.asked]).toEqual([refusal, 0])
  })
})

describe('a credential that its upstream refused', () => {
  it('is replaced', async () => {
    const { renew, get } = startIsolate(grantOf(1), () => grantOf(2))
    expect(await renew(grantOf(1))).toMatchObject({ turn: 2 })
    expect(await get()).toMatchObject({ turn: 2 })
  })

  it('is not asked for where another is here already', async () => {
    const { world, renew } = startIsolate(grantOf(2), () => grantOf(3))
    expect(await renew(grantOf(1))).toMatchObject({ turn: 2 })
    expect(world.asked).toBe(0)
  })

  it('is the end of it where it was rejected', async () => {
    const rejected = grantOf(2, { rejection: 'invalid_grant' })
    const { world, renew } = startIsolate(grantOf(1), () => rejected)
    expect(await renew(grantOf(1))).toEqual({ why: 'upstream_auth', service: 'one' })
    expect(await renew(rejected)).toEqual({ why: 'upstream_auth', service: 'one' })
    expect(world.asked).toBe(1)
  })

  it('stays the same where it is not ours to renew', async () => {
    const bearer = { type: 'bearer', token: new Secret('t') } as const
    expect(await startIsolate(bearer, () => undefined).renew(bearer)).toBe(bearer)
  })
})
