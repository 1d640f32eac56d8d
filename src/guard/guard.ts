/**
 * Leave for calls, as an isolate gives it: from a lease where one lives, else from the guard of the service, else, when
 * that cannot be had in time, from a stand-in that lets through a tenth.
 */
import type { Background } from '../platform/background.ts'
import { type CallCount, LEASE_MS, type Limits } from './admission.ts'
import type { Strategy } from './balance.ts'
import { chooseInstance, type Instances, type Wish } from './choice.ts'
import { type Denial, Desk, type Pass } from './desk.ts'
import { Gate } from './gate.ts'
import { NO_NEWS, type Note, type Outcome, tallyOf } from './ledger.ts'
import { guardPolicy, type Matter, Teller, type TellerPorts } from './teller.ts'

/** The service behind which calls go. */
export type Subject = {
  readonly id: string
  readonly limits: Limits
  /** Differs when the limits do. */
  readonly version: string
  readonly strategy: Strategy
  readonly instances: Instances
}

/** Whose guard keeps a record. */
export type Recorded = Pick<Subject, 'id' | 'limits' | 'version'>

/** Leave for one call to one instance. */
export type Permit = {
  readonly url: string
  /** Once, whatever became of the call; a second time changes nothing. */
  settle(outcome: Outcome, background: Background): void
}

export type GuardPorts = TellerPorts & {
  /** From 0 to 1. */
  readonly random: () => number
}

/** What the stand-in lets through: this share of the rate, and so many at once. */
const FALLBACK = { share: 0.1, burst: 5 } as const
const MAX_DESKS = 10_000
/** Calls that share what is there with those of other isolates may need several turns. */
const TURNS_MS = 2 * guardPolicy.budgetMs

export class Guard {
  readonly #ports: GuardPorts
  readonly #teller: Teller
  readonly #desks = new Map<string, Desk>()

  constructor(ports: GuardPorts) {
    this.#ports = ports
    this.#teller = new Teller(ports)
  }

  /** Leave for one call, or why not: at once where a lease lives. */
  admit(subject: Subject, wish: Wish, background: Background): Permit | Denial | Promise<Permit | Denial> {
    const matter = this.#matterOf(subject)
    const { desk } = matter
    const now = this.#ports.clock()
    desk.meter.note(now)
    if (!wish.isRetry) {
      if (subject.limits.needsRecords && desk.ledger.isCrowded) return this.#turnAway(matter, background)
      desk.budget.noteCall(now)
    }
    const taken = desk.take(now)
    if (!taken) return this.#ask(matter, subject, wish, background)
    if (desk.isLow(now)) this.#teller.renew(matter, background)
    return this.#give(taken, matter, subject, wish, background)
  }

  /** Takes a record on its way to where it is kept. */
  record(subject: Recorded, note: Note, background: Background): void {
    this.#keep(this.#matterOf(subject), note, background)
  }

  /** A call is over, or was refused: counts it, and takes its record where it has one. */
  conclude(subject: Recorded, status: CallCount, note: Note | undefined, background: Background): void {
    const matter = this.#matterOf(subject)
    matter.desk.ledger.noteCall(status)
    if (note) this.#keep(matter, note, background)
    else this.#teller.flushSoon(matter, background)
  }

  #keep(matter: Matter, note: Note, background: Background): void {
    matter.desk.ledger.keep(note)
    if (matter.desk.ledger.isFull) this.#teller.renew(matter, background)
    this.#teller.flushSoon(matter, background)
  }

  /** Whether a call that failed may be sent once more: repeats are a small share of all calls (S55). */
  mayRetry(subject: Subject): boolean {
    const { desk } = this.#matterOf(subject)
    const isAllowed = desk.budget.spend(this.#ports.clock())
    if (isAllowed) desk.ledger.note('retried', 1)
    return isAllowed
  }

  /** Where every call must be recorded, none goes whose record may find no room (F59). */
  #turnAway(matter: Matter, background: Background): Denial {
    matter.desk.ledger.noteRefusal('audit')
    this.#teller.flushSoon(matter, background)
    return { why: 'audit', retryAfterMs: guardPolicy.awayMs }
  }

  async #ask(matter: Matter, subject: Subject, wish: Wish, background: Background): Promise<Permit | Denial> {
    return this.#give(await this.#obtain(matter, background), matter, subject, wish, background)
  }

  /** What the guard gives may be taken by another call before this one comes to it; then it is asked again. */
  async #obtain(matter: Matter, background: Background): Promise<Pass | Denial> {
    const { desk } = matter
    const { clock } = this.#ports
    const giveUpAt = clock() + TURNS_MS
    desk.waiting++
    try {
      for (;;) {
        const answer = await this.#teller.ask(matter, background)
        const now = clock()
        if (answer?.is === 'go' && answer.isProbe) return { ...answer, isFallback: false }
        const taken = desk.take(now)
        if (taken) return taken
        if (!answer) return this.#standIn(matter, now)
        if (now >= giveUpAt) return { why: 'rate', retryAfterMs: LEASE_MS }
      }
    } finally {
      desk.waiting--
    }
  }

  #give(
    taken: Pass | Denial,
    matter: Matter,
    subject: Subject,
    wish: Wish,
    background: Background,
  ): Permit | Denial {
    if (!('why' in taken)) return this.#issue(taken, matter, subject, wish)
    matter.desk.ledger.noteRefusal(taken.why)
    this.#teller.flushSoon(matter, background)
    return taken
  }

  #issue(pass: Pass, matter: Matter, { strategy, instances }: Subject, wish: Wish): Permit {
    const { clock, random } = this.#ports
    const { desk } = matter
    const { ledger } = desk
    const url = chooseInstance(strategy, instances, wish, {
      views: pass.instances,
      inFlightAt: (each) => ledger.inFlightAt(each),
      turn: desk.turn++,
      random: random(),
    })
    const startedAt = clock()
    ledger.noteBegin(url)
    let isSettled = false
    return {
      url,
      settle: (outcome, background) => {
        if (isSettled) return
        isSettled = true
        this.#settle(pass, matter, url, outcome, clock() - startedAt, background)
      },
    }
  }

  #settle(
    { generation, isProbe, isFallback }: Pass,
    matter: Matter,
    url: string,
    outcome: Outcome,
    durationMs: number,
    background: Background,
  ): void {
    const { desk } = matter
    if (isFallback) {
      desk.ledger.note('fallback', 1)
      this.#tellStandIn(matter, tallyOf(url, generation, outcome))
    }
    // The stand-in counts generations of its own, which mean nothing to the guard.
    desk.ledger.noteEnd(url, isFallback ? NO_GENERATION : generation, outcome, durationMs)
    const isUrgent = isProbe || outcome.is === 'failed' || (outcome.is === 'neutral' && outcome.pauseMs > 0)
    if (!isUrgent) return this.#teller.flushSoon(matter, background)
    // The guard may think differently of the next call.
    desk.dropLease(this.#ports.clock())
    this.#teller.flushNow(matter, background)
  }

  #standIn(matter: Matter, now: number): Pass | Denial {
    const { desk } = matter
    const known = desk.denial(now)
    if (known) return known
    desk.standIn ??= new Gate()
    const request = { isolate: '', want: 1, waiting: 1, limits: reduced(matter.limits), report: NO_NEWS }
    const answer = desk.standIn.admit(request, now, this.#ports.random())
    if (answer.is === 'go') return { ...answer, isFallback: true }
    return answer.is === 'no' ? answer : { why: 'open', retryAfterMs: 0 }
  }

  #tellStandIn({ desk, limits }: Matter, tally: ReturnType<typeof tallyOf>): void {
    const report = { ...NO_NEWS, tallies: [tally] }
    const request = { isolate: '', want: 0, waiting: 0, limits: reduced(limits), report }
    desk.standIn?.admit(request, this.#ports.clock(), this.#ports.random())
  }

  #matterOf({ id, limits, version }: Recorded): Matter {
    let desk = this.#desks.get(id)
    if (!desk) {
      if (this.#desks.size >= MAX_DESKS) this.#desks.clear()
      desk = new Desk()
      this.#desks.set(id, desk)
    }
    desk.heed(version, this.#ports.clock())
    return { desk, id, limits }
  }
}

/** No guard begins with this generation. */
const NO_GENERATION = 0

const reduced = (limits: Limits): Limits => ({
  ...limits,
  rate: limits.rate && {
    requestsPerMinute: limits.rate.requestsPerMinute * FALLBACK.share,
    burstLimit: Math.min(limits.rate.burstLimit, FALLBACK.burst),
  },
})
