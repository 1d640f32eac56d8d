/** What a conversation with one upstream is about, and the pieces that its caller is given. */
import type { Background } from '../platform/background.ts'
import type { Hold } from '../platform/budget.ts'
import type { Deadline } from '../platform/deadline.ts'
import { describeRefusal, errorText, type Refusal } from '../protocol/refusal.ts'
import type { Era } from '../protocol/version.ts'
import type { Answer } from './answer.ts'
import type { Beside } from './beside.ts'
import type { Border } from './border.ts'
import type { Connection, Dialect } from './connection.ts'
import { type Fault, refusalOf } from './fault.ts'
import type { Place } from './incoming.ts'
import type { Inputs } from './input.ts'
import type { UpstreamSession } from './session.ts'

/** How an upstream knows a request. */
export type Trip = {
  readonly dialect: Dialect
  /** `undefined`: the stream is that of a call made before, whichever it was. */
  readonly upstreamIdText: string | undefined
}

/** A request that went out, and what came back. */
export type Sent = Trip & {
  readonly response: Response
  /** Where the stream before this one broke off, and how many there were. */
  readonly place?: Place
  readonly resumes?: number
  /** What the upstream asks elsewhere meanwhile. */
  readonly beside?: Beside | undefined
  /** The session that nobody else uses meanwhile. */
  readonly leased?: UpstreamSession | undefined
}

export type Conversation = {
  readonly service: string
  readonly connection: Connection
  readonly method: string
  readonly era: Era
  /** What the caller can do, as raw JSON. */
  readonly capabilities: string
  readonly idText: string | undefined
  readonly border: Border
  readonly inputs: Inputs
  readonly deadline: Deadline
  readonly timeoutMs: number
  readonly background: Background
  /** The upstream has done what it was asked. */
  readonly onAnswered?: () => void
  /** Sends the next round of the call, with what the caller answered. */
  readonly again: (inputResponses: string, requestState: string | undefined) => Promise<Sent | Fault>
}

/** A message for the caller, or a mark in the stream. */
export type Piece = {
  /** JSON-RPC text; empty: a mark only. */
  readonly text: string
  readonly status: number
  readonly eventId?: string | undefined
  readonly retryMs?: number | undefined
  /** What the text takes of the memory for answers. */
  readonly hold?: Hold | undefined
  /** Nothing more answers the request of the caller. */
  readonly isLast: boolean
  /** Why the upstream gave no answer; on a last piece. */
  readonly fault?: Fault
  /** On a last piece: what the upstream answered. */
  readonly answer?: Answer
}

/** What became of a call: its upstream answered, if with an error, or it did not. */
export type Verdict = {
  readonly fault?: Fault | undefined
  /** As the upstream gave it; absent where it was passed on unread. */
  readonly answer?: Answer
  /** Of an answer that was passed on unread. */
  readonly unreadBytes?: number
  /** Its error came with a status that turns requests away. */
  readonly wasTurnedAway?: boolean
}

export type Pieces = AsyncGenerator<Piece, void, void>

export function refusalPiece(refusal: Refusal, idText: string | undefined): Piece {
  const wire = describeRefusal(refusal)
  return { text: errorText(wire, idText), status: wire.status, isLast: true }
}

export const faultPiece = (service: string, fault: Fault, idText: string | undefined): Piece => ({
  ...refusalPiece(refusalOf(fault, service), idText),
  fault,
})

/** A response under this id, or one without id where the caller's request had none that could be read. */
export const answerText = (idText: string | undefined, member: 'result' | 'error', raw: string): string =>
  `{"jsonrpc":"2.0",${idText === undefined ? '' : `"id":${idText},`}"${member}":${raw}}`
