/**
 * What an upstream says of its own accord: the GET stream of a legacy session, `subscriptions/listen` of a modern
 * server. Kept open, taken up again where it broke off, given up where the upstream offers none.
 */
import { Deadline, wait } from '../platform/deadline.ts'
import { LIMITS } from '../protocol/limits.ts'
import { type Connection, type Dialect, requestHeaders } from './connection.ts'
import { type Incoming, NO_PLACE, type Place, readIncoming } from './incoming.ts'
import { outgoingRequest } from './outgoing.ts'
import { discard, type Outgoing, send } from './send.ts'

/** What a modern upstream is asked to tell, as the raw `notifications` filter. */
export type ListenFilter = string

const LISTEN_ID = '"listen"'

/**
 * Messages until `signal` aborts or the upstream says that there is nothing to hear. `onOpen`: the upstream has
 * begun to listen to us, nothing said from here on is lost.
 */
export async function* listenTo(
  connection: Connection,
  dialect: Dialect,
  filter: ListenFilter,
  signal: AbortSignal,
  onOpen: () => void = () => undefined,
): AsyncGenerator<Incoming, void, void> {
  let place = NO_PLACE
  while (!signal.aborted) {
    const deadline = new Deadline(LIMITS.listenTotalMs, signal)
    try {
      const sent = await send(outgoingListen(connection, dialect, filter, place), deadline)
      if (!sent.ok && sent.error.is !== 'connection') return
      if (sent.ok && !isListening(sent.value)) return discard(sent.value)
      if (sent.ok) {
        onOpen()
        for await (const incoming of readIncoming(sent.value, {
          idText: undefined,
          deadline,
          idleMs: Number.POSITIVE_INFINITY,
        })) {
          if (incoming.place) place = incoming.place
          if (incoming.is === 'end' || incoming.is === 'fault') break
          yield incoming
        }
      }
    } finally {
      deadline.end()
    }
    await wait(Math.min(Math.max(place.retryMs ?? LIMITS.retryMs, MIN_RETRY_MS), LIMITS.maxRetryMs))
  }
}

/** An upstream that ends its streams at once is not asked again at once. */
const MIN_RETRY_MS = 250

const isListening = (response: Response): boolean =>
  response.ok && /^text\/event-stream\b/i.test(response.headers.get('content-type') ?? '')

function outgoingListen(
  connection: Connection,
  dialect: Dialect,
  filter: ListenFilter,
  { eventId }: Place,
): Outgoing {
  if (dialect.era === 'modern') {
    const request = {
      connection,
      method: 'subscriptions/listen',
      params: new Map([['notifications', filter]]),
      name: undefined,
      mirrors: [],
      given: undefined,
      era: 'legacy' as const,
      capabilities: '{}',
      logLevel: undefined,
    }
    return outgoingRequest(request, dialect, LISTEN_ID)
  }
  const headers = requestHeaders(connection, dialect)
  headers.set('accept', 'text/event-stream')
  headers.delete('content-type')
  if (eventId !== undefined) headers.set('last-event-id', eventId)
  return { method: 'GET', url: connection.url, headers }
}
