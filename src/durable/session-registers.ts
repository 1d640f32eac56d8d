/** The registers of sessions as one isolate asks them: of a session that it knows to be kept it asks nothing more. */
import type { Session } from '../identity/session.ts'
import { err, type Result, ok } from '../platform/result.ts'
import type { Refusal } from '../protocol/refusal.ts'
import { AWAY, type Reach } from './reach.ts'
import type { SessionRegisterObject, Standing } from './session-register.ts'

type RegisterNamespace = DurableObjectNamespace<SessionRegisterObject>

const MAX_REMEMBERED = 10_000

export class SessionRegisters {
  readonly #namespace: RegisterNamespace
  readonly #reach: Reach
  readonly #kept = new Set<string>()

  constructor(namespace: RegisterNamespace, reach: Reach) {
    this.#namespace = namespace
    this.#reach = reach
  }

  look(session: Session): Promise<Result<Standing, Refusal>> {
    return this.#ask(session, 'look')
  }

  /** Before an object of the session's own is used. Gives what was known of the session before; `ended` stays so. */
  keep(session: Session): Promise<Result<Standing, Refusal>> {
    return this.#ask(session, 'keep')
  }

  /** Gives what was known of the session before; `kept` stays so. */
  end(session: Session): Promise<Result<Standing, Refusal>> {
    return this.#ask(session, 'end')
  }

  /** Each may be done twice: the second time finds what the first did. */
  async #ask({ name, beganAt }: Session, act: 'look' | 'keep' | 'end'): Promise<Result<Standing, Refusal>> {
    if (this.#kept.has(name)) return ok('kept')
    // Names are random, so their first digits spread them evenly.
    const asked = await this.#reach.again(() =>
      this.#namespace.get(this.#namespace.idFromName(name.charAt(0)))[act](name, beganAt),
    )
    if (!asked.ok) return err(AWAY)
    if (asked.value === 'kept' || (act === 'keep' && asked.value === 'unknown')) this.#remember(name)
    return asked
  }

  #remember(name: string): void {
    if (this.#kept.size >= MAX_REMEMBERED) this.#kept.clear()
    this.#kept.add(name)
  }
}
