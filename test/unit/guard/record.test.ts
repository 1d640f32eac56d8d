import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { LIMITS } from './request.ts'
import { callIn, quick, subjectOf, World } from './world.ts'

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('usage records', () => {
  it('are told within a second', async () => {
    const world = new World()
    for (let at = 0; at < 20; at++) {
      world.record(`${at}`)
      await world.timeline.run(100)
    }
    await world.timeline.run(900)
    expect(world.keeperOf().records).toEqual(Array.from({ length: 20 }, (_, at) => `${at}`))
  })

  it('are kept, and told again, where the guard could not be reached', async () => {
    const world = new World()
    world.passage = () => ({ ...quick, loses: 'answer' })
    world.record('one')
    await world.timeline.run(2_000)
    world.passage = () => quick
    world.record('two')
    await world.timeline.run(2_000)
    expect(new Set(world.keeperOf().records)).toEqual(new Set(['one', 'two']))
  })

  it('are dropped and counted where there are too many (F59)', async () => {
    const world = new World()
    world.passage = () => ({ ...quick, loses: 'question' })
    for (let at = 0; at < 1_500; at++) world.record(`${at}`)
    await world.timeline.run(2_000)
    world.passage = () => quick
    await callIn(world, {}, 2_000)
    expect(new Set(world.keeperOf().records).size).toBe(1_000)
    expect(world.keeperOf().records).toHaveLength(1_000)
    expect(world.keeperOf().gate.saved.figures.dropped).toBe(500)
  })

  it.each([
    ['F59 let calls go where they may be lost', false, []],
    ['F59 let no call go that must have one, until the guard takes them', true, ['audit']],
  ])('%s', async (_, needsRecords, whys) => {
    const world = new World()
    const limits = { ...LIMITS, ...(needsRecords && { needsRecords }) }
    const service = subjectOf({ limits })
    await callIn(world, { service })
    world.passage = () => ({ ...quick, loses: 'question' })
    for (let at = 0; at < 500; at++) world.record(`${at}`, 0, service)
    await world.timeline.run(100)
    await callIn(world, { service }, 3_000)
    expect(world.denials.map(({ why }) => why)).toEqual(whys)
    world.passage = () => quick
    await world.timeline.run(30_000)
    world.denials.length = 0
    await callIn(world, { service }, 3_000)
    expect(world.denials).toEqual([])
    expect(new Set(world.keeperOf().records).size).toBe(500)
  })

  it('are written out when they are told, not while their call is answered', async () => {
    const world = new World()
    let isWritten = false
    const write = async (): Promise<string> => {
      isWritten = true
      return 'late'
    }
    world.guards[0]?.record(subjectOf(), { chars: 4, write }, (work) => void work)
    await world.timeline.run(500)
    expect(isWritten).toBe(false)
    await world.timeline.run(500)
    expect(world.keeperOf().records).toEqual(['late'])
  })

  it('are told at once where they are many, not kept until there are too many', async () => {
    const world = new World()
    for (let at = 0; at < 5_000; at++) {
      world.record(`${at}`)
      if (at % 100 === 0) await world.timeline.run(20)
    }
    await world.timeline.run(2_000)
    expect(world.keeperOf().records).toHaveLength(5_000)
    expect(world.asks.length).toBeLessThanOrEqual(40)
  })

  it('are never lost while the guard answers, and at most those of the last second when an isolate dies', async () => {
    const pausesMs = fc.array(fc.oneof(fc.nat(100), fc.nat(3_000)), { minLength: 1, maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(pausesMs, fc.boolean(), async (list, calls) => {
        const world = new World(1)
        const told = new Map<string, number>()
        for (const [at, pauseMs] of list.entries()) {
          await world.timeline.run(pauseMs)
          if (calls) void world.call({ durationMs: 300 })
          world.record(`${at}`)
          told.set(`${at}`, world.timeline.now)
        }
        const kept = new Set(world.keeperOf().records)
        for (const [text, at] of told) if (at < world.timeline.now - 1_000) expect(kept).toContain(text)
        await world.timeline.run(1_000)
        expect(world.keeperOf().records.toSorted()).toEqual([...told.keys()].toSorted())
        vi.unstubAllGlobals()
      }),
      { numRuns: 50 },
    )
  })
})
