/** What becomes of calls while the guard of their service is slow, lost, or comes and goes. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Limits } from '../../../src/guard/admission.ts'
import { LIMITS } from './request.ts'
import { callIn, fail, FAILED, type Passage, quick, subjectOf, World } from './world.ts'

const limited = (requestsPerMinute: number, burstLimit: number): Limits => ({
  ...LIMITS,
  rate: { requestsPerMinute, burstLimit },
})
const late: Passage = { thereMs: 1_000, backMs: 1_000 }
const deaf: Passage = { thereMs: 30_000, backMs: 0, loses: 'question' }

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('leave for calls while the guard is away', () => {
  it.each([
    ['F43 fails', { ...quick, loses: 'question' }],
    ['F45 answers too late', late],
    ['F47 never answers', deaf],
  ] as const)('%s: a tenth of the rate, five at once', async (_, passage) => {
    const world = new World()
    world.passage = () => passage
    const service = subjectOf({ limits: limited(600, 100) })
    for (let at = 0; at < 100; at++) await callIn(world, { service }, 100)
    await world.timeline.run(1_000)
    expect(world.entries.length).toBeLessThanOrEqual(5 + 11)
    expect(world.entries.length).toBeGreaterThanOrEqual(5 + 8)
    expect(world.denials.every(({ why }) => why === 'rate')).toBe(true)
  })

  it('F45 no call waits longer than 250 ms, and within the next second none waits at all', async () => {
    const world = new World()
    world.passage = () => deaf
    await callIn(world)
    expect(await callIn(world, {}, 0)).toHaveProperty('url')
    expect(world.waitsMs).toEqual([250, 0])
  })

  it('F45 no call waits longer for a report of failures that hangs', async () => {
    const world = new World()
    await callIn(world, { outcome: FAILED, durationMs: 200 }, 100)
    world.passage = () => deaf
    await world.timeline.run(150)
    for (let at = 0; at < 4; at++) await callIn(world, {}, 0)
    const [, first, ...others] = world.waitsMs
    expect(first).toBeLessThanOrEqual(250)
    expect(others).toEqual([0, 0, 0])
  })

  it('F45 no call waits for reports of failures while the guard counts as away', async () => {
    const world = new World()
    world.passage = () => deaf
    for (let at = 0; at < 4; at++) await callIn(world, { outcome: FAILED, durationMs: 0 }, 10)
    expect(world.waitsMs).toEqual([250, 0, 0, 0])
  })

  it('F47 a report that was lost with its request is waited for only once', async () => {
    const world = new World()
    await callIn(world, { outcome: FAILED, durationMs: 200 }, 100)
    world.passage = () => ({ thereMs: 1e12, backMs: 0 })
    await world.timeline.run(150)
    world.passage = () => quick
    await callIn(world, {}, 2_000)
    await callIn(world)
    const [, first, second] = world.waitsMs
    expect(first).toBeLessThanOrEqual(250)
    expect(second).toBe(10)
  })

  it('F45 what it grants too late is never spent', async () => {
    const world = new World()
    const service = subjectOf({ limits: limited(600, 100) })
    world.passage = () => late
    await callIn(world, { service }, 3_000)
    world.passage = () => deaf
    for (let at = 0; at < 50; at++) await callIn(world, { service }, 10)
    expect(world.entries.length).toBeLessThanOrEqual(6)
  })

  it('F45 what a renewal grants too late is not taken up either', async () => {
    const world = new World()
    await callIn(world, { durationMs: 60_000 }, 750)
    world.passage = () => ({ thereMs: 100, backMs: 400 })
    await callIn(world, { durationMs: 60_000 }, 550)
    world.passage = () => deaf
    await callIn(world)
    expect(world.waitsMs).toEqual([10, 0, 250])
  })

  it('F45 what it grants too late goes back', async () => {
    const world = new World()
    const limits = limited(1, 100)
    const service = subjectOf({ limits })
    world.passage = () => ({ thereMs: 100, backMs: 400 })
    await callIn(world, { service }, 2_000)
    world.passage = () => quick
    await callIn(world, { service }, 3_000)
    await callIn(world, { service }, 3_000)
    const { bucket } = world.keeperOf().gate.view(limits, world.timeline.now)
    expect(bucket?.tokens).toBeGreaterThanOrEqual(100 - 2 - 4)
  })

  it('is not a full bucket again whenever the guard is lost anew', async () => {
    const world = new World()
    const service = subjectOf({ limits: limited(60, 100) })
    for (let loss = 0; loss < 10; loss++) {
      world.passage = () => ({ ...quick, loses: 'question' })
      for (let at = 0; at < 20; at++) await callIn(world, { service }, 10)
      await world.timeline.run(1_000)
      world.passage = () => quick
      await callIn(world, { service }, 2_000)
    }
    expect(world.entries.length).toBeLessThanOrEqual(10 + 5 + 3)
  })

  it('is refused as last known while the circuit is open', async () => {
    const world = new World()
    await fail(world, 5)
    await callIn(world, {}, 50)
    world.passage = () => deaf
    expect(await callIn(world, {}, 0)).toMatchObject({ why: 'open' })
  })

  it('is refused as last known also when that was long ago', async () => {
    const world = new World()
    const service = subjectOf({ limits: { ...LIMITS, recoveryMs: 30_000 } })
    await fail(world, 5, { service })
    await callIn(world, { service }, 50)
    world.passage = () => deaf
    await world.timeline.run(6_000)
    expect(await callIn(world, { service })).toMatchObject({ why: 'open' })
  })

  it('depends on a breaker of this isolate', async () => {
    const world = new World()
    world.passage = () => deaf
    await fail(world, 5, { durationMs: 0 })
    await callIn(world)
    await fail(world, 5, { durationMs: 0 })
    const went = world.entries.length
    expect(await callIn(world, {}, 0)).toMatchObject({ why: 'open' })
    await world.timeline.run(5_000)
    expect(await callIn(world)).toHaveProperty('url')
    expect(went).toBeLessThan(10)
  })
})
