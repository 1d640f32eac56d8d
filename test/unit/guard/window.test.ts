import { describe, expect, it } from 'vitest'
import { addTo, type Counts, EMPTY, sumOf, type Window } from '../../../src/guard/window.ts'
import { NOW } from './request.ts'

const one: Counts = { ok: 1, failed: 2, slow: 3 }

const everySecond = (seconds: number): Window => {
  let window = EMPTY
  for (let at = 0; at < seconds; at++) window = addTo(window, one, NOW + at * 1_000)
  return window
}

describe('the window', () => {
  it('sums what happened in the last ten seconds', () => {
    expect(sumOf(EMPTY, NOW)).toEqual({ ok: 0, failed: 0, slow: 0 })
    expect(sumOf(everySecond(3), NOW + 2_000)).toEqual({ ok: 3, failed: 6, slow: 9 })
    expect(sumOf(everySecond(60), NOW + 59_000)).toEqual({ ok: 10, failed: 20, slow: 30 })
  })

  it('F29 forgets by time, however long nothing was added', () => {
    expect(sumOf(everySecond(10), NOW + 3_600_000)).toEqual({ ok: 0, failed: 0, slow: 0 })
    expect(sumOf(addTo(everySecond(10), one, NOW + 3_600_000), NOW + 3_600_000)).toEqual(one)
  })

  it('keeps no more than ten seconds', () => {
    expect(everySecond(1_000)).toHaveLength(10)
  })
})
