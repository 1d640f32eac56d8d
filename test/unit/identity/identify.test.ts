/** Whom a credential stands for, as the directory of the moment says. */
import { describe, expect, it } from 'vitest'
import {
  Directory,
  DIRECTORY_USELESS_AFTER_MS,
  type DirectoryImage,
  type KeyRecord,
} from '../../../src/identity/directory.ts'
import { Identity } from '../../../src/identity/identify.ts'
import { hashApiKey, makeApiKey, verifyApiKey } from '../../../src/identity/key.ts'
import type { Principal } from '../../../src/identity/principal.ts'
import { FRESHNESS, Replica, type ReplicaSource } from '../../../src/platform/replica.ts'
import { err, ok } from '../../../src/platform/result.ts'
import { Secret } from '../../../src/platform/secret.ts'

const { key, prefix } = makeApiKey()
const RECORD: KeyRecord = {
  id: 'k',
  organisationId: 'acme',
  name: 'a key',
  prefix,
  hash: await hashApiKey(key),
  role: 'user',
  agentType: 'researcher',
  scopes: undefined,
  userId: undefined,
  createdAt: '2026-01-01T00:00:00.000Z',
  expiresAt: undefined,
}

const imageOf = (version: number, keys: readonly KeyRecord[], isSuspended = false): DirectoryImage => ({
  version,
  organisations: [{ id: 'acme', name: 'Acme', isSuspended }],
  keys,
  users: [],
})

/** An identity whose directory is `world.image`, or away. */
function startIdentity(image: DirectoryImage | undefined = imageOf(1, [RECORD])) {
  const world = {
    now: 1_000_000,
    image: image as DirectoryImage | undefined,
    verified: 0,
    used: [] as string[],
  }
  const source: ReplicaSource<DirectoryImage> = {
    publishedVersion: async () => world.image?.version,
    publishedImage: async () => world.image,
    committedVersion: async () => (world.image ? ok(world.image.version) : err('away')),
    committedImage: async () => (world.image ? ok(world.image) : err('away')),
    publish: async () => undefined,
  }
  const clock = (): number => world.now
  const options = {
    open: (opened: DirectoryImage) => new Directory(opened),
    uselessAfterMs: () => DIRECTORY_USELESS_AFTER_MS,
  }
  const identity = new Identity({
    secrets: { apiKey: new Secret('operator'), bearerToken: new Secret('agent'), tokenManages: false },
    auth: 'open',
    verifiers: [
      async (credential, background) => {
        world.verified++
        return await verifyApiKey(credential, background)
      },
    ],
    directory: new Replica(source, options, clock),
    noteUse: (keyId) => void world.used.push(keyId),
    clock,
  })
  const pending: Promise<unknown>[] = []
  const ask = async (credential: string | undefined, afterMs = 0) => {
    world.now += afterMs
    const headers = new Headers(credential === undefined ? {} : { authorization: `Bearer ${credential}` })
    const identified = await identity.identify(headers, (work) => void pending.push(work))
    await Promise.all(pending.splice(0))
    return identified.ok ? identified.value : identified.error
  }
  const isStanding = (principal: Principal): Promise<boolean> =>
    identity.isStanding(principal, (work) => void pending.push(work))
  return { world, ask, isStanding }
}

describe('an API key', () => {
  it('stands for itself, and is verified once', async () => {
    const { world, ask } = startIdentity()
    const principal = { organisationId: 'acme', subject: 'key:k', agentType: 'researcher', manages: 'own' }
    for (let at = 0; at < 3; at++) expect(await ask(key)).toMatchObject(principal)
    expect(world.verified).toBe(1)
  })

  it('is noted when it is used; other credentials, and wrong keys, are not', async () => {
    const { world, ask } = startIdentity()
    for (const credential of [key, 'agent', 'operator', makeApiKey().key, undefined]) await ask(credential)
    expect(world.used).toEqual(['k'])
  })

  it('S18 that is wrong is refused, also where anonymous callers are admitted', async () => {
    const { ask } = startIdentity()
    expect(await ask(undefined)).toMatchObject({ subject: 'anonymous' })
    for (const wrong of [makeApiKey().key, `${key}x`, key.slice(0, -1), 'sy_', 'x']) {
      expect(await ask(wrong)).toBe('invalid')
    }
  })

  it('F57 that was revoked is refused as soon as the directory knows', async () => {
    const { world, ask } = startIdentity()
    await ask(key)
    world.image = imageOf(2, [])
    await ask(key, FRESHNESS.lookEveryMs)
    expect(await ask(key)).toBe('invalid')
  })

  it('F57 is judged by nothing that is older than a minute', async () => {
    const { world, ask } = startIdentity()
    await ask(key)
    world.image = undefined
    expect(await ask(key, DIRECTORY_USELESS_AFTER_MS)).toMatchObject({ subject: 'key:k' })
    expect(await ask(key, 1)).toBe('unavailable')
    expect(await ask('agent')).toMatchObject({ subject: 'bearer-token' })
  })

  it('F57 that nobody could judge for a minute lets go of what its caller has open', async () => {
    const { world, ask, isStanding } = startIdentity()
    const principal = await ask(key)
    if (typeof principal === 'string') throw new Error(principal)
    world.image = undefined
    world.now += DIRECTORY_USELESS_AFTER_MS
    expect(await isStanding(principal)).toBe(true)
    world.now += 1
    expect(await isStanding(principal)).toBe(false)
  })

  it('ends when its time is over', async () => {
    const { ask } = startIdentity(imageOf(1, [{ ...RECORD, expiresAt: new Date(1_001_000).toISOString() }]))
    expect(await ask(key, 999)).toMatchObject({ subject: 'key:k' })
    expect(await ask(key, 1)).toBe('invalid')
  })

  it('B35 of a suspended organisation is told so', async () => {
    const { ask } = startIdentity(imageOf(1, [RECORD], true))
    expect(await ask(key)).toBe('suspended')
  })

  it('S25 manages the organisation where its role and its scopes say so', async () => {
    const manages = async (part: Partial<KeyRecord>): Promise<unknown> => {
      const identified = await startIdentity(imageOf(1, [{ ...RECORD, ...part }])).ask(key)
      return typeof identified === 'string' ? identified : identified.manages
    }
    expect(await manages({ role: 'admin' })).toBe('all')
    expect(await manages({ role: 'admin', scopes: ['mcp:admin'] })).toBe('all')
    expect(await manages({ role: 'admin', scopes: ['mcp:write'] })).toBe('own')
    expect(await manages({ role: 'user', scopes: ['mcp:admin'] })).toBe('own')
  })

  it('of a user that is gone stands for nobody', async () => {
    const { ask } = startIdentity(imageOf(1, [{ ...RECORD, userId: 'u' }]))
    expect(await ask(key)).toBe('invalid')
  })
})
