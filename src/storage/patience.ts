/**
 * How the gateway bears the faults of its database: when it leaves it alone, what it tries again, and what it says
 * aloud. One for each isolate, so that all who ask share the rest.
 */
import { restMs } from '../platform/backoff.ts'
import type { Clock } from '../platform/clock.ts'
import { wait } from '../platform/deadline.ts'
import { err, type Result } from '../platform/result.ts'
import type { Log } from '../telemetry/log.ts'
import { attempt, type DatabaseFault, databasePolicy } from './database.ts'

const TELL_EVERY_MS = 60_000

export type PatiencePorts = { readonly clock: Clock; readonly random: () => number; readonly log: Log }

export class Patience {
  readonly log: Log
  readonly #ports: PatiencePorts
  #refusals = 0
  #restsUntil = -Infinity
  readonly #toldAt = new Map<string, number>()

  constructor(ports: PatiencePorts) {
    this.log = ports.log
    this.#ports = ports
  }

  /** Asked once; `busy` at once while the database rests (F54). */
  async read<T>(work: () => Promise<T>): Promise<Result<T, DatabaseFault>> {
    const now = this.#ports.clock()
    return now < this.#restsUntil ? err({ why: 'busy' }) : this.#note(await attempt(work), now)
  }

  /** `work` is one transaction: where it lost to another nothing of it is stored, and it is made again (F56). */
  async write<T>(work: () => Promise<T>): Promise<Result<T, DatabaseFault>> {
    const { conflictRetries, conflictRest } = databasePolicy
    for (let conflicts = 1; ; conflicts++) {
      const written = this.#note(await attempt(work), this.#ports.clock())
      if (written.ok || written.error.why !== 'conflict' || conflicts > conflictRetries) return written
      await wait(restMs(conflictRest, conflicts, this.#ports.random()))
    }
  }

  #note<T>(result: Result<T, DatabaseFault>, askedAt: number): Result<T, DatabaseFault> {
    if (result.ok) this.#refusals = 0
    else if (result.error.why === 'busy') this.#beginRest(askedAt)
    else if (result.error.why === 'schema') this.#tell('schema_behind', result.error)
    else if (result.error.why === 'rejected') this.#tell('statement_rejected', result.error)
    return result
  }

  /** Many refused at once are one refusal. */
  #beginRest(askedAt: number): void {
    if (askedAt < this.#restsUntil) return
    const { clock, random } = this.#ports
    this.#refusals++
    this.#restsUntil = clock() + restMs(databasePolicy.busyRest, this.#refusals, random())
  }

  /** Never the driver's text: it may hold what was to be stored (S58). */
  #tell(event: 'schema_behind' | 'statement_rejected', { sqlState }: DatabaseFault): void {
    const now = this.#ports.clock()
    if (now - (this.#toldAt.get(event) ?? -Infinity) < TELL_EVERY_MS) return
    this.#toldAt.set(event, now)
    const remedy = event === 'schema_behind' ? { remedy: 'Run `npm run db:migrate`.' } : {}
    this.log('error', event, { sqlState, ...remedy })
  }
}
