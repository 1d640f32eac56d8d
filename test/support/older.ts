/**
 * A fake of the older transport (2024-11-05, "HTTP with SSE"), raw, so that it can also say what no SDK would. It has
 * one tool, which echoes; what goes wrong is given as functions that stand in for what it does otherwise.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'

export type Sent = { readonly id?: string | number; readonly method?: string; readonly params?: any }

/** One session. */
export type Stream = {
  readonly response: ServerResponse
  /** Where this server wants its messages. */
  readonly endpoint: string
  /** The answer to a message, as an event. */
  answer(id: unknown, result: object): void
}

export type OlderFault = {
  /** Instead of opening a stream. */
  readonly get?: (response: ServerResponse) => void
  /** Instead of naming the endpoint, on an open stream. */
  readonly open?: (stream: Stream) => void
  /** Instead of taking a call. */
  readonly post?: (response: ServerResponse, stream: Stream) => void
  /** Instead of the answer to `initialize`. */
  readonly initialize?: object
  /** Instead of answering a call that was taken. */
  readonly call?: (stream: Stream, sent: Sent) => void
}

export type Older = Awaited<ReturnType<typeof startOlder>>

const TOOL = { name: 'echo', description: 'Echoes', inputSchema: { type: 'object' } }
export const resultOf = (said: string): object => ({ content: [{ type: 'text', text: said }] })

export const eventText = (data: unknown, event = 'message'): string =>
  `event: ${event}\ndata: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`

export async function startOlder() {
  const streams = new Map<string, Stream>()
  const received: Sent[] = []
  let fault: OlderFault = {}
  let opened = 0

  function open(response: ServerResponse): void {
    if (fault.get) return fault.get(response)
    const id = String(++opened)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const stream: Stream = {
      response,
      endpoint: `/message?session=${id}`,
      answer: (messageId, result) =>
        void response.write(eventText({ jsonrpc: '2.0', id: messageId, result })),
    }
    streams.set(id, stream)
    response.once('close', () => streams.delete(id))
    if (fault.open) return fault.open(stream)
    response.write(eventText(stream.endpoint, 'endpoint'))
  }

  async function take(request: IncomingMessage, response: ServerResponse, stream: Stream): Promise<void> {
    const sent: Sent = JSON.parse(await text(request))
    received.push(sent)
    const isCall = sent.method === 'tools/call'
    if (isCall && fault.post) return fault.post(response, stream)
    response.writeHead(202).end('Accepted')
    if (isCall && fault.call) return fault.call(stream, sent)
    if (sent.method === 'initialize' && fault.initialize) {
      const refusal = { jsonrpc: '2.0', id: sent.id, ...fault.initialize }
      return void stream.response.write(eventText(refusal))
    }
    if (sent.id !== undefined && sent.method !== undefined) stream.answer(sent.id, resultFor(sent))
  }

  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost')
    const stream = streams.get(searchParams.get('session') ?? '')
    if (request.method === 'GET' && pathname === '/sse') open(response)
    else if (request.method === 'POST' && pathname === '/message' && stream)
      void take(request, response, stream)
    else response.writeHead(405).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/sse`,
    received,
    /** Streams that are open. */
    streams: () => streams.size,
    /** From now on; nothing goes wrong without one. */
    fail: (next: OlderFault = {}): void => {
      fault = next
    },
    async close(): Promise<void> {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function resultFor({ method, params }: Sent): object {
  switch (method) {
    case 'initialize': {
      const serverInfo = { name: 'older', version: '1' }
      return { protocolVersion: '2024-11-05', capabilities: { tools: {} }, serverInfo }
    }
    case 'tools/list':
      return { tools: [TOOL] }
    default:
      return resultOf(String(params?.arguments?.text))
  }
}
