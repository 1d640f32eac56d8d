/**
 * What an upstream says of its own accord: the GET stream of a legacy session, `subscriptions/listen` of a modern
 * server, a link of the older transport. Kept open, taken up again where it broke off, given up where the upstream
 * offers none.
 */
import { Deadline, wait } from '../platform/deadline.ts'
import { ok, type Result } from '../platform/result.ts'
import { LIMITS } from '../protocol/limits.ts'
import { type Connection, type Dialect, requestHeaders } from './connection.ts'
import type { Fault } from './fault.ts'
import { exchange } from './exchange.ts'
import { type Incoming, NO_PLACE, type Place, readIncoming } from './incoming.ts'
import { openLink } from './link.ts'
import { outgoingRequest } from './outgoing.ts'
import { discard, type Outgoing, send } from './send.ts'
import { openSession } from './session.ts'

/** What a modern upstream is asked to tell, as the raw `notifications` filter. */
export type ListenFilter = string

const LISTEN_ID = '"listen"'

/**
 * Messages until `signal` aborts or the upstream says that there is nothing to hear. `onOpen`: the upstream has
 * begun to listen to us, nothing said from here on is lost; what it asks is answered in this dialect.
 */
export async function* listenTo(
  connection: Connection,
  dialect: Dialect,
  filter: ListenFilter,
  signal: AbortSignal,
  onOpen: (dialect: Dialect) => void = () => undefined,
): AsyncGenerator<Incoming, void, void> {
  let place = NO_PLACE
  while (!signal.aborted) {
    const deadline = new Deadline(LIMITS.listenTotalMs, signal)
    try {
      const opened =
        connection.transport === 'sse'
          ? await openLinked(connection, filter, deadline)
          : await openAt(connection, dialect, filter, place, deadline)
      if (!opened.ok && opened.error.is !== 'connection') return
      if (opened.ok && opened.value.response.status === CONFLICT) {
        // The upstream has not noticed yet that the stream before this one is gone.
        discard(opened.value.response)
        await wait(LIMITS.minRetryMs)
        continue
      }
      if (opened.ok && !isListening(opened.value.response)) return discard(opened.value.response)
      if (opened.ok) {
        const { response, dialect: spoken } = opened.value
        onOpen(spoken)
        const idleMs = (): number => Number.POSITIVE_INFINITY
        const options = { idText: undefined, deadline, idleMs, budget: connection.budget }
        for await (const incoming of readIncoming(response, options)) {
          if (incoming.place) place = incoming.place
          if (incoming.is === 'end' || incoming.is === 'fault') break
          yield incoming
        }
      }
    } finally {
      deadline.end()
    }
    await wait(Math.min(Math.max(place.retryMs ?? LIMITS.retryMs, LIMITS.minRetryMs), LIMITS.maxRetryMs))
  }
}

const CONFLICT = 409

const isListening = (response: Response): boolean =>
  response.ok && /^text\/event-stream\b/i.test(response.headers.get('content-type') ?? '')

type Opened = { readonly response: Response; readonly dialect: Dialect }

async function openAt(
  connection: Connection,
  dialect: Dialect,
  filter: ListenFilter,
  place: Place,
  deadline: Deadline,
): Promise<Result<Opened, Fault>> {
  const sent = await send(outgoingListen(connection, dialect, filter, place), deadline)
  return sent.ok ? ok({ response: sent.value, dialect }) : sent
}

/** A session of its own, subscribed to what the filter names. */
async function openLinked(
  connection: Connection,
  filter: ListenFilter,
  deadline: Deadline,
): Promise<Result<Opened, Fault>> {
  const link = await openLink(connection, deadline)
  if (!link.ok) return link
  const handshake = new Deadline(LIMITS.handshakeTimeoutMs, deadline.signal)
  const dialect = await openSubscribed({ ...connection, link: link.value }, filter, handshake)
  handshake.end()
  if (dialect.ok) return ok({ response: link.value.rest(deadline), dialect: dialect.value })
  link.value.close()
  return dialect
}

async function openSubscribed(
  linked: Connection,
  filter: ListenFilter,
  deadline: Deadline,
): Promise<Result<Dialect, Fault>> {
  const opened = await openSession({ capabilities: '{}', logLevel: undefined }, linked, deadline)
  if (!opened.ok) return opened
  const { resourceSubscriptions: uris = [] }: { resourceSubscriptions?: string[] } = JSON.parse(filter)
  for (const uri of uris) await exchange(linked, opened.value, 'resources/subscribe', { uri }, deadline)
  return opened
}

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
