/** The arithmetic of the benchmark. Pure. */

/** `NaN` of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** The value that so many percent of the values stay within. */
export function percentileOf(values: readonly number[]): (percent: number) => number {
  const sorted = Float64Array.from(values).sort()
  return (percent) => sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN
}

/** So that nobody always comes first. */
export const rotate = <T>(values: readonly T[], by: number): T[] =>
  values.map((_, at) => values[(at + by) % values.length]).filter((value) => value !== undefined)
