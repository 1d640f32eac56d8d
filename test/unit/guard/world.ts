/**
 * Isolates with a guard each, the gates that these ask over a network that delays and loses, and calls that begin and
 * end. What the gates granted and what the isolates let through is kept in a book, where it can be compared.
 */
import type { Admission, AdmitRequest } from '../../../src/guard/admission.ts'
import type { Breaker } from '../../../src/guard/breaker.ts'
import { Gate, type SavedGate } from '../../../src/guard/gate.ts'
import type { Denial } from '../../../src/guard/desk.ts'
import { Guard, type Permit, type Subject } from '../../../src/guard/guard.ts'
import type { Wish } from '../../../src/guard/choice.ts'
import type { Outcome } from '../../../src/guard/ledger.ts'
import { guardPolicy } from '../../../src/guard/teller.ts'
import { err, ok, type Result } from '../../../src/platform/result.ts'
import { LIMITS } from './request.ts'
import { Timeline } from './timeline.ts'

export const OK: Outcome = { is: 'ok', isSlow: false }
export const FAILED: Outcome = { is: 'failed', wasUnreached: false, retryAfterMs: 0 }
export const NEUTRAL: Outcome = { is: 'neutral', pauseMs: 0 }

export const subjectOf = (subject: Partial<Subject> = {}): Subject => ({
  id: 'service',
  limits: LIMITS,
  version: JSON.stringify(subject.limits ?? LIMITS),
  strategy: 'round_robin',
  instances: [{ url: 'https://one.example/mcp', weight: 1 }],
  ...subject,
})

/** What becomes of one question to a gate: how long there and back, and whether it or its answer is lost. */
export type Passage = {
  readonly thereMs: number
  readonly backMs: number
  readonly loses?: 'question' | 'answer' | undefined
}

export const quick: Passage = { thereMs: 5, backMs: 5 }

type Mark = {
  readonly at: number
  /** Calls let through so far. */
  readonly gone: number
  /** Tokens that are out: granted, and neither used nor given back nor lost on the way. */
  readonly outstanding: number
}

/** The gate of one service, as the object keeps it: state in memory, and what survives it. */
export class Keeper {
  gate = new Gate()
  saved: SavedGate = this.gate.saved
  readonly records: string[] = []
  /** What the breaker was after each question. */
  readonly breakers: (Breaker & { readonly at: number })[] = []
  /** Before and after each event. */
  readonly book: Mark[] = []
  #gone = 0
  #outstanding = 0

  admit(request: AdmitRequest, now: number, random: number): Admission {
    const admission = this.gate.admit(request, now, random)
    this.saved = this.gate.saved
    this.records.push(...request.report.records)
    this.breakers.push({ ...this.gate.breaker, at: now })
    this.#note(now, 0, (admission.is === 'go' ? (admission.tokens ?? 0) : 0) - request.report.unused)
    return admission
  }

  /** A call was let through. */
  go(now: number): void {
    this.#note(now, 1, -1)
  }

  /** Tokens that were granted came too late, or not at all. */
  lose(now: number, tokens: number): void {
    this.#note(now, 0, -tokens)
  }

  #note(at: number, gone: number, outstanding: number): void {
    this.book.push({ at, gone: this.#gone, outstanding: this.#outstanding })
    this.#gone += gone
    this.#outstanding += outstanding
    this.book.push({ at, gone: this.#gone, outstanding: this.#outstanding })
  }

  /** The object loses its memory, and these tokens that it had not written down. */
  evict(bucket = this.saved.bucket): void {
    this.gate = new Gate({ ...this.saved, bucket })
  }
}

export type Call = {
  readonly service?: Subject
  readonly isolate?: number
  readonly outcome?: Outcome
  readonly durationMs?: number
  readonly wish?: Wish
}

/** A call that was let through. */
export type Entry = {
  readonly at: number
  readonly serviceId: string
  readonly isolate: number
  readonly url: string
}

export class World {
  readonly timeline = new Timeline()
  readonly keepers = new Map<string, Keeper>()
  readonly guards: readonly Guard[]
  readonly entries: Entry[] = []
  readonly denials: Denial[] = []
  readonly asks: AdmitRequest[] = []
  /** How long each call waited for its leave. */
  readonly waitsMs: number[] = []
  /** Calls that the service works on now, and the most that it ever did since this was set to 0. */
  inFlight = 0
  mostInFlight = 0
  passage: (serviceId: string) => Passage = () => quick
  readonly #random: () => number
  readonly #background = (work: Promise<unknown>): void => void work

  constructor(isolates = 1, random: () => number = () => 0.5) {
    this.#random = random
    const { clock } = this.timeline
    this.guards = Array.from(
      { length: isolates },
      (_, at) => new Guard({ ask: this.#ask, clock, isolate: `isolate-${at}`, random }),
    )
  }

  keeperOf(serviceId = 'service'): Keeper {
    const keeper = this.keepers.get(serviceId) ?? new Keeper()
    this.keepers.set(serviceId, keeper)
    return keeper
  }

  /** Settles when it is known whether the call may go; the call itself ends after its duration. */
  async call({
    service = subjectOf(),
    isolate = 0,
    outcome = OK,
    durationMs = 10,
    wish = {},
  }: Call = {}): Promise<Permit | Denial> {
    const askedAt = this.timeline.now
    const answer = await this.guards[isolate]?.admit(service, wish, this.#background)
    this.waitsMs.push(this.timeline.now - askedAt)
    if (!answer || 'why' in answer) {
      if (answer) this.denials.push(answer)
      return answer ?? { why: 'open', retryAfterMs: 0 }
    }
    this.#enter(service.id, isolate, answer.url)
    this.timeline.after(durationMs, () => {
      this.inFlight--
      answer.settle(outcome, this.#background)
      // Said twice, it must count once.
      answer.settle(FAILED, this.#background)
    })
    return answer
  }

  record(text: string, isolate = 0, service = subjectOf()): void {
    this.guards[isolate]?.record(service, text, this.#background)
  }

  #enter(serviceId: string, isolate: number, url: string): void {
    const at = this.timeline.now
    this.entries.push({ at, serviceId, isolate, url })
    this.keeperOf(serviceId).go(at)
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight)
  }

  readonly #ask = async (serviceId: string, request: AdmitRequest): Promise<Result<Admission, string>> => {
    this.asks.push(request)
    const { timeline } = this
    const { thereMs, backMs, loses } = this.passage(serviceId)
    await timeline.wait(thereMs)
    if (loses === 'question') return err('lost')
    const keeper = this.keeperOf(serviceId)
    const admission = keeper.admit(request, timeline.now, this.#random())
    await timeline.wait(backMs)
    const isLate = thereMs + backMs > guardPolicy.budgetMs
    if (admission.is === 'go' && (loses === 'answer' || isLate))
      keeper.lose(timeline.now, admission.tokens ?? 0)
    return loses === 'answer' ? err('lost') : ok(admission)
  }
}
