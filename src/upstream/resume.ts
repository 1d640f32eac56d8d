/** Streams that broke off, or were let go, taken up where the upstream marked a place in them. */
import { wait } from '../platform/deadline.ts'
import { LIMITS } from '../protocol/limits.ts'
import { listenBeside } from './beside.ts'
import { requestHeaders } from './connection.ts'
import type { Conversation, Sent, Trip } from './conversation.ts'
import { NO_PLACE, type Place } from './incoming.ts'
import type { Standstill } from './input.ts'
import { reply } from './reply.ts'
import { discard, send } from './send.ts'
import { sessionOf } from './session.ts'

/**
 * Takes up a call again whose process is gone: its upstream is given the answer that it waits for, and heard from
 * the place that it marked. `undefined`: it marked none, and what came of the call cannot be known.
 */
export async function takeUp(
  talk: Pick<Conversation, 'connection' | 'deadline'>,
  { asked, dialect, upstreamIdText, place }: Standstill,
  response: string,
): Promise<Sent | undefined> {
  const resumed = await resume(talk, { dialect, upstreamIdText }, { ...place, retryMs: 0 })
  if (!resumed) return undefined
  const beside = await listenBeside(talk.connection, dialect)
  await reply(talk.connection, dialect, asked, 'result', response)
  return { ...resumed, beside, leased: sessionOf(dialect) }
}

/** The stream of a call made before, from the event that its reader saw last. */
export const resumeAt = (
  talk: Pick<Conversation, 'connection' | 'deadline'>,
  sent: Trip,
  eventId: string,
): Promise<Sent | undefined> => resume(talk, sent, { ...NO_PLACE, eventId, retryMs: 0 })

/** The stream from where it broke off, where the upstream marked that place (2025-11-25, "Resumability"). */
export async function resume(
  { connection, deadline }: Pick<Conversation, 'connection' | 'deadline'>,
  { dialect, upstreamIdText, resumes = 0 }: Trip & Pick<Sent, 'resumes'>,
  place: Place,
): Promise<Sent | undefined> {
  const { eventId } = place
  if (eventId === undefined || dialect.era === 'modern') return undefined
  let { retryMs = LIMITS.retryMs } = place
  while (!deadline.signal.aborted) {
    await wait(Math.min(Math.max(retryMs, resumes === 0 ? 0 : LIMITS.minRetryMs), LIMITS.maxRetryMs))
    const headers = requestHeaders(connection, dialect)
    headers.set('accept', 'text/event-stream')
    headers.set('last-event-id', eventId)
    const sent = await send({ method: 'GET', url: connection.url, headers }, deadline)
    if (!sent.ok) return undefined
    if (sent.value.ok) return { response: sent.value, dialect, upstreamIdText, place, resumes: resumes + 1 }
    discard(sent.value)
    // The upstream has not noticed yet that the stream before this one is gone.
    if (sent.value.status !== CONFLICT) return undefined
    retryMs = Math.max(retryMs, LIMITS.retryMs)
  }
  return undefined
}

const CONFLICT = 409

/**
 * The silence that a service is allowed. Some servers tell on a resumed stream only what they said before it: one
 * that is silent is asked again, less and less often.
 */
export const idleMsOf = ({ resumes = 0 }: Sent, { timeoutMs }: Pick<Conversation, 'timeoutMs'>): number =>
  resumes === 0 ? timeoutMs : Math.min(LIMITS.retryMs * 2 ** (resumes - 1), timeoutMs)
