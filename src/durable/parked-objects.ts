/** Calls that wait for their caller, each in an object of its own. Nothing is ever asked of one twice. */
import type { Forward } from '../mcp/forward.ts'
import type { Comeback, ParkedCalls } from '../mcp/park.ts'
import { refuse, sayNo } from '../protocol/refusal.ts'
import { type ParkedCallObject, REFUSED_HEADER } from './parked-call.ts'
import { AWAY, type Reach } from './reach.ts'

type ParkedNamespace = DurableObjectNamespace<ParkedCallObject>

export class ParkedObjects implements ParkedCalls {
  readonly #namespace: ParkedNamespace
  readonly #reach: Reach

  constructor(namespace: ParkedNamespace, reach: Reach) {
    this.#namespace = namespace
    this.#reach = reach
  }

  start(forward: Forward): Promise<Response> {
    return this.#ask(() => this.#namespace.newUniqueId(), { forward }, forward.idText)
  }

  goOn(object: string, comeback: Comeback): Promise<Response> {
    return this.#ask(() => this.#namespace.idFromString(object), { comeback }, comeback.idText)
  }

  async #ask(
    idOf: () => DurableObjectId,
    request: { forward: Forward } | { comeback: Comeback },
    idText: string,
  ): Promise<Response> {
    const init = { method: 'POST', body: JSON.stringify(request) }
    const answered = await this.#reach.once(() => this.#namespace.get(idOf()).fetch('https://call/', init))
    if (answered.ok) return withReason(answered.value)
    return refuse(answered.error === 'overloaded' ? AWAY : { why: 'interrupted' }, idText)
  }
}

/** What the object did not write down itself is left to whoever answers the caller. */
function withReason(response: Response): Response {
  const why = response.headers.get(REFUSED_HEADER)
  // Headers of what an object answered cannot be changed.
  const own = new Response(response.body, response)
  own.headers.delete(REFUSED_HEADER)
  return why === null ? own : sayNo(own, why)
}
