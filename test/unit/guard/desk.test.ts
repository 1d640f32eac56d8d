import { describe, expect, it } from 'vitest'
import { type Admission, LEASE_MS } from '../../../src/guard/admission.ts'
import { Desk } from '../../../src/guard/desk.ts'
import { NOW } from './request.ts'

const go = (tokens: number | undefined, generation = 1): Admission => ({
  is: 'go',
  tokens,
  ttlMs: LEASE_MS,
  generation,
  isProbe: false,
  instances: [],
})
const no = (why: 'rate' | 'open', retryAfterMs: number): Admission => ({ is: 'no', why, retryAfterMs })

function deskWith(...admissions: Admission[]): Desk {
  const desk = new Desk()
  for (const admission of admissions) desk.accept(admission, NOW, desk.era, 1)
  return desk
}

/** How many calls go from what the desk has. */
function goes(desk: Desk, now = NOW): number {
  let count = 0
  for (let taken = desk.take(now); taken && !('why' in taken) && count < 1_000; taken = desk.take(now))
    count++
  return count
}

const unused = (desk: Desk): number => desk.ledger.drain().unused

describe('the desk', () => {
  it('lets as many calls go as the lease has tokens, while it lives', () => {
    expect(goes(deskWith())).toBe(0)
    expect(goes(deskWith(go(3)))).toBe(3)
    expect(goes(deskWith(go(undefined)))).toBe(1_000)
    expect(goes(deskWith(go(3)), NOW + LEASE_MS - 1)).toBe(3)
    expect(goes(deskWith(go(3)), NOW + LEASE_MS)).toBe(0)
  })

  it('adds what a renewal brings to what is left', () => {
    expect(goes(deskWith(go(3), go(4)))).toBe(7)
  })

  it('gives back what is left of a lease that ended, or that is of an older generation', () => {
    const ended = deskWith(go(3))
    ended.take(NOW)
    goes(ended, NOW + LEASE_MS)
    expect(unused(ended)).toBe(2)
    const older = deskWith(go(3), go(4, 2))
    expect(goes(older)).toBe(4)
    expect(unused(older)).toBe(3)
    const unlimited = deskWith(go(undefined))
    goes(unlimited, NOW + LEASE_MS)
    expect(unused(unlimited)).toBe(0)
  })

  it('remembers a "no" until its time, and asks nothing meanwhile', () => {
    const desk = deskWith(no('open', 4_000))
    expect(desk.take(NOW + 1_000)).toEqual({ why: 'open', retryAfterMs: 3_000 })
    expect(desk.take(NOW + 4_000)).toBeUndefined()
  })

  it('asks again after five seconds, since an operator may have mended what was wrong', () => {
    const desk = deskWith(no('open', 60_000))
    expect(desk.take(NOW + 4_999)).toEqual({ why: 'open', retryAfterMs: 55_001 })
    expect(desk.take(NOW + 5_000)).toBeUndefined()
    expect(desk.denial(NOW + 5_000)).toEqual({ why: 'open', retryAfterMs: 55_000 })
  })

  it('a lease ends with the news that the circuit is open', () => {
    const desk = deskWith(go(3), no('open', 4_000))
    expect(desk.take(NOW)).toMatchObject({ why: 'open' })
    expect(unused(desk)).toBe(3)
  })

  it('a lease stays good when there are no more tokens for now, and none are asked for', () => {
    const desk = deskWith(go(3), no('rate', 4_000))
    expect(desk.isLow(NOW + LEASE_MS - 1)).toBe(false)
    expect(goes(desk)).toBe(3)
    expect(desk.take(NOW)).toMatchObject({ why: 'rate' })
  })

  it('F24 takes up no lease that was asked for before a failure, but the call that waits for it', () => {
    const desk = new Desk()
    const { era } = desk
    desk.dropLease(NOW)
    desk.accept(go(16), NOW, era, 0)
    expect(goes(desk)).toBe(0)
    desk.accept(go(16), NOW, era, 1)
    expect(goes(desk)).toBe(1)
    expect(unused(desk)).toBe(31)
    desk.accept(go(undefined), NOW, era, 1)
    expect(goes(desk)).toBe(1)
  })

  it('F24 a late "go" does not undo the news that the circuit is open', () => {
    const desk = new Desk()
    const { era } = desk
    desk.accept(no('open', 4_000), NOW, era, 1)
    desk.accept(go(16), NOW, era, 0)
    expect(desk.take(NOW)).toMatchObject({ why: 'open' })
  })

  it('forgets what was said of other limits', () => {
    const desk = deskWith()
    desk.heed('1', NOW)
    desk.accept(go(3), NOW, desk.era, 1)
    desk.heed('1', NOW)
    expect(desk.take(NOW)).toBeDefined()
    desk.heed('2', NOW)
    expect(desk.take(NOW)).toBeUndefined()
    desk.accept(no('rate', 4_000), NOW, desk.era, 1)
    desk.heed('3', NOW)
    expect(desk.take(NOW)).toBeUndefined()
  })

  it('asks for half a lease at its own pace, less what it has', () => {
    const desk = deskWith()
    const ample = { requestsPerMinute: 60_000, burstLimit: 10_000 }
    expect(desk.wanted(NOW, ample)).toBe(4)
    for (let call = 0; call < 20; call++) desk.meter.note(NOW)
    expect(desk.wanted(NOW, ample)).toBe(10)
    desk.accept(go(4), NOW, desk.era, 1)
    expect(desk.wanted(NOW, ample)).toBe(6)
    for (let call = 0; call < 1_000; call++) desk.meter.note(NOW)
    expect(desk.wanted(NOW, ample)).toBe(252)
    expect(desk.wanted(NOW + 10_000, ample)).toBe(4)
  })

  it.each([
    ['what comes back while a lease lives', { requestsPerMinute: 100, burstLimit: 100 }, 1],
    ['a quarter of the bucket', { requestsPerMinute: 60_000, burstLimit: 40 }, 10],
    ['one, however little that is', { requestsPerMinute: 1, burstLimit: 1 }, 1],
  ])('S57 asks for no more ahead than %s', (_, rate, most) => {
    const desk = deskWith()
    for (let call = 0; call < 1_000; call++) desk.meter.note(NOW)
    expect(desk.wanted(NOW, rate)).toBe(most)
  })

  it('asks again before the lease ends, or when a quarter is left', () => {
    const desk = deskWith(go(8))
    expect(desk.isLow(NOW)).toBe(false)
    expect(desk.isLow(NOW + LEASE_MS - 100)).toBe(false)
    expect(desk.isLow(NOW + LEASE_MS - 99)).toBe(true)
    desk.answerMs = 150
    expect(desk.isLow(NOW + LEASE_MS - 300)).toBe(false)
    expect(desk.isLow(NOW + LEASE_MS - 299)).toBe(true)
    desk.answerMs = 900
    expect(desk.isLow(NOW + LEASE_MS / 2)).toBe(false)
    for (let call = 0; call < 7; call++) desk.take(NOW)
    expect(desk.isLow(NOW)).toBe(true)
    expect(desk.isLow(NOW + LEASE_MS)).toBe(false)
  })
})
