/**
 * A legacy server whose one tool asks before it acts, once or as often as its argument `questions` says. It may
 * invite its callers to let go of a stream and come back to it. What happened to it is told at
 * `/facts`, since tests inside the runtime cannot look.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'

export type Facts = { readonly runs: number; readonly cancelled: readonly unknown[] }

type Message = {
  readonly id?: unknown
  readonly method?: string
  readonly params?: { readonly requestId?: unknown; readonly arguments?: { readonly questions?: number } }
  readonly result?: { readonly action?: string }
}

/** What was said on one stream, and who listens to it now. */
type Stream = {
  readonly events: string[]
  reader: ServerResponse | undefined
  readonly callId: unknown
  /** How often it still asks. */
  questions: number
}

const TOOL = { name: 'confirm', description: 'Asks before it acts', inputSchema: { type: 'object' } }
const ASK = {
  method: 'elicitation/create',
  params: { message: 'Sure?', requestedSchema: { type: 'object' } },
}

export async function startPatient(options: {
  readonly invites: boolean
}): Promise<{ readonly url: string; close(): void }> {
  const streams = new Map<string, Stream>()
  const cancelled: unknown[] = []
  let runs = 0

  function say(name: string, message: object): void {
    const stream = streams.get(name)
    if (!stream) return
    const data = JSON.stringify({ jsonrpc: '2.0', ...message })
    const mark = options.invites ? `id: ${name}_${stream.events.length + 1}\n` : ''
    const event = `${mark}data: ${data}\n\n`
    stream.events.push(event)
    stream.reader?.write(event)
  }

  function open(response: ServerResponse, name: string, stream: Stream): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    stream.reader = response
    response.once('close', () => {
      if (stream.reader === response) stream.reader = undefined
    })
    streams.set(name, stream)
  }

  function act(message: Message, response: ServerResponse): unknown {
    const answer = (result: object): unknown =>
      response
        .writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'the-only-one' })
        .end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }))
    switch (message.method) {
      case 'initialize': {
        const serverInfo = { name: 'patient', version: '1.0.0' }
        return answer({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo })
      }
      case 'tools/list':
        return answer({ tools: [TOOL] })
      case 'tools/call': {
        runs++
        const name = randomUUID()
        const questions = message.params?.arguments?.questions ?? 1
        open(response, name, { events: [], reader: undefined, callId: message.id, questions })
        if (options.invites) response.write(`id: ${name}_0\ndata:\n\n`)
        return say(name, { id: name, ...ASK })
      }
      case 'notifications/cancelled':
        cancelled.push(message.params?.requestId)
        break
      case undefined: {
        const name = String(message.id)
        const stream = streams.get(name)
        if (stream && --stream.questions > 0) say(name, { id: name, ...ASK })
        else {
          const said = `${message.result?.action}, ${runs} runs`
          say(name, { id: stream?.callId, result: { content: [{ type: 'text', text: said }] } })
          stream?.reader?.end()
        }
      }
    }
    return message.id === undefined || message.method === undefined
      ? response.writeHead(202).end()
      : response.writeHead(404).end()
  }

  function resume(lastEventId: string, response: ServerResponse): unknown {
    const [name = '', seen] = lastEventId.split('_')
    const stream = streams.get(name)
    if (!stream) return response.writeHead(405).end()
    // As the SDK's servers do it: one listener for each stream.
    if (stream.reader) return response.writeHead(409).end()
    open(response, name, stream)
    for (const event of stream.events.slice(Number(seen))) response.write(event)
    return response.flushHeaders()
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    if (request.url === '/facts') return response.end(JSON.stringify({ runs, cancelled } satisfies Facts))
    if (request.method === 'GET') return resume(String(request.headers['last-event-id']), response)
    if (request.method === 'DELETE') return response.writeHead(200).end()
    return act(JSON.parse(await text(request)), response)
  }

  const server = createServer((request, response) => void serve(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
