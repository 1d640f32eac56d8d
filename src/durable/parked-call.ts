/**
 * One call of a modern caller to a legacy upstream, which may ask for input and then waits here until the caller
 * comes back. Each state that the caller is given is good once. Where the upstream invites its readers to let
 * go of a stream and come back, that is done while the call waits: nothing is held open for minutes, and an eviction
 * changes nothing. Otherwise the stream is held; if it is lost with the object and cannot be resumed, the caller is
 * told so. In no case does the call run twice.
 */
import { DurableObject } from 'cloudflare:workers'
import { type DispatchPorts, type Live, prepareCall } from '../mcp/dispatch.ts'
import type { Forward } from '../mcp/forward.ts'
import { type Comeback, stateContext } from '../mcp/park.ts'
import { Deadline } from '../platform/deadline.ts'
import type { Result } from '../platform/result.ts'
import { LIMITS } from '../protocol/limits.ts'
import { type Refusal, refuse } from '../protocol/refusal.ts'
import type { Snapshot } from '../registry/snapshot.ts'
import { beginCall, talkOf, tellCancelled, type UpstreamCall } from '../upstream/call.ts'
import { converse, INPUT_KEY, type Piece, type Sent, takeUp } from '../upstream/converse.ts'
import { refusalOf } from '../upstream/fault.ts'
import type { Inputs, Return, Standstill } from '../upstream/input.ts'
import { streamPieces } from '../upstream/stream.ts'

export type ParkedPorts = {
  readonly dispatch: DispatchPorts
  readonly snapshot: (background: (work: Promise<unknown>) => void) => Promise<Result<Snapshot, Refusal>>
}

/** What is kept while the call waits. */
type Waiting = { readonly forward: Forward; readonly round: number; readonly standstill: Standstill }

/** The conversation while it is in memory. */
type Talk = {
  readonly call: UpstreamCall
  readonly sent: Sent
  readonly pieces: AsyncGenerator<Piece, void, void>
  readonly deadline: Deadline
}

type Accepts = { readonly acceptsJson: boolean; readonly acceptsStream: boolean }

export class ParkedCallObject extends DurableObject {
  readonly #ports: ParkedPorts
  #talk: Talk | undefined
  #round = 0
  #comeback: Return | undefined

  constructor(ctx: DurableObjectState, env: unknown, ports: ParkedPorts) {
    super(ctx, env as never)
    this.#ports = ports
  }

  override async fetch(request: Request): Promise<Response> {
    const body = await request.json<{ forward: Forward } | { comeback: Comeback }>()
    return 'forward' in body ? await this.#start(body.forward) : await this.#goOn(body.comeback)
  }

  async #start(forward: Forward): Promise<Response> {
    const prepared = await this.#prepare(forward)
    if (!prepared.ok) return refuse(prepared.error, forward.idText)
    const call = prepared.value
    const begun = await beginCall(call, this.#ports.dispatch.sessions)
    if (!begun.ok) return refuse(refusalOf(begun.error, call.service), forward.idText)
    const { talk, sent, deadline, body } = begun.value
    this.#talk = { call, sent, deadline, pieces: converse(talk, sent) }
    const isStream = body === 'stream' && forward.acceptsStream
    return await this.#respond(this.#talk, { ...forward, acceptsStream: isStream })
  }

  async #goOn({ round, idText, inputResponses, ...accepts }: Comeback): Promise<Response> {
    const waiting = await this.ctx.storage.get<Waiting>('waiting')
    if (!waiting || waiting.round !== round) return refuse({ why: 'invalid_state' }, idText)
    await this.ctx.storage.delete('waiting')
    this.#round = round
    const back = { idText, inputResponses: new Map(inputResponses) }
    if (!this.#talk) return await this.#takeUp(waiting, back, accepts)
    this.#comeback = back
    return await this.#respond(this.#talk, accepts)
  }

  /** The upstream waits still, the stream to it is gone. */
  async #takeUp({ forward, standstill }: Waiting, back: Return, accepts: Accepts): Promise<Response> {
    const prepared = await this.#prepare({ ...forward, ...accepts, idText: back.idText })
    if (!prepared.ok) return refuse(prepared.error, back.idText)
    const call = prepared.value
    const deadline = new Deadline(LIMITS.streamTotalMs)
    const response = back.inputResponses.get(INPUT_KEY)
    const { connection } = call
    const sent =
      response === undefined ? undefined : await takeUp({ connection, deadline }, standstill, response)
    if (!sent) {
      deadline.end()
      return refuse({ why: 'upstream_bad_answer', service: call.service, reason: INTERRUPTED }, back.idText)
    }
    const talk = talkOf(call, this.#ports.dispatch.sessions, deadline)
    this.#talk = { call, sent, deadline, pieces: converse(talk, sent) }
    return await this.#respond(this.#talk, accepts)
  }

  async #prepare(forward: Forward): Promise<Result<UpstreamCall, Refusal>> {
    const background = (work: Promise<unknown>): void => this.ctx.waitUntil(work)
    const snapshot = await this.#ports.snapshot(background)
    if (!snapshot.ok) return snapshot
    // The call outlives the request that brought it, so nothing of that request may end it.
    const live: Live = { snapshot: snapshot.value, signal: new AbortController().signal, background }
    return await prepareCall(forward, live, this.#ports.dispatch, this.#inputsOf(forward))
  }

  #inputsOf(forward: Forward): Inputs {
    return {
      is: 'park',
      park: async (standstill) => {
        const round = ++this.#round
        if (standstill.place.isInvited) this.#talk = undefined
        const expiresAt = Date.now() + LIMITS.inputWaitMs
        const waiting: Waiting = { forward, round, standstill }
        await this.ctx.storage.put('waiting', waiting)
        await this.ctx.storage.setAlarm(expiresAt)
        const ticket = { object: this.ctx.id.toString(), round, expiresAt }
        return await this.#ports.dispatch.tickets.states.seal(ticket, stateContext(forward))
      },
      returned: async () => {
        const back = this.#comeback
        this.#comeback = undefined
        return back
      },
    }
  }

  async #respond(talk: Talk, { acceptsStream }: Accepts): Promise<Response> {
    const round = this.#round
    const onEnd = (): void => {
      const isHeld = this.#talk === talk && this.#round !== round
      if (!isHeld) this.#end(talk)
    }
    if (acceptsStream) {
      const onAbandon = (): void => {
        this.#end(talk)
        this.ctx.waitUntil(tellCancelled(talk.call, talk.sent))
      }
      return streamPieces(talk.pieces, { onEnd, onAbandon })
    }
    const piece = await lastOf(talk.pieces)
    onEnd()
    return piece
      ? new Response(piece.text, { status: piece.status, headers: { 'content-type': 'application/json' } })
      : refuse({ why: 'upstream_bad_answer', service: talk.call.service, reason: INTERRUPTED })
  }

  #end(talk: Talk): void {
    talk.deadline.end()
    void talk.pieces.return()
    if (this.#talk === talk) this.#talk = undefined
  }

  /** The caller did not come back in time: the upstream is told not to wait any longer (B109). */
  override async alarm(): Promise<void> {
    const waiting = await this.ctx.storage.get<Waiting>('waiting')
    await this.ctx.storage.deleteAll()
    if (!waiting) return
    if (this.#talk) this.#end(this.#talk)
    const call = await this.#prepare(waiting.forward)
    if (call.ok) await tellCancelled(call.value, waiting.standstill)
  }
}

const INTERRUPTED =
  'the call was interrupted while it waited for input, it was not repeated and may have had effects'

/** The piece that answers the caller's request; what comes before is for those who take streams. */
async function lastOf(pieces: AsyncGenerator<Piece, void, void>): Promise<Piece | undefined> {
  for (;;) {
    const next = await pieces.next()
    if (next.done) return undefined
    if (next.value.isLast) return next.value
  }
}
