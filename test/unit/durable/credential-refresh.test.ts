/** What the guard of a service does with its credential, step by step, and what is left where a step is its last. */
import { describe, expect, it } from 'vitest'
import { type CredentialChange, CredentialRefresh } from '../../../src/durable/credential-refresh.ts'
import { err, ok } from '../../../src/platform/result.ts'
import { Secret } from '../../../src/platform/secret.ts'
import type { Grant } from '../../../src/upstream/grant.ts'
import type { Refreshed } from '../../../src/upstream/refresh.ts'

const SERVICE = { organisationId: 'default', id: 'id', name: 'one', url: 'https://one.example/mcp' }
const grantOf = (turn: number, part: Partial<Grant> = {}): Grant => ({
  type: 'oauth2',
  accessToken: new Secret(`at-${turn}`),
  refreshToken: new Secret(`rt-${turn}`),
  tokenUrl: 'https://as.example/token',
  clientId: 'me',
  receivedAt: 0,
  // Long ago.
  expiresAt: 1,
  setAt: 0,
  turn,
  ...part,
})
const refreshedOf = ({ turn, setAt }: Grant): Refreshed => ({
  is: 'refreshed',
  grant: grantOf(turn + 1, { setAt, expiresAt: Date.now() + 3_600_000, receivedAt: Date.now() }),
})

/** A service whose row holds `row`, and guards of it that come and go. */
function startWorld(row: Grant) {
  const sealed = new Map<string, Grant>()
  const seal = (grant: Grant): string => {
    const text = `${grant.setAt}.${grant.turn}${grant.rejection ?? ''}`
    sealed.set(text, grant)
    return text
  }
  const storage = new Map<string, unknown>()
  const world = {
    row: seal(row),
    isAway: false,
    steps: [] as string[],
    planned: 0,
    refresh: async (grant: Grant): Promise<Refreshed> => refreshedOf(grant),
    beforeStore: () => {},
  }
  const kv = {
    get: (key: string) => structuredClone(storage.get(key)),
    put: (key: string, value: unknown) => {
      world.steps.push('kept')
      storage.set(key, structuredClone(value))
    },
  } as unknown as SyncKvStorage
  const vault = {
    open: ({ sealedAuth = '' }: { readonly sealedAuth: string | undefined }) => sealed.get(sealedAuth),
    seal: async (grant: unknown) => seal(grant as Grant),
    stored: async () => (world.isAway ? err('away') : ok(world.row)),
    store: async ({ from, to }: CredentialChange) => {
      world.beforeStore()
      if (world.isAway) return err('away')
      if (world.row !== from) return ok(false)
      world.steps.push('committed')
      world.row = to
      return ok(true)
    },
  }
  const startGuard = () =>
    new CredentialRefresh(kv, {
      vaultOf: () => ({ ...vault, open: async (text) => vault.open(text) }),
      refresh: (grant) => {
        world.steps.push(`refresh ${grant.turn}`)
        return world.refresh(grant)
      },
      log: () => undefined,
      background: () => undefined,
      planCommit: () => void world.planned++,
    })
  return { world, seal, startGuard }
}
const ask = (guard: CredentialRefresh, text: string, isRefused = false) =>
  guard.answer({ service: SERVICE, sealed: text, isRefused })

describe('a refresh', () => {
  it('is kept, planned, committed and only then told, once for all who ask', async () => {
    const { world, startGuard } = startWorld(grantOf(0))
    const guard = startGuard()
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(guard, '0.0')))
    for (const answer of answers) expect(answer).toEqual({ is: 'held', sealed: '0.1' })
    expect(world.steps).toEqual(['refresh 0', 'kept', 'committed', 'kept'])
    expect([world.row, world.planned]).toEqual(['0.1', 1])
    expect(await ask(guard, '0.0')).toEqual({ is: 'held', sealed: '0.1' })
    expect(world.steps).toHaveLength(4)
  })

  it('that was kept and not committed is committed by the guard that comes after', async () => {
    const { world, startGuard } = startWorld(grantOf(0))
    world.isAway = true
    expect(await ask(startGuard(), '0.0')).toEqual({ is: 'held', sealed: '0.1' })
    const next = startGuard()
    expect([await next.commit(), world.row]).toEqual([false, '0.0'])
    expect(await ask(next, '0.0')).toEqual({ is: 'held', sealed: '0.1' })
    world.isAway = false
    expect([await next.commit(), world.row]).toEqual([true, '0.1'])
    expect(world.steps.filter((step) => step.startsWith('refresh'))).toEqual(['refresh 0'])
  })

  it('is never put over what an operator set meanwhile', async () => {
    const { world, seal, startGuard } = startWorld(grantOf(0))
    const guard = startGuard()
    world.isAway = true
    await ask(guard, '0.0')
    world.isAway = false
    world.row = seal(grantOf(0, { setAt: 7 }))
    expect([await guard.commit(), world.row]).toEqual([true, '7.0'])
  })

  it('is never put over what an operator sets in the very moment of the commit', async () => {
    const { world, seal, startGuard } = startWorld(grantOf(0))
    const guard = startGuard()
    world.beforeStore = () => void (world.row = seal(grantOf(0, { setAt: 7 })))
    expect(await ask(guard, '0.0')).toEqual({ is: 'held', sealed: '0.1' })
    expect([await guard.commit(), world.row]).toEqual([true, '7.0'])
  })

  it('spends what is committed where that is newer than what the asker holds', async () => {
    const { world, startGuard } = startWorld(grantOf(3))
    expect(await ask(startGuard(), world.row)).toEqual({ is: 'held', sealed: '0.4' })
    const other = startWorld(grantOf(3))
    other.seal(grantOf(1))
    expect(await ask(other.startGuard(), '0.1')).toEqual({ is: 'held', sealed: '0.4' })
    expect(other.world.steps[0]).toBe('refresh 3')
  })

  it('is not asked for again where it was rejected', async () => {
    const { world, startGuard } = startWorld(grantOf(0))
    world.refresh = async () => ({ is: 'rejected', rejection: 'invalid_grant' })
    const guard = startGuard()
    expect(await ask(guard, '0.0')).toEqual({ is: 'held', sealed: '0.1invalid_grant' })
    for (const each of [guard, startGuard()])
      for (const text of ['0.0', '0.1invalid_grant'])
        expect(await ask(each, text, true)).toEqual({ is: 'held', sealed: '0.1invalid_grant' })
    expect(world.row).toBe('0.1invalid_grant')
    expect(world.steps.filter((step) => step.startsWith('refresh'))).toHaveLength(1)
  })

  it('is not made for one that is young and refused all the same', async () => {
    const { world, seal, startGuard } = startWorld(grantOf(0))
    const good = { expiresAt: Date.now() + 3_600_000 }
    for (const [turn, ageMs, refreshes] of [
      [2, 29_000, 0],
      [3, 31_000, 1],
    ] as const) {
      world.steps.length = 0
      world.row = seal(grantOf(turn, { ...good, receivedAt: Date.now() - ageMs }))
      await ask(startGuard(), world.row, true)
      expect(world.steps.filter((step) => step.startsWith('refresh'))).toHaveLength(refreshes)
    }
  })
})
