import { describe, expect, it } from 'vitest'
import { HEALTHY, hearOf, hearProbe, type InstanceHealth, isDown } from '../../../src/guard/instance.ts'
import { NOW } from './request.ts'

const MINUTE_MS = 60_000
const failing = (health: InstanceHealth, now = NOW): InstanceHealth =>
  hearOf(health, { ok: 0, failed: 1, unreached: 0 }, now)
const unreached = (health: InstanceHealth, now = NOW): InstanceHealth =>
  hearOf(health, { ok: 0, failed: 1, unreached: 1 }, now)
const good = (health: InstanceHealth, now = NOW): InstanceHealth =>
  hearOf(health, { ok: 1, failed: 0, unreached: 0 }, now)

describe('an instance', () => {
  it('that cannot be reached is left out at once', () => {
    expect(isDown(HEALTHY, NOW)).toBe(false)
    expect(isDown(unreached(HEALTHY), NOW)).toBe(true)
  })

  it('that fails is left out after three in a row', () => {
    const two = failing(failing(HEALTHY))
    expect(isDown(two, NOW)).toBe(false)
    expect(isDown(failing(two), NOW)).toBe(true)
    expect(isDown(failing(failing(good(two))), NOW)).toBe(false)
  })

  it('is let in again by time, and is left out longer each time', () => {
    let health = HEALTHY
    let now = NOW
    for (let time = 1; time <= 12; time++) {
      health = unreached(health, now)
      const outMs = Math.min(5 * MINUTE_MS, time * 30_000)
      expect(isDown(health, now + outMs - 1)).toBe(true)
      expect(isDown(health, now + outMs)).toBe(false)
      now += outMs
    }
    expect(isDown(unreached(good(health), now), now + 30_000)).toBe(false)
  })

  it('that failed again at once is out again at once', () => {
    const out = failing(failing(failing(HEALTHY)))
    expect(isDown(failing(out, NOW + 30_000), NOW + 30_000)).toBe(true)
  })

  it('is not left out longer for calls that were under way when it was', () => {
    const out = unreached(HEALTHY)
    expect(unreached(unreached(out, NOW + 1_000), NOW + 2_000).ejectedUntil).toBe(out.ejectedUntil)
  })

  it('that does not answer a probe is out until it does', () => {
    const silent = hearProbe(HEALTHY, false)
    expect(isDown(silent, NOW + 60 * MINUTE_MS)).toBe(true)
    expect(isDown(hearProbe(silent, true), NOW)).toBe(false)
    expect(isDown(hearProbe(unreached(HEALTHY), true), NOW)).toBe(false)
  })

  it('has a score between 0 and 1 that the last calls move most', () => {
    expect(failing(HEALTHY).score).toBeLessThan(1)
    expect(good(failing(HEALTHY)).score).toBeGreaterThan(failing(HEALTHY).score)
    expect(failing(good(HEALTHY)).score).toBeLessThan(good(failing(HEALTHY)).score)
    expect(hearOf(HEALTHY, { ok: 0, failed: 1_000, unreached: 0 }, NOW).score).toBeGreaterThanOrEqual(0)
    expect(hearOf(HEALTHY, { ok: 1_000, failed: 0, unreached: 0 }, NOW).score).toBeLessThanOrEqual(1)
  })

  it('without calls wins its score back by answering probes', () => {
    let health = hearOf(HEALTHY, { ok: 0, failed: 10, unreached: 0 }, NOW)
    const before = health.score
    for (let probe = 0; probe < 50; probe++) health = hearProbe(health, true)
    expect(health.score).toBeGreaterThan(before)
    expect(health.score).toBeGreaterThan(0.95)
    expect(hearProbe(health, false).score).toBeLessThan(health.score)
  })
})
