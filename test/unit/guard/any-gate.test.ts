/** The invariants of one gate, over questions, reports and evictions in any order. A failure names its seed. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Limits } from '../../../src/guard/admission.ts'
import { Gate } from '../../../src/guard/gate.ts'
import { NO_NEWS } from '../../../src/guard/ledger.ts'
import { asking, LIMITS, NOW, tally, telling } from './request.ts'

type Step = {
  readonly afterMs: number
  readonly does: 'ask' | 'tell' | 'evict'
  readonly waiting: number
  readonly which: number
  readonly outcome: 'ok' | 'failed' | 'neutral'
}
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.nat(100), fc.nat(12_000)),
    does: fc.constantFrom('ask', 'ask', 'ask', 'tell', 'tell', 'evict'),
    waiting: fc.nat(3),
    which: fc.nat(1_000),
    outcome: fc.constantFrom('ok', 'failed', 'failed', 'neutral'),
  }),
  { maxLength: 150 },
)

describe('the gate, whatever it is asked and told', () => {
  const limits: Limits = { ...LIMITS, failureThreshold: 2, halfOpenMaxCalls: 2 }

  it('3, 4, 5, 7: one live probe, no generation twice, older ones change nothing, and open always ends', () => {
    fc.assert(
      fc.property(steps, (list) => {
        let gate = new Gate()
        let now = NOW
        let probe: { readonly generation: number; readonly until: number } | undefined
        const underWay: number[] = []
        for (const { afterMs, does, waiting, which, outcome } of list) {
          now += afterMs
          const before = gate.breaker
          if (does === 'evict') gate = new Gate(structuredClone(gate.saved))
          if (does === 'ask') {
            const answer = gate.admit(asking({ waiting, limits }), now, 0.5)
            if (answer.is === 'go') underWay.push(answer.generation)
            if (answer.is === 'go' && answer.isProbe) {
              if (probe) expect(now).toBeGreaterThanOrEqual(probe.until)
              probe = { generation: answer.generation, until: now + limits.probeMs }
            }
          }
          const [generation] = does === 'tell' ? underWay.splice(which % (underWay.length || 1), 1) : []
          if (generation !== undefined) {
            const tallies = [tally({ generation, [outcome]: 1 })]
            gate.admit({ ...telling({ tallies }), limits }, now, 0.5)
            if (generation !== before.generation) expect(gate.breaker).toEqual(before)
            if (generation === probe?.generation) probe = undefined
          }
          expect(gate.breaker.generation).toBeGreaterThanOrEqual(before.generation)
          const later = new Gate(structuredClone(gate.saved))
          expect(later.admit(asking({ limits }), now + 60_000, 0.5).is).toBe('go')
        }
      }),
    )
  })

  it('9: an answer costs no more after many calls than after few, and no more is kept', () => {
    const timeOf = (gate: Gate, from: number): number => {
      const startedAt = performance.now()
      for (let at = 0; at < 1_000; at++) {
        const report = {
          ...NO_NEWS,
          tallies: [tally({ ok: 1 })],
          inFlight: { u: 1 },
          durations: [at % 100, 1],
        }
        const isolate = `${from}-${at % 8}`
        gate.admit(
          asking({ isolate, report, limits: { ...limits, instances: ['u', 'v'] } }),
          NOW + from + at,
          0,
        )
      }
      return performance.now() - startedAt
    }
    const [gate, times]: [Gate, number[]] = [new Gate(), []]
    for (let round = 0; round < 20; round++) times.push(timeOf(gate, round * 10_000))
    const best = (some: readonly number[]): number => Math.min(...some)
    expect(best(times.slice(-5))).toBeLessThan(10 * best(times.slice(0, 5)))
    expect(JSON.stringify(gate.saved).length).toBeLessThan(3_000)
  })
})
