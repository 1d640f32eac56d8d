/**
 * Isolates with a guard each, the gates that these ask over a network that delays and loses, and calls that begin and
 * end. What the gates granted and what the isolates let through is kept in a book, where it can be compared.
 */
import type { Admission, AdmitRequest } from '../../../src/guard/admission.ts'
import type { Denial } from '../../../src/guard/desk.ts'
import { Guard, type Permit, type Subject } from '../../../src/guard/guard.ts'
import type { Wish } from '../../../src/guard/choice.ts'
import type { Outcome } from '../../../src/guard/ledger.ts'
import { guardPolicy } from '../../../src/guard/teller.ts'
import { err, ok, type Result } from '../../../src/platform/result.ts'
import { Keeper } from './keeper.ts'
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
    this.guards[isolate]?.record(service, { chars: text.length, write: () => text }, this.#background)
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

/** A call, and so much time; more where it is not decided yet. */
export async function callIn(world: World, call: Call = {}, forMs = 600): Promise<Permit | Denial> {
  const answers: (Permit | Denial)[] = []
  void world.call(call).then((answer) => answers.push(answer))
  await world.timeline.run(forMs)
  for (let left = 2_000; left > 0 && answers.length === 0; left--) await world.timeline.run(1)
  const [answer] = answers
  if (!answer) throw new Error('it was never decided')
  return answer
}

export async function fail(world: World, times: number, call: Call = {}): Promise<void> {
  for (let at = 0; at < times; at++) await callIn(world, { outcome: FAILED, ...call }, 50)
}
