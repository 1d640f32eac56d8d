import { describe, expect, it } from 'vitest'
import { Secret } from '../../../src/platform/secret.ts'
import { type Grant, isNewer, stateOf } from '../../../src/upstream/grant.ts'

const HOUR = 3_600_000
const grantOf = (part: Partial<Grant> = {}): Grant => ({
  type: 'oauth2',
  accessToken: new Secret('at'),
  refreshToken: new Secret('rt'),
  tokenUrl: 'https://as.example/token',
  clientId: 'me',
  receivedAt: 0,
  expiresAt: HOUR,
  setAt: 0,
  turn: 1,
  ...part,
})

describe('the state of a credential', () => {
  it.each<[string, Partial<Grant>, number, string]>([
    ['good long before its end', {}, HOUR - 60_001, 'good'],
    ['due a minute before its end', {}, HOUR - 60_000, 'due'],
    ['good in the first nine tenths of a short life', { expiresAt: 10_000 }, 8_999, 'good'],
    ['due in the last tenth of it', { expiresAt: 10_000 }, 9_000, 'due'],
    ['due at once where an operator set one that ends in a minute', { turn: 0, expiresAt: 59_000 }, 0, 'due'],
    ['ended at its end', {}, HOUR, 'ended'],
    ['good where nobody said when it ends', { expiresAt: undefined }, 1_000 * HOUR, 'good'],
    ['good until its end where it was rejected', { rejection: 'invalid_grant' }, HOUR - 1, 'good'],
    ['refused from then on', { rejection: 'invalid_grant' }, HOUR, 'refused'],
    [
      'refused at once where nobody said when it ends',
      { rejection: 'invalid_grant', expiresAt: undefined },
      0,
      'refused',
    ],
  ])('is %s', (_, part, now, state) => expect(stateOf(grantOf(part), now)).toBe(state))
})

describe('of two credentials', () => {
  it('the one that was set later is the newer, however often the other was refreshed', () => {
    const [set, refreshed] = [grantOf({ setAt: 2, turn: 0 }), grantOf({ setAt: 1, turn: 9 })]
    expect([isNewer(set, refreshed), isNewer(refreshed, set)]).toEqual([true, false])
  })
  it('then the one that was refreshed more often', () => {
    expect(isNewer(grantOf({ turn: 2 }), grantOf({ turn: 1 }))).toBe(true)
    expect(isNewer(grantOf(), grantOf())).toBe(false)
  })
})
