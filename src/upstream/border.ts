/**
 * What changes in an upstream's words on their way to a caller: public names, sealed ids, the caller's era. Made
 * for one call by those who know both sides; this folder only follows it.
 */
import type { UpstreamRequest } from './incoming.ts'

export type Border = {
  /** Nothing in a result needs to change, so its bytes may pass unread. */
  readonly isOpen: boolean
  /** The same of answers of more bytes than these; absent: of none. */
  readonly opensAboveBytes?: number
  /** The raw `result` as the caller sees it. */
  result(raw: string): Promise<string>
  /** A notification as the caller sees it; `undefined`: it is not for the caller. */
  notification(method: string, text: string): Promise<string | undefined>
  /** A request to the caller, as a whole message; `undefined`: the caller takes no such request. */
  request(asked: UpstreamRequest): Promise<string | undefined>
  /** The caller knows that a stream may end before its answer, and comes back for the rest (from 2025-11-25 on). */
  readonly comesBack: boolean
  /** The id under which the caller can resume the stream after this event; `undefined`: it cannot. */
  eventId(upstreamEventId: string): Promise<string | undefined>
}
