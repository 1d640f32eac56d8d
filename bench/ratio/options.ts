/** The options of `npm run bench`. */
import { parseArgs } from 'node:util'
import type { Pace, Row } from './row.ts'

export type Options = {
  readonly rows: readonly Row[]
  readonly pace: Pace
  /** Where the report goes, beside the terminal. */
  readonly json: string | undefined
  /** The baseline with which ratios are compared. */
  readonly against: string | undefined
  /** Where the ratios of this run are kept as a baseline. */
  readonly baseline: string | undefined
}

const FULL: Pace = { isQuick: false, warmMs: 150, forMs: 500, repeats: 3 }
const QUICK: Pace = { isQuick: true, warmMs: 100, forMs: 350, repeats: 5 }

/** Throws one line that names the option and what it takes. */
export function readOptions(args: readonly string[], rows: readonly Row[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      row: { type: 'string', multiple: true },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      against: { type: 'string' },
      baseline: { type: 'string' },
    },
  })
  const { quick, json, against, baseline } = values
  const wanted = values.row?.map((id) => {
    const row = rows.find((each) => each.id === id)
    if (row) return row
    throw new Error(`--row must be one of ${rows.map((each) => each.id).join(', ')}, not '${id}'.`)
  })
  return {
    rows: wanted ?? rows.filter(({ isInQuick }) => isInQuick || !quick),
    pace: quick ? QUICK : FULL,
    json,
    against,
    baseline,
  }
}
