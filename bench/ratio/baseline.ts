/** What the ratios of a run were once, and whether they fell since. Pure. */
import type { Told } from './figure.ts'

/** By row and by what they are. Nothing but ratios can be compared with other runs, let alone other machines. */
export type Baseline = Readonly<Record<string, Readonly<Record<string, number>>>>

/** A ratio that is worse than it was by more than a third, or that nobody measured; then it is `NaN`. */
export type Fall = { readonly row: string; readonly what: string; readonly was: number; readonly is: number }

/** Above the noise of a shared machine. */
const MOST_FALL = 1 / 3

export function baselineOf(figures: readonly Told[]): Baseline {
  const baseline: Record<string, Record<string, number>> = {}
  for (const { row, what, value, unit } of figures) {
    if (unit === '×') baseline[row] = { ...baseline[row], [what]: Number(value.toPrecision(3)) }
  }
  return baseline
}

/** Of the rows that were run: `figures` holds at least one of each. What the baseline does not know never falls. */
export function findFalls(figures: readonly Told[], baseline: Baseline): Fall[] {
  const rows = [...new Set(figures.map(({ row }) => row))]
  return rows.flatMap((row) =>
    Object.entries(baseline[row] ?? {}).flatMap(([what, was]) => {
      const figure = figures.find((each) => each.row === row && each.what === what)
      const is = figure?.value ?? Number.NaN
      const kept = figure?.better === 'less' ? was / is : is / was
      return kept >= 1 - MOST_FALL ? [] : [{ row, what, was, is }]
    }),
  )
}
