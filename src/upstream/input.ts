/**
 * Input that an upstream wants from the caller in the middle of a call (elicitation, sampling, roots). Legacy
 * upstreams send requests of their own and wait; modern ones answer `input_required` and expect the call again.
 */
import { membersOf } from '../protocol/json.ts'
import type { Dialect } from './connection.ts'
import type { Place, UpstreamRequest } from './incoming.ts'

/** What a caller must have declared to be sent each kind of request. */
const CAPABILITIES: ReadonlyMap<string, string> = new Map([
  ['elicitation/create', 'elicitation'],
  ['sampling/createMessage', 'sampling'],
  ['roots/list', 'roots'],
])

/** The capability that a request of an upstream needs; `undefined`: it asks for no input. */
export const capabilityFor = (method: string): string | undefined => CAPABILITIES.get(method)

/** Whether a caller with these capabilities (raw JSON) takes requests of this method. */
export function takesRequest(capabilities: string, method: string): boolean {
  const needed = capabilityFor(method)
  return needed !== undefined && membersOf(capabilities).has(needed)
}

/**
 * Whether a legacy caller with these capabilities takes requests of this method: for input, or about a task that it
 * runs for the upstream (2025-11-25, "Tasks").
 */
export const takesLegacyRequest = (capabilities: string, method: string): boolean =>
  takesRequest(capabilities, method) || (method.startsWith('tasks/') && membersOf(capabilities).has('tasks'))

/** Whether a caller with these capabilities can be asked for anything. */
export const takesAnyRequest = (capabilities: string): boolean => {
  const members = membersOf(capabilities)
  return [...CAPABILITIES.values()].some((capability) => members.has(capability))
}

/** Requests that were put to a legacy caller. */
export type Question = {
  /** Whole messages to send, each under a sealed id. */
  readonly messages: readonly string[]
  readonly answers: () => Promise<Answers>
}

export type Answers =
  /** The raw `inputResponses`. */
  | { readonly is: 'given'; readonly inputResponses: string }
  /** The caller refused with this error, raw. */
  | { readonly is: 'refused'; readonly error: string }
  | { readonly is: 'late' }

/** A modern caller that has come back with what was asked of it. */
export type Return = {
  /** The id of its new request, as JSON text. */
  readonly idText: string
  /** Raw texts by key. */
  readonly inputResponses: ReadonlyMap<string, string>
}

/** Where a call stands that waits for its caller: enough to take it up again from nothing. */
export type Standstill = {
  readonly asked: UpstreamRequest
  readonly dialect: Dialect
  readonly upstreamIdText: string | undefined
  readonly place: Place
}

/** How this caller is asked. */
export type Inputs =
  /** Requests of a legacy upstream pass to a legacy caller on the stream; modern callers can not be asked. */
  | { readonly is: 'none' }
  /** A legacy caller of a modern upstream: it is sent requests, and the call goes out again with its answers. */
  | { readonly is: 'ask'; readonly ask: (inputRequests: string) => Promise<Question> }
  /** A modern caller of a legacy upstream: the call waits here until the caller comes back. */
  | {
      readonly is: 'park'
      /** The state that the caller must bring back. */
      readonly park: (standstill: Standstill) => Promise<string>
      /** `undefined`: it did not come back in time. */
      readonly returned: () => Promise<Return | undefined>
    }
