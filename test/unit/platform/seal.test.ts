import { describe, expect, it } from 'vitest'
import { Secret } from '../../../src/platform/secret.ts'
import { CredentialStore } from '../../../src/storage/credential.ts'
import { Sealer } from '../../../src/platform/seal.ts'
import { serviceOf } from '../../support/image.ts'

const KEY = new Uint8Array(32).fill(7)
const plain = new TextEncoder().encode('the text ü')

describe('sealing', () => {
  it('opens what it sealed, and looks different every time', async () => {
    const sealer = new Sealer(KEY, 'image')
    const sealed = await sealer.seal(plain, 'a')
    expect(await sealer.open(sealed, 'a')).toEqual(plain)
    expect(await sealer.seal(plain, 'a')).not.toBe(sealed)
    expect(atob(sealed)).not.toContain('the text')
  })

  it('opens nothing of another context, purpose or key, and nothing that was altered', async () => {
    const sealer = new Sealer(KEY, 'image')
    const sealed = await sealer.seal(plain, 'a')
    expect(await sealer.open(sealed, 'b')).toBeUndefined()
    expect(await new Sealer(KEY, 'credential').open(sealed, 'a')).toBeUndefined()
    expect(await new Sealer(new Uint8Array(32), 'image').open(sealed, 'a')).toBeUndefined()
    const altered = sealed.slice(0, 20) + (sealed[20] === 'A' ? 'B' : 'A') + sealed.slice(21)
    for (const odd of [altered, sealed.slice(0, -8), '', 'no base64!', 'AAAA'])
      expect(await sealer.open(odd, 'a')).toBeUndefined()
  })
})

describe('a key that was replaced', () => {
  const OTHER = new Uint8Array(32).fill(9)
  const [before, between, after] = [
    new Sealer(KEY, 'image'),
    new Sealer([OTHER, new Uint8Array(32), KEY], 'image'),
    new Sealer(OTHER, 'image'),
  ]

  it('still opens what it sealed, and seals nothing more', async () => {
    const old = await before.seal(plain, 'a')
    expect(await between.open(old, 'a')).toEqual(plain)
    expect(await between.open(old, 'b')).toBeUndefined()
    const sealed = await between.seal(plain, 'a')
    expect(await after.open(sealed, 'a')).toEqual(plain)
    expect(await before.open(sealed, 'a')).toBeUndefined()
    expect([await between.isPresent(old, 'a'), await between.isPresent(sealed, 'a')]).toEqual([false, true])
  })
})

describe('upstream credentials', () => {
  const sealer = new Sealer(KEY, 'credential')
  const auth = { type: 'bearer', token: new Secret('hunter2') } as const

  it('S31 open for their own service in their own organisation only', async () => {
    const store = new CredentialStore(sealer, 'org')
    const sealedAuth = await store.seal(auth, 'id-a')
    expect(await store.open(serviceOf('a', [], { sealedAuth }))).toEqual(auth)
    expect(await new CredentialStore(sealer, 'org').open(serviceOf('b', [], { sealedAuth }))).toBeUndefined()
    expect(
      await new CredentialStore(sealer, 'other').open(serviceOf('a', [], { sealedAuth })),
    ).toBeUndefined()
  })

  it('S58 cannot be printed', () => {
    const printed = [
      String(auth.token),
      JSON.stringify(auth),
      `${auth.token}`,
      JSON.stringify(Object.entries(auth)),
    ]
    expect(printed.join()).not.toContain('hunter2')
  })
})
