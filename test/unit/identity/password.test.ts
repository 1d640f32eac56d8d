/** How passwords are kept, and how often they may be tried. */
import { describe, expect, it } from 'vitest'
import { GUESSES, Guesses } from '../../../src/identity/guess.ts'
import { hashPassword, isPassword } from '../../../src/identity/password.ts'

describe('a password', () => {
  it('is kept as scrypt with its parameters and a salt of its own', () => {
    const [one, other] = [hashPassword('correct horse'), hashPassword('correct horse')]
    expect(one).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    expect(one).not.toBe(other)
    expect(isPassword('correct horse', one)).toBe(true)
    expect(isPassword('correct horse ', one)).toBe(false)
  })

  it('is the same in another encoding of its characters', () =>
    expect(isPassword('cafe\u0301 au lait', hashPassword('caf\u00e9 au lait'))).toBe(true))

  it('that was kept with other parameters is still known', () => {
    // RFC 7914, section 12: N = 1024, r = 8, p = 16; the first 32 bytes.
    const salt = Buffer.from('NaCl').toString('base64').replaceAll('=', '')
    const hash = Buffer.from('fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162', 'hex')
    const stored = `$scrypt$ln=10,r=8,p=16$${salt}$${hash.toString('base64').replaceAll('=', '')}`
    expect(isPassword('password', stored)).toBe(true)
    expect(isPassword('passwort', stored)).toBe(false)
  })

  it('of nobody is never right', () => expect(isPassword('', undefined)).toBe(false))

  it('of nobody takes as long to be wrong as one of somebody', () => {
    const stored = hashPassword('correct horse')
    const msOf = (of: string | undefined): number => {
      const times = Array.from({ length: 5 }, () => {
        const startedAt = performance.now()
        isPassword('wrong', of)
        return performance.now() - startedAt
      })
      return Math.min(...times)
    }
    expect(msOf(undefined)).toBeGreaterThan(msOf(stored) / 2)
  })
})

describe('guesses', () => {
  const start = () => {
    const world = { now: 1_000_000 }
    return { world, guesses: new Guesses(() => world.now) }
  }
  const { ofOneName, ofAll } = GUESSES

  it('of one name are a burst, then one at a time', () => {
    const { world, guesses } = start()
    for (let at = 0; at < ofOneName.burst; at++) expect(guesses.take('a')).toBe(0)
    expect(guesses.take('a')).toBe(ofOneName.everyMs)
    expect(guesses.take('b')).toBe(0)
    world.now += ofOneName.everyMs - 1
    expect(guesses.take('a')).toBe(1)
    world.now += 1
    expect(guesses.take('a')).toBe(0)
    expect(guesses.take('a')).toBe(ofOneName.everyMs)
  })

  it('of a name whose password was right begin anew', () => {
    const { guesses } = start()
    for (let at = 0; at < ofOneName.burst; at++) guesses.take('a')
    guesses.forgive('a')
    expect(guesses.take('a')).toBe(0)
  })

  it('of all names together are bounded, and those that are refused cost nothing', () => {
    const { world, guesses } = start()
    for (let at = 0; at < ofAll.burst; at++) expect(guesses.take(`name ${at}`)).toBe(0)
    for (let at = 0; at < 100; at++) expect(guesses.take(`other ${at}`)).toBe(ofAll.everyMs)
    world.now += ofAll.everyMs
    expect(guesses.take('one more')).toBe(0)
  })
})
