/** HTTP as any program may send it: bytes as bodies, header values that browsers would not allow. */
import { connect } from 'node:net'
import { Agent, type IncomingMessage, request } from 'node:http'

export type WireRequest = {
  readonly method: string
  readonly path: string
  /** Latin-1, as on the wire. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export type WireAnswer = {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

export type Patience = {
  /** What ends the reading of an event stream before its end: its first event, or sign of life where GET asked. */
  readonly until?: RegExp
  readonly timeoutMs?: number
}

const FIRST_EVENT = /^data:.*\n\n/m
const FIRST_SIGN = /\n\n/
const agent = new Agent({ keepAlive: true, maxSockets: 16 })

/** Rejects when nothing is answered within `timeoutMs`, and when the connection is lost. */
export function exchange(
  url: string,
  { method, path, headers, body }: WireRequest,
  { until = method === 'GET' ? FIRST_SIGN : FIRST_EVENT, timeoutMs = 10_000 }: Patience = {},
): Promise<WireAnswer> {
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const length = hasBody ? { 'content-length': String(body.length) } : {}
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { agent, method, headers: { ...headers, ...length } })
    const late = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    sent.on('error', reject)
    sent.on('close', () => clearTimeout(late))
    sent.on('response', (response) => {
      const isStream = response.headers['content-type'] === 'text/event-stream'
      let text = ''
      const finish = (): void =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
      response.setEncoding('utf8')
      response.on('error', reject)
      response.on('data', (piece: string) => {
        text += piece
        if (!isStream || !until.test(text)) return
        finish()
        sent.destroy()
      })
      response.on('end', finish)
    })
    sent.end(hasBody ? body : undefined)
  })
}

/**
 * What is answered, as text, while the body goes out piece by piece for as long as it is taken: whatever the headers
 * promise of it. `target`: method and path.
 */
export async function sendRaw(
  url: string,
  target: string,
  headers: Readonly<Record<string, string>>,
  pieces: Iterable<string> = [],
): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname).setEncoding('utf8')
  let answer = ''
  const over = new Promise<void>((resolve) => {
    socket.on('data', (text: string) => (answer += text)).on('data', () => resolve())
    socket.on('error', () => resolve()).on('close', () => resolve())
  })
  const lines = Object.entries({ host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}`)
  socket.write(`${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  for (const piece of pieces) {
    if (answer !== '' || socket.closed) break
    if (socket.write(piece)) continue
    const isTaken = new Promise<void>((resolve) => socket.once('drain', resolve))
    await Promise.race([isTaken, over])
  }
  await over
  socket.destroy()
  return answer
}
