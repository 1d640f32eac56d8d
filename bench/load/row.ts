/** What a row of the load table is, and how a run is made smaller. */
import type { Sample } from './plan.ts'
import type { InspectedYard, Yard, YardOptions } from './yard.ts'

/** One thing that was measured, and whether it is as it must be. */
export type Figure = {
  readonly what: string
  readonly figure: string
  readonly target: string
  readonly holds: boolean
}

export type Stage = {
  readonly scale: Scale
  /** A gateway with services behind it, for this row alone. It ends with the row. */
  open(options?: YardOptions): Promise<Yard>
  /** The same with its heap laid open, and slower for it. */
  openInspected(): Promise<InspectedYard>
}

export type Row = {
  readonly id: string
  /** What is done, in one sentence. */
  readonly what: string
  run(stage: Stage): Promise<readonly Figure[]>
}

/** So much wider are bounds of time in a run that is scaled down: it shares its machine with other work. */
const GENEROSITY = 5

/** The whole load, or a part of it: of rates, counts and durations alike. */
export class Scale {
  readonly #part: number

  /** `part`: above 0, at most 1. */
  constructor(part: number) {
    this.#part = part
  }

  rate(perSecond: number): number {
    return perSecond * this.#part
  }

  count(whole: number): number {
    return Math.max(1, Math.round(whole * this.#part))
  }

  ms(whole: number): number {
    return Math.round(whole * this.#part)
  }

  /** The bound of a time or a ratio of times. */
  bound(whole: number): number {
    return this.#part < 1 ? whole * GENEROSITY : whole
  }
}

/** A figure that may be at most `most`; `NaN` of what did not occur, which never holds. */
export const atMost = (what: string, value: number, most: number, unit: string): Figure => ({
  what,
  figure: Number.isNaN(value) ? 'nothing to measure' : `${brief(value)} ${unit}`.trim(),
  target: `≤ ${brief(most)} ${unit}`.trim(),
  holds: value <= most,
})

/** A count that must be exactly this one. */
export const exactly = (what: string, value: number, wanted: number): Figure => ({
  what,
  figure: String(value),
  target: String(wanted),
  holds: value === wanted,
})

/** A figure without a target, to read the others by. */
export const told = (what: string, value: number, unit: string): Figure => ({
  what,
  figure: `${brief(value)} ${unit}`.trimEnd(),
  target: '',
  holds: true,
})

/** Answers of which there must be none, told by what they are. */
export const none = (what: string, samples: readonly Sample[]): Figure => ({
  what,
  figure: samples.length === 0 ? '0' : `${samples.length}: ${kindsOf(samples)}`,
  target: '0',
  holds: samples.length === 0,
})

function kindsOf(samples: readonly Sample[]): string {
  const counts = new Map<string, number>()
  for (const { status, code, messages } of samples) {
    const what = status === 0 ? 'no answer' : `${status} ${code ?? `with ${messages} messages`}`
    counts.set(what, (counts.get(what) ?? 0) + 1)
  }
  return [...counts].map(([what, count]) => `${count} × ${what}`).join(', ')
}

const brief = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(2))
