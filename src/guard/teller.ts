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
const FLUSH_MS = 600

export class Teller {
  readonly #ports: TellerPorts

  constructor(ports: TellerPorts) {
    this.#ports = ports
  }

  /** For a call that waits. `undefined`: the guard cannot be had in time, and what it grants later is never spent. */
  async ask(matter: Matter, background: Background): Promise<Admission | undefined> {
    const { desk } = matter
    const { clock } = this.#ports
    if (clock() < desk.awayUntil) return undefined
    if (
      desk.telling &&
      !(await within(
        guardPolicy.budgetMs,
        desk.telling.then(() => true),
      ))
    ) {
      desk.telling = undefined
      return this.#lose(desk)
    }
    if (clock() < desk.awayUntil) return undefined
    const { era } = desk
    const asking = this.#tell(matter, this.#wantOf(desk), true)
    background(asking)
    const answer = await within(guardPolicy.budgetMs, asking)
    if (!answer?.ok) return this.#lose(desk)
    desk.askingUntil = 0
    desk.accept(answer.value, clock(), era, 1)
    return answer.value
  }

  renew(matter: Matter, background: Background): void {
    const { desk } = matter
    const now = this.#ports.clock()
    if (now < desk.askingUntil || now < desk.awayUntil) return
    background(this.#tellAndAccept(matter, this.#wantOf(desk)))
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
    if (now < desk.flushDueAt + FLUSH_MS) return
    desk.flushDueAt = now + FLUSH_MS
    const flush = async (): Promise<void> => {
      await wait(FLUSH_MS)
      desk.flushDueAt = 0
      const want = desk.isBusy(clock()) && clock() >= desk.askingUntil ? this.#wantOf(desk) : 0
      if (!desk.ledger.isEmpty) await this.#tellAndAccept(matter, want)
    }
    background(flush())
  }

  async #tellAndAccept(matter: Matter, want: number): Promise<void> {
    const { clock } = this.#ports
    const { desk } = matter
    const { era } = desk
    const startedAt = clock()
    const answer = await this.#tell(matter, want, false)
    if (want > 0) desk.askingUntil = 0
    if (answer.ok && clock() - startedAt <= guardPolicy.budgetMs) desk.accept(answer.value, clock(), era, 0)
  }

  /** Those of a lease, or one where somebody asks for a lease already: many calls at once must not ask for many leases. */
  #wantOf(desk: Desk): number {
    const now = this.#ports.clock()
    if (now < desk.askingUntil) return 1
    desk.askingUntil = now + guardPolicy.budgetMs
    return desk.wanted(now)
  }

  #lose(desk: Desk): undefined {
    desk.awayUntil = this.#ports.clock() + guardPolicy.awayMs
  }

  async #tell(
    { desk, id, limits }: Matter,
    want: number,
    mayProbe: boolean,
  ): Promise<Result<Admission, unknown>> {
    const { ask, isolate } = this.#ports
    const report = desk.ledger.drain()
    const answer = await ask(id, { isolate, want, mayProbe, limits, report })
    // Records have names of their own, so a second time does no harm; counts that are lost, are.
    if (!answer.ok) for (const record of report.records) desk.ledger.keep(record)
    return answer
  }
}
