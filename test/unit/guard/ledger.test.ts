import { describe, expect, it } from 'vitest'
import { Ledger, NO_NEWS, type Note } from '../../../src/guard/ledger.ts'
import { tally } from './request.ts'

const ok = { is: 'ok', isSlow: false } as const
const { records: _, ...counts } = NO_NEWS
const NOTHING = { ...counts, notes: [] }
const note = (text: string): Note => ({ chars: text.length, write: () => text })

describe('the ledger', () => {
  it('sums calls by instance and generation, and tells each once', () => {
    const ledger = new Ledger()
    for (const [url, generation] of [
      ['a', 1],
      ['a', 1],
      ['a', 2],
      ['b', 2],
    ] as const) {
      ledger.noteBegin(url)
      ledger.noteEnd(url, generation, ok, 10)
    }
    ledger.noteBegin('b')
    ledger.noteEnd('b', 2, { is: 'failed', wasUnreached: true, retryAfterMs: 7_000 }, 10)
    expect(ledger.drain().tallies).toEqual([
      tally({ url: 'a', generation: 1, ok: 2 }),
      tally({ url: 'a', generation: 2, ok: 1 }),
      tally({ url: 'b', generation: 2, ok: 1, failed: 1, unreached: 1, retryAfterMs: 7_000 }),
    ])
    expect(ledger.isEmpty).toBe(true)
    expect(ledger.drain()).toEqual(NOTHING)
  })

  it('F09 keeps the longest pause that the service asked for', () => {
    const ledger = new Ledger()
    for (const pauseMs of [7_000, 2_000]) ledger.noteEnd('', 1, { is: 'neutral', pauseMs }, 10)
    const { tallies, pauseMs, durations } = ledger.drain()
    expect(tallies).toEqual([tally({ neutral: 2 })])
    expect(pauseMs).toBe(7_000)
    expect(durations).toEqual([])
    expect(ledger.drain().pauseMs).toBe(0)
  })

  it('knows the calls that are under way, also after it told them', () => {
    const ledger = new Ledger()
    ledger.noteBegin('a')
    ledger.noteBegin('a')
    ledger.noteBegin('b')
    ledger.noteEnd('b', 1, ok, 10)
    expect(ledger.drain().inFlight).toEqual({ a: 2 })
    expect(ledger.drain().inFlight).toEqual({ a: 2 })
    expect(ledger.inFlightAt('b')).toBe(0)
  })

  it('counts refusals and other events by kind', () => {
    const ledger = new Ledger()
    ledger.noteRefusal('open')
    ledger.noteRefusal('open')
    ledger.note('unused', 3)
    expect(ledger.isEmpty).toBe(false)
    expect(ledger.drain()).toEqual({
      ...NOTHING,
      unused: 3,
      refused: { rate: 0, open: 2, throttled: 0, audit: 0 },
    })
  })

  it('sums what became of calls, and how long they took together', () => {
    const ledger = new Ledger()
    ledger.noteCall('refused')
    expect(ledger.isEmpty).toBe(false)
    for (const durationMs of [10, 20, 30]) {
      ledger.noteEnd('', 1, ok, durationMs)
      ledger.noteCall('success')
    }
    expect(ledger.drain()).toMatchObject({ calls: { success: 3, refused: 1 }, durationsMs: 60 })
    expect(ledger.drain()).toEqual(NOTHING)
  })

  it('F59 keeps 1,000 records or 1 MiB of them, and counts what it drops', () => {
    const many = new Ledger()
    for (let at = 0; at < 1_003; at++) many.keep(note(`${at}`))
    expect(many.drain()).toMatchObject({ dropped: 3, notes: { length: 1_000 } })
    const large = new Ledger()
    for (let at = 0; at < 5; at++) large.keep(note('x'.repeat(300_000)))
    expect(large.drain()).toMatchObject({ dropped: 2, notes: { length: 3 } })
    const after = note('after')
    large.keep(after)
    expect(large.drain()).toMatchObject({ dropped: 0, notes: [after] })
  })

  it('F59 keeps a record with less in it before it drops it', () => {
    const ledger = new Ledger()
    const bare = () => note('b'.repeat(640))
    for (let at = 0; at < 1_001; at++) ledger.keep({ ...note('x'.repeat(60_000)), bare })
    const { dropped, notes } = ledger.drain()
    expect([dropped, notes.length]).toEqual([1, 1_000])
    expect(notes.filter(({ chars }) => chars === 60_000)).toHaveLength(6)
  })
})
