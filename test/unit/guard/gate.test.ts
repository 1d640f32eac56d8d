import { describe, expect, it } from 'vitest'
import type { Admission, Limits } from '../../../src/guard/admission.ts'
import { FULL, takeFrom } from '../../../src/guard/bucket.ts'
import { Gate } from '../../../src/guard/gate.ts'
import { asking, LIMITS, NOW, tally, telling } from './request.ts'

const RATE = { requestsPerMinute: 600, burstLimit: 100 }
const limited: Limits = { ...LIMITS, rate: RATE }
const tokensOf = (admission: Admission): number | undefined =>
  admission.is === 'go' ? admission.tokens : Number.NaN
const failures = (failed: number, generation = 1) => telling({ tallies: [tally({ failed, generation })] })

/** A gate whose circuit opened at NOW. */
function openGate(limits: Limits = LIMITS): Gate {
  const gate = new Gate()
  gate.admit({ ...failures(5), limits }, NOW, 0.5)
  return gate
}

describe('the gate', () => {
  it('lets any number through where no rate is set', () => {
    const answer = new Gate().admit(asking({ want: 7 }), NOW, 0)
    expect(answer).toMatchObject({ is: 'go', tokens: undefined, isProbe: false, generation: 1 })
  })

  it('says when there is a token again, and for how long nobody else gets it', () => {
    const gate = new Gate()
    const limits: Limits = { ...LIMITS, rate: { requestsPerMinute: 600, burstLimit: 3 } }
    for (const isolate of ['a', 'b', 'c']) gate.admit(asking({ isolate, limits }), NOW, 0)
    expect(gate.admit(asking({ limits }), NOW, 0)).toEqual({ is: 'no', why: 'rate', retryAfterMs: 300 })
  })

  it('S57 gives tokens ahead of calls only while half of the burst is there', () => {
    const gate = new Gate({ bucket: takeFrom(FULL, RATE, 45, NOW) })
    const ask = (waiting: number) => gate.admit(asking({ want: 16, waiting, limits: limited }), NOW, 0)
    expect(tokensOf(ask(1))).toBe(5)
    expect(tokensOf(ask(1))).toBe(1)
    expect(tokensOf(ask(3))).toBe(3)
    expect(ask(0)).toEqual({ is: 'noted' })
  })
  it('S57 gives no isolate more than its share of what is there', () => {
    const gate = new Gate()
    expect(tokensOf(gate.admit(asking({ want: 1_000, waiting: 1_000, limits: limited }), NOW, 0))).toBe(50)
    expect(
      tokensOf(gate.admit(asking({ isolate: 'b', want: 1_000, waiting: 1_000, limits: limited }), NOW, 0)),
    ).toBe(12)
    let left = 38
    for (let at = 0; at < 10; at++) {
      const tokens = tokensOf(gate.admit(asking({ isolate: `c${at}`, want: 16, limits: limited }), NOW, 0))
      expect(tokens).toBeLessThanOrEqual(Math.max(1, left / (2 * (at + 3))))
      left -= tokens ?? 0
    }
    expect(left).toBeGreaterThan(0)
  })

  it('S57 gives a few calls that wait their tokens at once, however many isolates share what is there', () => {
    const gate = new Gate({ bucket: takeFrom(FULL, RATE, 90, NOW) })
    const ask = (isolate: string, waiting: number) =>
      gate.admit(asking({ isolate, want: waiting, waiting, limits: limited }), NOW, 0)
    for (const isolate of ['a', 'b']) expect(tokensOf(ask(isolate, 9))).toBe(isolate === 'a' ? 5 : 4)
    expect(tokensOf(ask('c', 9))).toBe(1)
    expect(ask('d', 9)).toMatchObject({ is: 'no', why: 'rate' })
  })

  it('S57 an isolate that has not been heard of for five seconds shares nothing any more', () => {
    const gate = new Gate()
    for (let at = 0; at < 20; at++) gate.admit(asking({ isolate: `${at}`, limits: limited }), NOW, 0)
    const later = NOW + 5_000
    expect(tokensOf(gate.admit(asking({ want: 1_000, limits: limited }), later, 0))).toBe(50)
    expect(gate.view(limited, later).isolates).toBe(1)
  })

  it('takes back the tokens that a lease did not use', () => {
    const gate = new Gate()
    gate.admit(asking({ want: 40, limits: limited }), NOW, 0)
    gate.admit({ ...telling({ unused: 30 }), limits: limited }, NOW, 0)
    expect(gate.view(limited, NOW).bucket?.tokens).toBe(90)
  })

  it('hears a report before it answers, so that failures count before the next call', () => {
    const { report } = failures(5)
    expect(new Gate().admit(asking({ report }), NOW, 0.5)).toMatchObject({ is: 'no', why: 'open' })
  })

  it('F09 leaves a service alone as long as it asked for, up to a minute', () => {
    const gate = new Gate()
    gate.admit(telling({ pauseMs: 7_000, tallies: [tally({ neutral: 1 })] }), NOW, 0)
    expect(gate.admit(asking(), NOW, 0)).toEqual({ is: 'no', why: 'throttled', retryAfterMs: 7_000 })
    expect(gate.admit(asking(), NOW + 7_000, 0).is).toBe('go')
    gate.admit(telling({ pauseMs: 3_600_000 }), NOW + 7_000, 0)
    gate.admit(telling({ pauseMs: 1_000 }), NOW + 7_000, 0)
    expect(gate.admit(asking(), NOW + 7_000, 0)).toMatchObject({ why: 'throttled', retryAfterMs: 60_000 })
    expect(gate.breaker).toMatchObject({ is: 'closed', failuresInARow: 0 })
  })

  it('F25 lets one probe through for all isolates, for a call that waits only', () => {
    const gate = openGate()
    const later = NOW + 5_000
    expect(gate.admit(asking({ waiting: 0 }), later, 0)).toEqual({ is: 'noted' })
    expect(gate.admit(asking({ want: 16 }), later, 0)).toMatchObject({
      is: 'go',
      isProbe: true,
      generation: 3,
    })
    for (const isolate of ['a', 'b', 'c'])
      expect(gate.admit(asking({ isolate }), later + 10, 0)).toMatchObject({ is: 'no', why: 'open' })
    gate.admit(telling({ tallies: [tally({ generation: 3, ok: 1 })] }), later + 20, 0)
    expect(gate.admit(asking(), later + 20, 0)).toMatchObject({ is: 'go', isProbe: false, generation: 4 })
  })

  it('a probe takes one token, and waits for one', () => {
    const gate = openGate(limited)
    const later = NOW + 5_000
    expect(tokensOf(gate.admit(asking({ want: 16, limits: limited }), later, 0))).toBe(1)
    const single: Limits = { ...LIMITS, rate: { requestsPerMinute: 1, burstLimit: 1 } }
    const poor = new Gate()
    poor.admit(asking({ limits: single }), NOW, 0)
    poor.admit({ ...failures(5), limits: single }, NOW, 0)
    expect(poor.admit(asking({ limits: single }), later, 0)).toMatchObject({ is: 'no', why: 'rate' })
    expect(poor.breaker.is).toBe('open')
  })

  it('F26 a probe whose isolate died gives way to another', () => {
    const gate = openGate()
    const later = NOW + 5_000
    gate.admit(asking(), later, 0)
    expect(gate.admit(asking({ isolate: 'b' }), later + LIMITS.probeMs - 1, 0).is).toBe('no')
    const second = gate.admit(asking({ isolate: 'b' }), later + LIMITS.probeMs, 0)
    expect(second).toMatchObject({ is: 'go', isProbe: true, generation: 4 })
  })

  it('F30 slow calls open it', () => {
    const gate = new Gate()
    gate.admit(telling({ tallies: [tally({ ok: 20, slow: 20 })] }), NOW, 0)
    expect(gate.breaker.is).toBe('open')
  })

  it('F46 open stays open over an eviction, and taken tokens stay taken', () => {
    const gate = openGate(limited)
    gate.admit({ ...telling({ pauseMs: 100 }), limits: limited }, NOW, 0)
    const after = new Gate(structuredClone(gate.saved))
    expect(after.view(limited, NOW)).toEqual({ ...gate.view(limited, NOW), isolates: 0 })
    const busy = new Gate()
    busy.admit(asking({ want: 40, limits: limited }), NOW, 0)
    expect(new Gate(structuredClone(busy.saved)).view(limited, NOW).bucket?.tokens).toBe(60)
  })

  it('F50 gives no token twice when its clock steps back', () => {
    const gate = new Gate()
    const limits: Limits = { ...LIMITS, rate: { requestsPerMinute: 600, burstLimit: 10 } }
    const takeAll = (now: number): number => {
      let taken = 0
      while (taken < 100 && gate.admit(asking({ limits }), now, 0).is === 'go') taken++
      return taken
    }
    expect(takeAll(NOW)).toBe(10)
    expect(takeAll(NOW - 5_000)).toBe(0)
    expect(takeAll(NOW)).toBe(0)
    expect(takeAll(NOW + 200)).toBe(2)
    const evicted = new Gate(gate.saved)
    expect(evicted.admit(asking({ limits }), NOW - 5_000, 0).is).toBe('no')
  })

  it('F50 an open circuit does not close earlier when its clock steps back', () => {
    const gate = openGate()
    expect(gate.admit(asking(), NOW - 5_000, 0)).toMatchObject({ is: 'no', why: 'open', retryAfterMs: 4_500 })
  })

  it('leaves out instances that calls did not reach, and tells each asker of the others’ calls', () => {
    const limits: Limits = { ...LIMITS, instances: ['u', 'v'] }
    const gate = new Gate()
    const unreached = tally({ url: 'v', failed: 1, unreached: 1 })
    gate.admit({ ...telling({ inFlight: { u: 2 }, tallies: [unreached] }), limits }, NOW, 0)
    expect(gate.admit(asking({ isolate: 'b', limits }), NOW, 0)).toMatchObject({
      instances: [
        { url: 'u', isDown: false, inFlight: 2 },
        { url: 'v', isDown: true, inFlight: 0 },
      ],
    })
    expect(gate.admit(asking({ limits }), NOW, 0)).toMatchObject({ instances: [{ inFlight: 0 }, {}] })
    gate.hearProbe('v', true)
    expect(gate.view(limits, NOW).instances.map(({ isDown }) => isDown)).toEqual([false, false])
  })

  it('forgets the calls of an isolate that died, also where no rate is set', () => {
    const limits: Limits = { ...LIMITS, instances: ['u', 'v'] }
    const gate = new Gate()
    gate.admit({ ...telling({ inFlight: { u: 9 } }), limits }, NOW, 0)
    const later = gate.admit(asking({ isolate: 'b', limits }), NOW + 5_000, 0)
    expect(later).toMatchObject({ instances: [{ inFlight: 0 }, { inFlight: 0 }] })
  })

  it('goes on counting over an eviction, and never back', () => {
    const gate = new Gate()
    const calls = { success: 2, error: 1, timeout: 1, cancelled: 1, refused: 3 }
    gate.admit(telling({ calls, durations: [60, 2], durationsMs: 20, tallies: [tally({ ok: 2 })] }), NOW, 0)
    const evicted = new Gate(structuredClone(gate.saved))
    evicted.admit(telling({ calls: { success: 1 }, durations: [90, 1], durationsMs: 100 }), NOW, 0)
    const { counts, durations } = evicted.view(LIMITS, NOW)
    expect(counts).toMatchObject({ calls: { ...calls, success: 3 }, ok: 2, durationsMs: 120 })
    expect(durations.count).toBe(3)
    expect(durations.buckets.find(({ upToMs }) => upToMs === 10)?.count).toBe(2)
    expect(durations.buckets.find(({ upToMs }) => upToMs === 100)?.count).toBe(3)
  })

  it('counts how often its circuit opened, from closed and from half-open', () => {
    const gate = openGate()
    expect(gate.view(LIMITS, NOW).counts.openings).toBe(1)
    gate.admit(failures(5), NOW, 0.5)
    expect(gate.view(LIMITS, NOW).counts.openings).toBe(1)
    const later = NOW + LIMITS.recoveryMs
    gate.admit(asking(), later, 0)
    gate.admit(telling({ tallies: [tally({ generation: 3, failed: 1 })] }), later, 0.5)
    expect(gate.view(LIMITS, later)).toMatchObject({ breaker: { state: 'open' }, counts: { openings: 2 } })
  })

  it('knows the calls under way in all isolates that it has heard of lately', () => {
    const gate = new Gate()
    gate.admit(telling({ inFlight: { u: 2, v: 1 } }), NOW, 0)
    gate.admit(telling({ inFlight: { u: 4 } }, { isolate: 'b' }), NOW + 3_000, 0)
    expect(gate.view(LIMITS, NOW + 3_000).inFlight).toBe(7)
    expect(gate.view(LIMITS, NOW + 6_000).inFlight).toBe(4)
  })

  it('shows operators how it stands', () => {
    const gate = openGate(limited)
    const news = {
      refused: { rate: 1, open: 2, throttled: 3, audit: 9 },
      fallback: 4,
      retried: 5,
      dropped: 6,
    }
    const tallies = [tally({ ok: 7, neutral: 8, generation: 0 })]
    gate.admit({ ...telling({ ...news, tallies }), limits: limited }, NOW, 0)
    expect(gate.view(limited, NOW)).toMatchObject({
      breaker: { state: 'open', generation: 2, trips: 1, retryAfterMs: 4_500 },
      bucket: { requestsPerMinute: 600, burstLimit: 100, tokens: 100 },
      counts: { ok: 7, failed: 5, neutral: 8, admits: 0, reports: 2, ...news },
      latency: { p50Ms: null, p95Ms: null, p99Ms: null },
    })
  })
})
