/** What `npm run bench` takes. */
import { describe, expect, it } from 'vitest'
import { readOptions } from '../../../bench/ratio/options.ts'
import type { Row } from '../../../bench/ratio/row.ts'

const row = (id: string, isInQuick: boolean): Row => ({ id, what: id, isInQuick, run: async () => [] })
const ROWS = [row('call', true), row('cold', false)]

const idsOf = (...args: readonly string[]): string[] => readOptions(args, ROWS).rows.map(({ id }) => id)

describe('the options', () => {
  it('take every row, in the short form those that it has, and whatever rows are named', () => {
    expect(idsOf()).toEqual(['call', 'cold'])
    expect(idsOf('--quick')).toEqual(['call'])
    expect(idsOf('--quick', '--row', 'cold')).toEqual(['cold'])
  })

  it('make the laps of the short form shorter', () => {
    const [full, quick] = [[], ['--quick']].map((args) => readOptions(args, ROWS).pace)
    expect(quick?.forMs).toBeLessThan(full?.forMs ?? 0)
    expect([full?.isQuick, quick?.isQuick]).toEqual([false, true])
  })

  it('name what they do not know', () => {
    expect(() => readOptions(['--row', 'warm'], ROWS)).toThrow("--row must be one of call, cold, not 'warm'.")
    expect(() => readOptions(['--fast'], ROWS)).toThrow(/--fast/)
  })
})
