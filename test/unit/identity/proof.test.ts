/** What is remembered of a credential, and for how long that may be believed. */
import { beforeEach, describe, expect, it } from 'vitest'
import { Directory } from '../../../src/identity/directory.ts'
import { Identity } from '../../../src/identity/identify.ts'
import { DEFAULT_ORGANISATION, type Principal } from '../../../src/identity/principal.ts'
import type { Proof } from '../../../src/identity/proof.ts'
import { ok } from '../../../src/platform/result.ts'
import { Secret } from '../../../src/platform/secret.ts'

const ORGANISATION = { id: DEFAULT_ORGANISATION, name: 'Default', isSuspended: false }
const PRINCIPAL: Principal = {
  organisationId: DEFAULT_ORGANISATION,
  subject: 'issuer:auth.example|ada',
  role: 'user',
  agentType: undefined,
  scopes: ['mcp:read'],
  manages: 'own',
}
const HEADERS = new Headers({ authorization: 'Bearer a.b.c' })
const background = (): void => undefined

let now: number
let verified: number
let verify: () => Proof | 'unavailable' | undefined
let identity: Identity

beforeEach(() => {
  now = 0
  verified = 0
  const directory = new Directory({ version: 1, organisations: [ORGANISATION], keys: [], users: [] })
  identity = new Identity({
    secrets: { apiKey: new Secret('key'), bearerToken: new Secret('token'), tokenManages: false },
    auth: 'required',
    verifiers: [
      async () => {
        verified++
        return verify()
      },
    ],
    noteUse: () => undefined,
    directory: { fresh: () => directory, current: async () => ok(directory) } as never,
    clock: () => now,
  })
})

const until =
  (end: number, principal = PRINCIPAL): Proof =>
  (_, nowMs) =>
    nowMs < end ? principal : undefined

describe('a credential', () => {
  it('is verified once while its proof holds, and then answered at once', async () => {
    verify = () => until(10)
    expect(await identity.authenticate(HEADERS, background)).toEqual(ok(PRINCIPAL))
    expect(identity.authenticate(HEADERS, background)).toEqual(ok(PRINCIPAL))
    expect(verified).toBe(1)
  })

  it('whose proof has lapsed is verified anew, not refused', async () => {
    verify = () => until(now + 10)
    await identity.authenticate(HEADERS, background)
    now = 10
    expect(await identity.authenticate(HEADERS, background)).toEqual(ok(PRINCIPAL))
    expect(verified).toBe(2)
  })

  it('B28 whose proof has lapsed and that proves nothing any more is invalid', async () => {
    verify = () => until(10)
    await identity.authenticate(HEADERS, background)
    now = 10
    verify = () => undefined
    expect(await identity.authenticate(HEADERS, background)).toEqual({ ok: false, error: 'invalid' })
  })

  it('that cannot be told at the moment is not called wrong', async () => {
    verify = () => 'unavailable'
    expect(await identity.authenticate(HEADERS, background)).toEqual({ ok: false, error: 'unavailable' })
  })

  it('S16 for one endpoint counts there alone, remembered or not', async () => {
    const bound = { ...PRINCIPAL, onlyAt: ['a'] }
    verify = () => until(10, bound)
    for (let turn = 0; turn < 2; turn++) {
      for (const elsewhere of [undefined, 'b'])
        expect(await identity.identify(HEADERS, background, elsewhere)).toEqual({
          ok: false,
          error: 'invalid',
        })
      expect(await identity.identify(HEADERS, background, 'a')).toEqual(ok(bound))
    }
    expect(verified).toBe(3)
  })
})
