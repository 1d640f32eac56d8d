import { describe, expect, it } from 'vitest'
import { restMs } from '../../../src/platform/backoff.ts'
import { databasePolicy } from '../../../src/storage/database.ts'
import { SqlFault } from '../../../src/storage/neon.ts'
import { Patience } from '../../../src/storage/patience.ts'

const fault = (code: string): SqlFault => new SqlFault(code)

/** A database that fails with these codes, then works. */
function startDatabase() {
  const world = { now: 1_000_000, random: 1, codes: [] as string[], asked: 0 }
  const logged: unknown[] = []
  const patience = new Patience({
    clock: () => world.now,
    random: () => world.random,
    log: (level, event, fields) => void logged.push([level, event, fields]),
  })
  const work = async (): Promise<string> => {
    world.asked++
    const code = world.codes.shift()
    if (code !== undefined) throw fault(code)
    return 'done'
  }
  return { world, logged, work, patience, read: () => patience.read(work), write: () => patience.write(work) }
}

const { firstMs, longestMs } = databasePolicy.busyRest
const done = { ok: true, value: 'done' }
const busy = { ok: false, error: { why: 'busy' } }

describe('a database without room', () => {
  it('F54 is left alone for up to twice as long after each refusal', async () => {
    const { world, read } = startDatabase()
    for (const expectedMs of [firstMs, 2 * firstMs, 4 * firstMs]) {
      world.codes = ['53300']
      const asked = world.asked
      expect(await read()).toMatchObject(busy)
      world.now += expectedMs - 1
      expect(await read()).toEqual(busy)
      expect(world.asked).toBe(asked + 1)
      world.now += 1
    }
    expect(await read()).toEqual(done)
    world.codes = ['53300']
    await read()
    world.now += firstMs
    expect(await read()).toEqual(done)
  })

  it('F54 is never left alone for longer than ten seconds', () => {
    expect(restMs({ firstMs, longestMs }, 1, 1)).toBe(firstMs)
    expect(restMs({ firstMs, longestMs }, 100, 1)).toBe(10_000)
    expect(restMs({ firstMs, longestMs }, 100, 0.5)).toBe(5_000)
    expect(restMs({ firstMs, longestMs }, 100, 0)).toBe(0)
  })

  it('F54 is asked again at any moment of the rest, by lot', async () => {
    const { world, read } = startDatabase()
    world.random = 0.25
    world.codes = ['53300']
    await read()
    world.now += firstMs / 4 - 1
    expect(await read()).toEqual(busy)
    world.now += 1
    expect(await read()).toEqual(done)
  })

  it('F54 refuses many at once, and that is one refusal', async () => {
    const { world, read } = startDatabase()
    world.codes = Array.from({ length: 50 }, () => '53300')
    await Promise.all(Array.from({ length: 50 }, read))
    world.now += firstMs
    expect(await read()).toEqual(done)
  })
})

describe('a write that lost to another', () => {
  it.each([
    ['40001', 1],
    ['40001', 2],
    ['40P01', 2],
  ])('F56 %s is made again, %i times', async (code, times) => {
    const { world, write } = startDatabase()
    world.random = 0
    world.codes = Array.from({ length: times }, () => code)
    expect(await write()).toEqual(done)
    expect(world.asked).toBe(times + 1)
  })
  it('F56 is given up after the third time', async () => {
    const { world, write } = startDatabase()
    world.random = 0
    world.codes = Array.from({ length: 9 }, () => '40001')
    expect(await write()).toMatchObject({ ok: false, error: { why: 'conflict' } })
    expect(world.asked).toBe(3)
  })
  it.each(['23505', '53300', '42703', '22P05'])('F56 %s is not made again', async (code) => {
    const { world, write } = startDatabase()
    world.codes = [code]
    expect((await write()).ok).toBe(false)
    expect(world.asked).toBe(1)
  })
})

describe('tables that this release does not know', () => {
  it('F58 are told aloud, once a minute, in words that an operator can act on', async () => {
    const { world, logged, read, write } = startDatabase()
    world.codes = Array.from({ length: 40 }, () => '42703')
    for (let at = 0; at < 10; at++) await Promise.all([read(), write()])
    const line = ['error', 'schema_behind', { sqlState: '42703', remedy: 'Run `npm run db:migrate`.' }]
    expect(logged).toEqual([line])
    world.now += 60_000
    await read()
    expect(logged).toEqual([line, line])
  })
})

it('a bug is no fault of the database', async () => {
  const { patience } = startDatabase()
  const work = async (): Promise<never> => {
    throw new RangeError('ours')
  }
  await expect(patience.read(work)).rejects.toThrow('ours')
  await expect(patience.write(work)).rejects.toThrow('ours')
})
