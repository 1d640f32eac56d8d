/**
 * Tells the guard of a service what happened here, and asks it for leave in the same breath. What went well is told in
 * batches, failures at once; a lease is renewed before it ends, so that no call waits for it.
 */
import type { Background } from '../platform/background.ts'
import type { Clock } from '../platform/clock.ts'
import { wait, within } from '../platform/deadline.ts'
import type { Result } from '../platform/result.ts'
import type { Admission, AdmitRequest, Limits } from './admission.ts'
import type { Desk } from './desk.ts'

/** The desk of a service, and what its guard is told of it each time. */
export type Matter = { readonly desk: Desk; readonly id: string; readonly limits: Limits }

export type TellerPorts = {
  /** Asks the guard of this service, which may be far away or lost. */
  readonly ask: (serviceId: string, request: AdmitRequest) => Promise<Result<Admission, unknown>>
  readonly clock: Clock
  /** Who asks. */
  readonly isolate: string
}

/** What the guard costs a call at most, and what its absence means (F43–F45). */
export const guardPolicy = {
  budgetMs: 250,
  /** After a loss it is not asked for so long. */
  awayMs: 1_000,
  onLoss: 'a tenth of the rate; the breaker as last known, then one of this isolate',
} as const

/** What went well is told after this. Together with the way to the guard it stays below a second. */
const FLUSH_MS = 900
const LOOK_EVERY_MS = 5
/** What could not be told is told again so often, after longer and longer pauses. */
const FLUSH_ATTEMPTS = 4

export class Teller {
  readonly #ports: TellerPorts

  constructor(ports: TellerPorts) {
    this.#ports = ports
  }

  /**
   * For calls that wait: one asks for all. `undefined`: the guard cannot be had in time, and what it grants later is
   * never spent (F45).
   */
  async ask(matter: Matter, background: Background): Promise<Admission | undefined> {
    const { desk } = matter
    const { clock } = this.#ports
    const { telling } = desk
    if (clock() < desk.awayUntil) return undefined
    if (telling && !(await this.#isOver(() => desk.telling !== telling))) {
      if (desk.telling === telling) desk.telling = undefined
      return this.#lose(desk)
    }
    const now = clock()
    if (now < desk.awayUntil) return undefined
    if (desk.isAsking(now)) {
      const { asking } = desk
      await this.#isOver(() => desk.asking !== asking)
      return { is: 'noted' }
    }
    const { era } = desk
    const asking = this.#askFor(
      matter,
      Math.max(desk.waiting, desk.wanted(now, matter.limits.rate)),
      desk.waiting,
    )
    background(asking)
    const answer = await this.#inTime(asking)
    if (!answer) background(asking.then((late) => late.ok && desk.decline(late.value)))
    if (!answer?.ok) return this.#lose(desk)
    desk.accept(answer.value, clock(), era, desk.waiting)
    return answer.value
  }

  renew(matter: Matter, background: Background): void {
    const { desk } = matter
    const now = this.#ports.clock()
    if (desk.isAsking(now) || now < desk.awayUntil) return
    background(this.#tellAndAccept(matter, desk.wanted(now, matter.limits.rate)))
  }

  flushNow(matter: Matter, background: Background): void {
    const { desk } = matter
    const telling = this.#tellAndAccept(matter, 0).finally(() => {
      if (desk.telling === telling) desk.telling = undefined
    })
    desk.telling = telling
    background(telling)
  }

  flushSoon(matter: Matter, background: Background): void {
    const { desk } = matter
    const { clock } = this.#ports
    const now = clock()
    // One that is long overdue went down with the request that it belonged to.
    if (now < desk.flushDueAt + 2 * FLUSH_MS) return
    desk.flushDueAt = now + FLUSH_MS
    const flush = async (): Promise<void> => {
      await wait(FLUSH_MS)
      // What has happened since the guard was last told may wait as long as anything.
      const restMs = desk.toldAt + FLUSH_MS - clock()
      if (restMs > 0) await wait(restMs)
      // Records wait for a guard that is away, also where no call follows.
      for (let attempt = 1; !(await this.#flush(matter)) && attempt <= FLUSH_ATTEMPTS; attempt++) {
        desk.flushDueAt = clock() + attempt * guardPolicy.awayMs
        await wait(attempt * guardPolicy.awayMs)
      }
    }
    background(flush())
  }

  /** False: the guard could not be told. */
  async #flush(matter: Matter): Promise<boolean> {
    const { desk } = matter
    desk.flushDueAt = 0
    if (desk.ledger.isEmpty) return true
    const now = this.#ports.clock()
    const want = desk.isBusy(now) && !desk.isAsking(now) ? desk.wanted(now, matter.limits.rate) : 0
    return await this.#tellAndAccept(matter, want)
  }

  /** False: the guard could not be told. */
  async #tellAndAccept(matter: Matter, want: number): Promise<boolean> {
    const { clock } = this.#ports
    const { desk } = matter
    const { era } = desk
    const startedAt = clock()
    const answer = await (want > 0 ? this.#askFor(matter, want, 0) : this.#tell(matter, 0, 0))
    if (!answer.ok) return false
    const isLate = clock() - startedAt > guardPolicy.budgetMs
    if (isLate) desk.decline(answer.value)
    else desk.accept(answer.value, clock(), era, 0)
    return true
  }

  /** Lets the desk know that leave is asked for. A question that is not answered in time keeps nobody from another. */
  #askFor(matter: Matter, want: number, waiting: number): Promise<Result<Admission, unknown>> {
    const { desk } = matter
    const answered = this.#tell(matter, want, waiting)
    const askedAt = this.#ports.clock()
    const asking = { until: askedAt + guardPolicy.budgetMs }
    desk.asking = asking
    return answered.finally(() => {
      desk.answerMs = this.#ports.clock() - askedAt
      if (desk.asking === asking) desk.asking = undefined
    })
  }

  /**
   * Waits for what another request does, by looking at it: a promise that is settled in another request's context may
   * never be heard of in this one. False: it took too long.
   */
  async #isOver(look: () => boolean): Promise<boolean> {
    const until = this.#ports.clock() + guardPolicy.budgetMs
    while (!look()) {
      if (this.#ports.clock() >= until) return false
      await wait(LOOK_EVERY_MS)
    }
    return true
  }

  /** `undefined`: too late. Where this isolate was late itself, its guard may have answered long ago. */
  async #inTime<T>(work: Promise<T>): Promise<T | undefined> {
    const { budgetMs } = guardPolicy
    const startedAt = this.#ports.clock()
    const answer = await within(budgetMs, work)
    const lateMs = this.#ports.clock() - startedAt - budgetMs
    return answer === undefined && lateMs > budgetMs / 5 ? await within(budgetMs, work) : answer
  }

  #lose(desk: Desk): undefined {
    desk.awayUntil = this.#ports.clock() + guardPolicy.awayMs
  }

  async #tell(
    { desk, id, limits }: Matter,
    want: number,
    waiting: number,
  ): Promise<Result<Admission, unknown>> {
    const { ask, isolate } = this.#ports
    const { notes, ...counts } = desk.ledger.drain()
    desk.toldAt = this.#ports.clock()
    const records = notes.length > 0 ? await Promise.all(notes.map((note) => note.write())) : []
    const answer = await ask(id, { isolate, want, waiting, limits, report: { ...counts, records } })
    // Records have names of their own, so a second time does no harm; counts that are lost, are.
    if (!answer.ok) {
      if (counts.dropped > 0) desk.ledger.note('dropped', counts.dropped)
      for (const note of notes) desk.ledger.keep(note)
    }
    return answer
  }
}
