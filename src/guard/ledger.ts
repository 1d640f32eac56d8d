/** What happened in this isolate and its service's guard has not been told yet. */
import type { CallCount, InstanceCounts, Report, Why } from './admission.ts'
import { Latencies } from './latency.ts'

/** What became of a call, as far as the guard is concerned. */
export type Outcome =
  | { readonly is: 'ok'; readonly isSlow: boolean }
  /** `wasUnreached`: it did not even reach the service. `retryAfterMs`: what the service asked for, or 0. */
  | { readonly is: 'failed'; readonly wasUnreached: boolean; readonly retryAfterMs: number }
  /** It says nothing about the service. `pauseMs`: for so long the service wants to be left alone, or 0. */
  | { readonly is: 'neutral'; readonly pauseMs: number }

/** A record that the guard is to keep. It is written out when the guard is told, not while its call is answered. */
export type Note = {
  /** What it holds in memory, about. */
  readonly chars: number
  readonly write: () => string | Promise<string>
  /** The same with less in it, for where there is no room for all. */
  readonly bare?: () => Note
}

/** Records that are kept while the guard cannot be reached (F59). */
const MAX_RECORDS = 1_000
const MAX_RECORD_CHARS = 1_048_576
/** A busy isolate tells of so many at once: this share of them. */
const FULL_SHARE = 0.25
/** Where each call must be recorded, the rest of the room is for those that are under way. */
const CROWDED_SHARE = 0.5
/** What holds more than it must leaves this much, in which as many records as may be find room without. */
const BARE_SHARE = 0.65

/** What the guard is told, before its records are written out. */
export type News = Omit<Report, 'records'> & { readonly notes: readonly Note[] }

export class Ledger {
  readonly #inFlight = new Map<string, number>()
  readonly #tallies = new Map<string, InstanceCounts>()
  readonly #durations = new Latencies()
  #durationsMs = 0
  readonly #calls = new Map<CallCount, number>()
  #counts = NO_COUNTS
  #pauseMs = 0
  #notes: Note[] = []
  #noteChars = 0

  get isEmpty(): boolean {
    const hasCounts = this.#counts !== NO_COUNTS || this.#calls.size > 0
    return this.#tallies.size === 0 && this.#notes.length === 0 && !hasCounts
  }

  /** It is time to tell the guard, however little time has passed. */
  get isFull(): boolean {
    return this.#isTaken(FULL_SHARE)
  }

  /** The guard has not taken records for so long that there may be no room for those of further calls. */
  get isCrowded(): boolean {
    return this.#isTaken(CROWDED_SHARE)
  }

  noteBegin(url: string): void {
    this.#inFlight.set(url, this.inFlightAt(url) + 1)
  }

  /** The end of a call that began in this generation. */
  noteEnd(url: string, generation: number, outcome: Outcome, durationMs: number): void {
    const left = this.inFlightAt(url) - 1
    if (left > 0) this.#inFlight.set(url, left)
    else this.#inFlight.delete(url)
    const key = `${generation} ${url}`
    const tally = tallyOf(url, generation, outcome)
    this.#tallies.set(key, together(this.#tallies.get(key), tally))
    if (outcome.is === 'neutral') this.#pauseMs = Math.max(this.#pauseMs, outcome.pauseMs)
    else this.#noteDuration(durationMs)
  }

  noteCall(status: CallCount): void {
    this.#calls.set(status, (this.#calls.get(status) ?? 0) + 1)
  }

  inFlightAt(url: string): number {
    return this.#inFlight.get(url) ?? 0
  }

  noteRefusal(why: Why): void {
    const { refused } = this.#counts
    this.#counts = { ...this.#counts, refused: { ...refused, [why]: refused[why] + 1 } }
  }

  note(what: 'unused' | 'retried' | 'fallback' | 'dropped', count: number): void {
    this.#counts = { ...this.#counts, [what]: this.#counts[what] + count }
  }

  /** Keeps a record, with less in it where there is no room for all, or counts it as dropped. */
  keep(note: Note): void {
    const chars = this.#noteChars + note.chars
    const room = MAX_RECORD_CHARS * (note.bare ? 1 - BARE_SHARE : 1)
    if (this.#notes.length < MAX_RECORDS && chars <= room) {
      this.#notes.push(note)
      this.#noteChars = chars
    } else if (this.#notes.length < MAX_RECORDS && note.bare) this.keep(note.bare())
    else this.note('dropped', 1)
  }

  /** All of it, which is forgotten here; but calls that are under way still are. */
  drain(): News {
    const news: News = {
      ...this.#counts,
      tallies: [...this.#tallies.values()],
      pauseMs: this.#pauseMs,
      durations: this.#durations.drain(),
      durationsMs: this.#durationsMs,
      calls: Object.fromEntries(this.#calls),
      inFlight: Object.fromEntries(this.#inFlight),
      notes: this.#notes,
    }
    this.#counts = NO_COUNTS
    this.#durationsMs = 0
    this.#calls.clear()
    this.#tallies.clear()
    this.#pauseMs = 0
    this.#notes = []
    this.#noteChars = 0
    return news
  }

  #noteDuration(durationMs: number): void {
    this.#durations.add(durationMs)
    this.#durationsMs += durationMs
  }

  #isTaken(share: number): boolean {
    return this.#notes.length >= MAX_RECORDS * share || this.#noteChars >= MAX_RECORD_CHARS * share
  }
}

type Counts = Pick<Report, 'unused' | 'retried' | 'fallback' | 'dropped' | 'refused'>

const NO_COUNTS: Counts = {
  unused: 0,
  retried: 0,
  fallback: 0,
  dropped: 0,
  refused: { rate: 0, open: 0, throttled: 0, audit: 0 },
}

/** A report that tells nothing. */
export const NO_NEWS: Report = {
  ...NO_COUNTS,
  tallies: [],
  pauseMs: 0,
  durations: [],
  durationsMs: 0,
  calls: {},
  inFlight: {},
  records: [],
}

/** One call. */
export function tallyOf(url: string, generation: number, outcome: Outcome): InstanceCounts {
  const isFailed = outcome.is === 'failed'
  return {
    url,
    generation,
    ok: outcome.is === 'ok' ? 1 : 0,
    slow: outcome.is === 'ok' && outcome.isSlow ? 1 : 0,
    failed: isFailed ? 1 : 0,
    unreached: isFailed && outcome.wasUnreached ? 1 : 0,
    neutral: outcome.is === 'neutral' ? 1 : 0,
    retryAfterMs: isFailed ? outcome.retryAfterMs : 0,
  }
}

const together = (a: InstanceCounts | undefined, b: InstanceCounts): InstanceCounts =>
  a
    ? {
        ...a,
        ok: a.ok + b.ok,
        slow: a.slow + b.slow,
        failed: a.failed + b.failed,
        unreached: a.unreached + b.unreached,
        neutral: a.neutral + b.neutral,
        retryAfterMs: Math.max(a.retryAfterMs, b.retryAfterMs),
      }
    : b
