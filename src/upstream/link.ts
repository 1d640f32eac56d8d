/**
 * The older transport (2024-11-05, "HTTP with SSE"): a stream on which the server names the address for what it is
 * to be sent, and answers. One link is one session. What is read of it looks like the stream that answers one
 * request, so that nothing else has to know the difference; but no places are marked in it, since a session that
 * lost its stream is over.
 */
import type { Hold } from '../platform/budget.ts'
import { Deadline } from '../platform/deadline.ts'
import { err, ok, type Result } from '../platform/result.ts'
import { LIMITS } from '../protocol/limits.ts'
import { holdText, MemorySpent } from '../protocol/memory.ts'
import { EventReader, KEEP_ALIVE, type ServerEvent, STREAM_HEADERS, writeEvent } from '../protocol/sse.ts'
import { bodyOf, faultOfBody } from './answer.ts'
import { type Connection, requestHeaders } from './connection.ts'
import type { Fault } from './fault.ts'
import { discard, faultOfDeadline, faultOfStatus, type Link, send } from './send.ts'

const MAX_ENDPOINT_CHARS = 2_048
const encoder = new TextEncoder()

/** The link lives as long as `deadline`; its server must name its endpoint within the time of a handshake. */
export async function openLink(connection: Connection, deadline: Deadline): Promise<Result<Link, Fault>> {
  const life = new Deadline(LIMITS.handshakeTimeoutMs, deadline.signal)
  const opened = await open(connection, life)
  if (!opened.ok) {
    life.cancel()
    life.end()
    return err(faultOfDeadline(deadline) ?? opened.error)
  }
  life.disarm()
  return ok(linkOf(opened.value, life))
}

type Opened = { readonly feed: Feed; readonly replyUrl: string }

async function open(connection: Connection, deadline: Deadline): Promise<Result<Opened, Fault>> {
  const headers = requestHeaders(connection, undefined)
  headers.set('accept', 'text/event-stream')
  headers.delete('content-type')
  const sent = await send({ method: 'GET', url: connection.url, headers }, deadline)
  if (!sent.ok) return sent
  const body = bodyOf(sent.value)
  if (!body.ok) return body
  if (body.value !== 'stream' || !sent.value.body) {
    discard(sent.value)
    return err({ is: 'not_mcp', detail: 'GET gave no event stream' })
  }
  const feed = new Feed(sent.value.body, connection.budget.open(deadline.signal))
  const named = await readEndpoint(feed, connection.url, deadline)
  return named.ok ? ok({ feed, replyUrl: named.value }) : named
}

async function readEndpoint(feed: Feed, url: string, deadline: Deadline): Promise<Result<string, Fault>> {
  try {
    for (;;) {
      const heard = await feed.next()
      if (heard.is === 'end')
        return err({ is: 'not_mcp', detail: 'its stream ended without naming an endpoint' })
      if (heard.is === 'oversized') return err({ is: 'too_large', limitBytes: LIMITS.eventBytes })
      if (heard.is === 'event' && heard.event.event === 'endpoint') return endpointAt(heard.event.data, url)
    }
  } catch (error) {
    return err(faultOfBody(deadline, error))
  }
}

/**
 * Only where the stream itself came from, whose address was checked: a server that could name any other would have
 * the gateway call it, credential and all (S01, S07).
 */
function endpointAt(text: string, url: string): Result<string, Fault> {
  const isReadable = text.length <= MAX_ENDPOINT_CHARS && URL.canParse(text, url)
  const endpoint = isReadable ? new URL(text, url) : undefined
  if (endpoint?.origin !== new URL(url).origin || endpoint.username !== '' || endpoint.password !== '') {
    return err({ is: 'not_mcp', detail: 'it names an endpoint that is not at its own origin' })
  }
  endpoint.hash = ''
  return ok(endpoint.href)
}

function linkOf({ feed, replyUrl }: Opened, life: Deadline): Link {
  const close = (): void => {
    life.cancel()
    life.end()
  }
  const rest = (deadline: Deadline, onLeave: () => void): Response =>
    new Response(streamOf(feed, deadline, onLeave), { headers: STREAM_HEADERS })
  return {
    replyUrl,
    async post({ headers, body }, deadline) {
      const sent = await send({ url: replyUrl, headers, ...(body !== undefined && { body }) }, deadline)
      if (!sent.ok) return sent
      discard(sent.value)
      const { ok: isTaken, status } = sent.value
      if (isTaken) return ok(rest(deadline, () => undefined))
      return err(faultOfStatus(sent.value) ?? { is: 'status', detail: `HTTP ${status}` })
    },
    rest: (deadline) => rest(deadline, close),
    close,
  }
}

/** One event at a time, and none before it is asked for, so that what one reader leaves is there for the next. */
function streamOf(feed: Feed, deadline: Deadline, onLeave: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const fail = (): void => controller.error(deadline.signal.reason)
        if (deadline.signal.aborted) fail()
        else deadline.signal.addEventListener('abort', fail, { once: true })
      },
      async pull(controller) {
        const heard = await feed.next()
        if (heard.is === 'end') controller.close()
        else controller.enqueue(encoder.encode(writeHeard(heard)))
      },
      cancel: onLeave,
    },
    { highWaterMark: 0 },
  )
}

function writeHeard(heard: Exclude<Heard, { is: 'end' }>): string {
  switch (heard.is) {
    case 'event':
      return isMessage(heard.event) ? writeEvent(heard.event.data) : KEEP_ALIVE
    case 'sign':
      return KEEP_ALIVE
    case 'oversized':
      // Its reader has the same limit, and says so.
      return `data: ${'x'.repeat(LIMITS.eventBytes)}`
  }
}

/** An endpoint that is named a second time changes nothing. */
const isMessage = ({ event = 'message' }: ServerEvent): boolean => event === 'message' || event === ''

type Heard =
  | { readonly is: 'event'; readonly event: ServerEvent }
  /** A comment, or part of an event: the server is there. */
  | { readonly is: 'sign' }
  /** An event larger than any may be. */
  | { readonly is: 'oversized' }
  | { readonly is: 'end' }

class Feed {
  readonly #source: ReadableStreamDefaultReader<Uint8Array>
  readonly #events = new EventReader()
  readonly #decoder = new TextDecoder()
  readonly #ready: ServerEvent[] = []
  readonly #hold: Hold

  constructor(body: ReadableStream<Uint8Array>, hold: Hold) {
    this.#source = body.getReader()
    this.#hold = hold
  }

  async next(): Promise<Heard> {
    const event = this.#ready.shift()
    if (event) return { is: 'event', event }
    const piece = await this.#source.read()
    if (piece.done) return { is: 'end' }
    this.#ready.push(...this.#events.read(this.#decoder.decode(piece.value, { stream: true })))
    if (this.#events.held > LIMITS.eventBytes) return { is: 'oversized' }
    if (!holdText(this.#hold, this.#events.held)) throw new MemorySpent()
    return { is: 'sign' }
  }
}
