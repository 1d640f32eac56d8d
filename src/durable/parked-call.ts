/**
 * One call of a modern caller to a legacy upstream, which may ask for input and then waits here until the caller
 * comes back. Each state that the caller is given is good once. Where the upstream invites its readers to let
 * go of a stream and come back, that is done while the call waits: nothing is held open for minutes, and an eviction
 * changes nothing. Otherwise the stream is held; if it is lost with the object and cannot be resumed, the caller is
 * told so. In no case does the call run twice.
 */
import { DurableObject } from 'cloudflare:workers'
import type { Permit } from '../guard/guard.ts'
import { openTrial } from '../mcp/dispatch.ts'
import { type DispatchPorts, type Live, prepareCall, type Prepared } from '../mcp/prepare.ts'
import { type Forward, isStillMeant } from '../mcp/forward.ts'
import { type Comeback, stateContext } from '../mcp/park.ts'
import { refusalOfDenial } from '../mcp/permit.ts'
import type { Background } from '../platform/background.ts'
import { Deadline } from '../platform/deadline.ts'
import { err, ok, type Result } from '../platform/result.ts'
import { LIMITS } from '../protocol/limits.ts'
import { type Refusal, refuse, respondWithRefusal, takeReason } from '../protocol/refusal.ts'
import type { Snapshot } from '../registry/snapshot.ts'
import { INPUT_KEY, inputRequired } from '../upstream/ask.ts'
import { beginCall, type Begun, piecesOf } from '../upstream/call.ts'
import type { Piece, Pieces, Verdict } from '../upstream/conversation.ts'
import { respondWith } from '../upstream/deliver.ts'
import { isUnaccepted, refusalOf } from '../upstream/fault.ts'
import type { Inputs, Return, Standstill } from '../upstream/input.ts'
import { tellCancelled, tellWhenOver } from '../upstream/reply.ts'
import { takeUp } from '../upstream/resume.ts'
import { streamPieces } from '../upstream/stream.ts'
import type { UpstreamCall } from '../upstream/transmit.ts'

export type ParkedPorts = {
  readonly dispatch: DispatchPorts
  readonly snapshot: (organisationId: string, background: Background) => Promise<Result<Snapshot, Refusal>>
}

/** What is kept while the call waits. */
type Waiting = { readonly forward: Forward; readonly round: number; readonly standstill: Standstill }

/** Tells whoever asked the object why the response says no. */
export const REFUSED_HEADER = 'switchyard-refused'

/** The conversation while it is in memory. */
type Talk = { readonly call: UpstreamCall; readonly deadline: Deadline; readonly pieces: Pieces }

type Accepts = { readonly acceptsJson: boolean; readonly acceptsStream: boolean }

export class ParkedCallObject extends DurableObject {
  readonly #ports: ParkedPorts
  #talk: Talk | undefined
  #round = 0
  #comeback: Return | undefined
  readonly #gone = new AbortController()

  constructor(ctx: DurableObjectState, env: unknown, ports: ParkedPorts) {
    super(ctx, env as never)
    this.#ports = ports
  }

  override async fetch(request: Request): Promise<Response> {
    const body = await request.json<{ forward: Forward } | { comeback: Comeback }>()
    const response =
      'forward' in body
        ? await this.#start(body.forward, request.signal)
        : await this.#goOn(body.comeback, request.signal)
    const why = takeReason(response)
    if (why !== undefined) response.headers.set(REFUSED_HEADER, why)
    return response
  }

  async #start(forward: Forward, signal: AbortSignal): Promise<Response> {
    this.#heed(signal)
    const withdrawn = await this.#withdrawnFrom(forward)
    if (withdrawn) return refuse(withdrawn, forward.idText)
    const prepared = await this.#prepare(forward)
    if (!prepared.ok) return refuse(prepared.error, forward.idText)
    const begun = await this.#begin(forward, prepared.value)
    if (!begun.ok) return respondWithRefusal(begun.error, forward.idText)
    const isStream = begun.value.body === 'stream' && forward.acceptsStream
    return await this.#respond(this.#follow(begun.value.call, begun.value), {
      ...forward,
      acceptsStream: isStream,
    })
  }

  /** Once more with another credential where the upstream refused the first (F10). */
  async #begin(
    forward: Forward,
    prepared: Prepared,
  ): Promise<Result<Begun & { readonly call: UpstreamCall }, Refusal>> {
    const { service, guarded, prefers, callTo, renewCredential } = prepared
    const { guard, sessions } = this.#ports.dispatch
    const trial = openTrial(forward, prepared, this.#background, this.#ports.dispatch)
    for (let attempt = 1; ; attempt++) {
      const permit = await guard.admit(guarded, { prefers, isRetry: attempt > 1 }, this.#background)
      if ('why' in permit) {
        trial.refused(permit)
        return err(refusalOfDenial(permit, service.name))
      }
      const call = callTo(permit.url, guarded.timeoutMs, trial.begin(permit))
      const begun = await beginCall(call, sessions)
      const isRefused = !begun.ok && attempt === 1 && isUnaccepted(begun.error)
      const renewal = isRefused ? await renewCredential() : 'same'
      if (renewal === 'renewed') continue
      trial.last()
      if (begun.ok) return ok({ ...begun.value, call })
      return err(typeof renewal === 'object' ? renewal : refusalOf(begun.error, call.service))
    }
  }

  async #goOn(
    { round, idText, inputResponses, ...accepts }: Comeback,
    signal: AbortSignal,
  ): Promise<Response> {
    const waiting = await this.ctx.storage.get<Waiting>('waiting')
    if (!waiting || waiting.round !== round) return refuse({ why: 'invalid_state' }, idText)
    await this.ctx.storage.delete('waiting')
    this.#round = round
    this.#heed(signal)
    const withdrawn = await this.#withdrawnFrom(waiting.forward)
    if (withdrawn) {
      // It waits on until its time is over, and its upstream is told then.
      await this.ctx.storage.put('waiting', waiting)
      return refuse(withdrawn, idText)
    }
    const back = { idText, inputResponses: new Map(inputResponses) }
    if (!this.#talk) return await this.#takeUp(waiting, back, accepts)
    this.#comeback = back
    return await this.#respond(this.#talk, accepts)
  }

  /** The upstream waits still, the stream to it is gone. */
  async #takeUp(waiting: Waiting, { idText, inputResponses }: Return, accepts: Accepts): Promise<Response> {
    const { forward, standstill } = waiting
    const response = inputResponses.get(INPUT_KEY)
    if (response === undefined) {
      const state = await this.#park(forward, standstill)
      return respondWith(inputRequired(idText, standstill, state), 200, accepts.acceptsJson)
    }
    const prepared = await this.#prepare({ ...forward, ...accepts, idText })
    if (!prepared.ok) {
      // Nothing was said to the upstream, so the same state is good for another try.
      await this.ctx.storage.put('waiting', waiting)
      return refuse(prepared.error, idText)
    }
    const trial = openTrial(forward, prepared.value, this.#background, this.#ports.dispatch)
    trial.last()
    const call = callBackTo(standstill, prepared.value, trial.begin(LET_THROUGH))
    const deadline = new Deadline(LIMITS.streamTotalMs, this.#gone.signal)
    const sent = await takeUp({ connection: call.connection, deadline }, standstill, response)
    if (!sent) {
      deadline.end()
      return refuse({ why: 'upstream_bad_answer', service: call.service, reason: INTERRUPTED }, idText)
    }
    tellWhenOver(call, sent, deadline)
    return await this.#respond(this.#follow(call, { sent, deadline }), accepts)
  }

  #follow(call: UpstreamCall, begun: Pick<Begun, 'sent' | 'deadline'>): Talk {
    const pieces = piecesOf(call, begun, this.#ports.dispatch.sessions)
    this.#talk = { call, deadline: begun.deadline, pieces }
    return this.#talk
  }

  readonly #background: Background = (work) => this.ctx.waitUntil(work)

  /** What the caller may no longer use is as if it were not there, also for a call that was let through before (B96). */
  async #withdrawnFrom(forward: Forward): Promise<Refusal | undefined> {
    const snapshot = await this.#ports.snapshot(forward.principal.organisationId, this.#background)
    if (!snapshot.ok) return snapshot.error
    const { publicName: name = '' } = forward
    return isStillMeant(forward, snapshot.value) ? undefined : { why: 'unknown_tool', name }
  }

  async #prepare(forward: Forward): Promise<Result<Prepared, Refusal>> {
    const snapshot = await this.#ports.snapshot(forward.principal.organisationId, this.#background)
    if (!snapshot.ok) return snapshot
    const live: Live = { snapshot: snapshot.value, signal: this.#gone.signal, background: this.#background }
    return await prepareCall(forward, live, this.#ports.dispatch, this.#inputsOf(forward))
  }

  #inputsOf(forward: Forward): Inputs {
    return {
      is: 'park',
      park: (standstill) => this.#park(forward, standstill),
      returned: async () => {
        const back = this.#comeback
        this.#comeback = undefined
        return back
      },
    }
  }

  /** Gives the state that the caller must bring back. */
  async #park(forward: Forward, standstill: Standstill): Promise<string> {
    const round = ++this.#round
    if (standstill.place.isInvited) this.#talk = undefined
    const expiresAt = Date.now() + LIMITS.inputWaitMs
    // The upstream has the arguments, and what came with them; at rest they are nobody's (S58). What comes of the
    // answer is given to nobody else.
    const context = { correlationId: forward.context.correlationId, trace: {}, isGiven: false }
    const rest = { ...forward, params: [], given: undefined, keepAs: undefined, context }
    const waiting: Waiting = { forward: rest, round, standstill }
    await this.ctx.storage.put('waiting', waiting)
    await this.ctx.storage.setAlarm(expiresAt)
    const ticket = { object: this.ctx.id.toString(), round, expiresAt }
    return await this.#ports.dispatch.tickets.states.seal(ticket, stateContext(forward))
  }

  async #respond(talk: Talk, { acceptsStream }: Accepts): Promise<Response> {
    const round = this.#round
    const onEnd = (): void => {
      const isHeld = this.#talk === talk && this.#round !== round
      if (!isHeld) this.#end(talk)
    }
    if (acceptsStream) return streamPieces(talk.pieces, { onEnd, onAbandon: () => this.#leave(round) })
    const piece = await lastOf(talk.pieces)
    const response = piece
      ? respondWith(piece.text, piece.status, true, piece.hold?.moveTo(this.#gone.signal))
      : respondWithRefusal({ why: 'upstream_bad_answer', service: talk.call.service, reason: INTERRUPTED })
    onEnd()
    return response
  }

  #heed(signal: AbortSignal): void {
    const round = this.#round
    signal.addEventListener('abort', () => this.#leave(round), { once: true })
  }

  /** The caller went away in this round. Where it was asked since, it may come back by another request. */
  #leave(round: number): void {
    if (this.#round !== round) return
    this.#gone.abort()
    const talk = this.#talk
    talk?.deadline.cancel()
    if (talk) this.#end(talk)
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
    const prepared = await this.#prepare(waiting.forward)
    if (!prepared.ok) return
    await tellCancelled(callBackTo(waiting.standstill, prepared.value), waiting.standstill)
  }
}

/** The call to the instance that waits for it, unless that may not be called any more. It was let through when it began. */
function callBackTo(
  { dialect }: Standstill,
  { guarded, callTo }: Prepared,
  onOver: (verdict: Verdict) => void = () => undefined,
): UpstreamCall {
  const { instances, timeoutMs } = guarded
  const { url } = instances.find((instance) => instance.url === dialect.url) ?? instances[0]
  return callTo(url, timeoutMs, onOver)
}

const LET_THROUGH: Permit = { url: '', settle: () => undefined }

const INTERRUPTED =
  'the call was interrupted while it waited for input, it was not repeated and may have had effects'

/** The piece that answers the caller's request; what comes before is for those who take streams. */
async function lastOf(pieces: Pieces): Promise<Piece | undefined> {
  for (;;) {
    const next = await pieces.next()
    if (next.done) return undefined
    if (next.value.isLast) return next.value
  }
}
