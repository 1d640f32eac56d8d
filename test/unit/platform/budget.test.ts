import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteBudget, type Hold } from '../../../src/platform/budget.ts'

const MAX_BYTES = 1_000

type Step = {
  readonly is: 'resize' | 'release' | 'move' | 'abort'
  readonly holder: number
  readonly bytes: number
}

const step: fc.Arbitrary<Step> = fc.record({
  is: fc.constantFrom('resize', 'resize', 'resize', 'release', 'move', 'abort'),
  holder: fc.nat(4),
  bytes: fc.nat(600),
})

describe('the memory for answers', () => {
  it('F67 is never overdrawn, counts exactly what its holders have, and comes back whole', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const budget = new ByteBudget(MAX_BYTES)
        const owners = Array.from({ length: 5 }, () => new AbortController())
        const holds: Hold[] = owners.map(({ signal }) => budget.open(signal))
        const sum = (): number => holds.reduce((total, { bytes }) => total + bytes, 0)
        for (const { is, holder, bytes } of steps) {
          const [hold, owner] = [holds[holder], owners[holder]]
          if (!hold || !owner) continue
          const before = hold.bytes
          if (is === 'resize' && !hold.resize(bytes)) expect(hold.bytes).toBe(before)
          if (is === 'release') hold.release()
          if (is === 'move') holds[holder] = hold.moveTo(owner.signal)
          if (is === 'abort') owner.abort()
          expect(budget.heldBytes).toBe(sum())
          expect(budget.heldBytes).toBeLessThanOrEqual(MAX_BYTES)
        }
        for (const hold of holds) hold.release()
        expect(budget.heldBytes).toBe(0)
      }),
      { numRuns: 1_000 },
    )
  })

  it('F67 can be used up to the last byte, and no further', () => {
    const budget = new ByteBudget(MAX_BYTES)
    const { signal } = new AbortController()
    expect(budget.open(signal).resize(MAX_BYTES)).toBe(true)
    expect(budget.open(signal).resize(1)).toBe(false)
  })

  it('F39 F67 is given back in the very event in which the caller goes away, for good', () => {
    const budget = new ByteBudget(MAX_BYTES)
    const caller = new AbortController()
    const hold = budget.open(caller.signal)
    hold.resize(MAX_BYTES)
    caller.abort()
    expect(budget.heldBytes).toBe(0)
    expect(hold.resize(1)).toBe(false)
  })
})
