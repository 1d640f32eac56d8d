/** One upstream of the benchmark: MCP over bare TCP, since any HTTP server would cost more than what is measured. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { headerOf, type HttpMessage, HttpReader } from '../http.ts'
import { PLAIN, type ServiceOffer } from '../offer.ts'
import { Answers } from './answer.ts'

export type UpstreamServer = { readonly url: string; readonly requests: () => number }

export async function listen(service: number, offers: readonly ServiceOffer[]): Promise<UpstreamServer> {
  const { answers: framing, hasSessions } = offers[service] ?? PLAIN
  const answers = new Answers(service, offers)
  const sessions = new Set<string>()
  let requests = 0

  const respond = ({ head, body }: HttpMessage, socket: Socket): void => {
    requests++
    if (!head.startsWith('POST')) return void socket.write(write(405, ''))
    const message = JSON.parse(body.toString())
    let session = ''
    if (hasSessions && message.method === 'initialize') {
      const id = randomUUID()
      sessions.add(id)
      session = `Mcp-Session-Id: ${id}\r\n`
    } else if (hasSessions) {
      const id = headerOf(head, 'mcp-session-id')
      if (id === undefined) return void socket.write(write(400, ''))
      if (!sessions.has(id)) return void socket.write(write(404, ''))
    }
    const answer = answers.to(message)
    if (answer === undefined) socket.write(write(202, session))
    else if (framing === 'stream') socket.write(writeStream(session, answer))
    else socket.write(write(200, `Content-Type: application/json\r\n${session}`, answer))
  }

  const server = createServer({ noDelay: true }, (socket) => {
    const reader = new HttpReader((message) => respond(message, socket))
    socket.on('data', (bytes) => reader.push(bytes))
    socket.on('error', () => socket.destroy())
  })
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 })
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return { url: `http://127.0.0.1:${port}/mcp`, requests: () => requests }
}

const write = (status: number, headers: string, body = ''): string =>
  `HTTP/1.1 ${status} -\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

function writeStream(headers: string, message: string): string {
  const event = `event: message\ndata: ${message}\n\n`
  const chunk = `${Buffer.byteLength(event).toString(16)}\r\n${event}\r\n`
  return `HTTP/1.1 200 -\r\nContent-Type: text/event-stream\r\n${headers}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`
}
