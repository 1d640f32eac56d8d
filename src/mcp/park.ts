/**
 * Calls of modern callers to legacy upstreams that may ask for input: they run in a Durable Object, where the
 * upstream's open stream waits until the caller comes back with what was asked (docs/design.md, "The era bridge").
 */
import type { Clock } from '../platform/clock.ts'
import { membersOf, cut } from '../protocol/json.ts'
import type { Message } from '../protocol/message.ts'
import { refuse } from '../protocol/refusal.ts'
import { takesAnyRequest } from '../upstream/input.ts'
import type { Forward } from './forward.ts'
import type { AllTickets, StateTicket } from './tickets.ts'

export interface ParkedCalls {
  start(forward: Forward): Promise<Response>
  /** Goes on with the call that waits in this object, if it still does and is in this round. */
  goOn(object: string, comeback: Comeback): Promise<Response>
}

/** A caller that brings what it was asked for; survives JSON. */
export type Comeback = {
  readonly round: number
  readonly idText: string
  /** Raw texts by key. */
  readonly inputResponses: readonly (readonly [key: string, raw: string])[]
  readonly acceptsJson: boolean
  readonly acceptsStream: boolean
}

/** Methods whose results may ask for input (2026-07-28, "Multi Round-Trip Requests"). */
const ASKING: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read'])

/** Whether a call to a legacy upstream may have to wait for its modern caller. */
export const shouldPark = ({ method, capabilities }: Forward): boolean =>
  ASKING.has(method) && takesAnyRequest(capabilities)

/** A state is good for this caller and this very call, once, for a while (B109). */
export async function returnToParked(
  message: Message,
  forward: Forward,
  { parked, dispatch: { tickets }, clock }: ParkPorts,
): Promise<Response> {
  const state = message.params?.['requestState']
  const ticket: StateTicket | undefined =
    typeof state === 'string' ? await tickets.states.open(state, stateContext(forward)) : undefined
  if (!ticket || ticket.expiresAt < clock()) return refuse({ why: 'invalid_state' }, forward.idText)
  const { idText, acceptsJson, acceptsStream } = forward
  const inputResponses = membersIn(message.rawParams.get('inputResponses'))
  return await parked.goOn(ticket.object, {
    round: ticket.round,
    idText,
    inputResponses,
    acceptsJson,
    acceptsStream,
  })
}

type ParkPorts = {
  readonly parked: ParkedCalls
  readonly dispatch: { readonly tickets: AllTickets }
  readonly clock: Clock
}

/** What a state is bound to: who calls what. */
export const stateContext = ({ principal, method, serviceId, localName }: Forward): string =>
  JSON.stringify([principal.organisationId, principal.subject, method, serviceId, localName])

const membersIn = (raw: string | undefined): [string, string][] =>
  raw?.startsWith('{') ? [...membersOf(raw)].map(([key, span]) => [key, cut(raw, span)]) : []
