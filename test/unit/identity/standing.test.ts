/** Whether a caller that was admitted would still be: asked of what the directory has become (F57). */
import { expect, it } from 'vitest'
import { Directory, type KeyRecord, type UserRecord } from '../../../src/identity/directory.ts'
import type { Principal } from '../../../src/identity/principal.ts'
import { principalOfKey, principalOfUser } from '../../../src/identity/proof.ts'
import { isStanding } from '../../../src/identity/standing.ts'

const NOW = 1_000_000
const common = {
  organisationId: 'acme',
  role: 'user',
  agentType: 'a',
  createdAt: '2026-01-01T00:00:00Z',
} as const
const USER: UserRecord = { ...common, id: 'u', username: 'ada', tokensSince: 500 }
const KEY: KeyRecord = {
  ...common,
  id: 'k',
  name: 'key',
  prefix: 'sy_',
  hash: 'hash',
  scopes: undefined,
  userId: undefined,
  expiresAt: new Date(NOW + 1_000).toISOString(),
}
const BEFORE = {
  version: 1,
  organisations: [{ id: 'acme', name: 'Acme', isSuspended: false }],
  keys: [KEY, { ...KEY, id: 'of-user', hash: 'other', userId: 'u' }],
  users: [USER],
}
const directory = new Directory(BEFORE)
const byKey = (id: string): Principal => {
  const key = directory.key(id)
  const principal = key && principalOfKey(key, directory, NOW)
  if (!principal) throw new Error(`no key '${id}'`)
  return principal
}
const PRINCIPALS = {
  key: byKey('k'),
  'key of a user': byKey('of-user'),
  token: principalOfUser(USER, { tokensSince: 500, expiresAt: NOW + 1_000 }),
  'token of an issuer': { ...byKey('k'), grounds: { expiresAt: NOW + 1_000 } },
} as const
type Who = keyof typeof PRINCIPALS
const ALL = Object.keys(PRINCIPALS) as Who[]
const OF_USER: Who[] = ['key of a user', 'token']
const keysWith = (part: Partial<KeyRecord>) => ({ keys: BEFORE.keys.map((key) => ({ ...key, ...part })) })

it.each<[string, Partial<typeof BEFORE>, readonly Who[]]>([
  ['nothing happened', {}, []],
  [
    'the organisation is suspended',
    { organisations: [{ id: 'acme', name: 'Acme', isSuspended: true }] },
    ALL,
  ],
  ['the organisation is gone', { organisations: [] }, ALL],
  ['the keys are revoked', { keys: [] }, ['key', 'key of a user']],
  ['the keys are of another agent type', keysWith({ agentType: 'b' }), ['key', 'key of a user']],
  ['the user is gone', { users: [] }, OF_USER],
  ['the user has a new password', { users: [{ ...USER, tokensSince: 501 }] }, ['token']],
  ['the user is of another agent type', { users: [{ ...USER, agentType: 'b' }] }, ['token']],
  ['the user has another role', { users: [{ ...USER, role: 'admin' }] }, ['token']],
])('F57 when %s', (_, change, gone) => {
  const after = new Directory({ ...BEFORE, ...change })
  expect(ALL.filter((who) => !isStanding(PRINCIPALS[who], after, NOW))).toEqual(gone)
})

it('F57 when their time is over', () =>
  expect(ALL.filter((who) => !isStanding(PRINCIPALS[who], directory, NOW + 1_000))).toEqual(ALL))

it('callers of the environment stand whatever the directory says', () => {
  const { grounds: _, ...plain } = PRINCIPALS.key
  expect(isStanding(plain, new Directory({ version: 2, organisations: [], keys: [], users: [] }), NOW)).toBe(
    true,
  )
})
