import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteBudget } from '../../../src/platform/budget.ts'
import { Shelf } from '../../../src/platform/shelf.ts'

const MAX_BYTES = 100
const open = (budget = new ByteBudget(1_000)) => new Shelf<string>(MAX_BYTES, budget.open())

describe('a shelf', () => {
  it('gives up what was not wanted for longest', () => {
    const shelf = open()
    for (const key of ['a', 'b', 'c']) shelf.put(key, key, 30)
    shelf.get('a')
    shelf.put('d', 'd', 30)
    expect(['a', 'b', 'c', 'd'].map((key) => shelf.get(key))).toEqual(['a', undefined, 'c', 'd'])
  })

  it('takes nothing that is larger than itself, and forgets what that was to replace', () => {
    const shelf = open()
    shelf.put('a', 'old', 10)
    shelf.put('a', 'new', MAX_BYTES + 1)
    expect([shelf.get('a'), shelf.bytes]).toEqual([undefined, 0])
  })

  it('F67 takes nothing where requests have left no memory', () => {
    const budget = new ByteBudget(50)
    const shelf = open(budget)
    const request = budget.open()
    request.resize(40)
    shelf.put('a', 'a', 20)
    expect(shelf.get('a')).toBeUndefined()
    request.release()
    shelf.put('a', 'a', 20)
    expect(shelf.get('a')).toBe('a')
  })

  it('never holds more than its bound, and the memory that it holds is what it has', () => {
    const step = fc.record({ key: fc.nat(8), bytes: fc.nat(130), isRemoved: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const budget = new ByteBudget(150)
        const other = budget.open()
        other.resize(70)
        const shelf = open(budget)
        const sizes = new Map<string, number>()
        for (const { key, bytes, isRemoved } of steps) {
          const name = String(key)
          if (isRemoved) shelf.remove(name)
          else shelf.put(name, name, bytes)
          sizes.set(name, bytes)
          const held = [...sizes].filter(([each]) => shelf.get(each) === each)
          expect(shelf.bytes).toBe(held.reduce((sum, [, size]) => sum + size, 0))
          expect(shelf.bytes).toBeLessThanOrEqual(MAX_BYTES)
          expect(budget.heldBytes).toBe(70 + shelf.bytes)
        }
      }),
    )
  })
})
