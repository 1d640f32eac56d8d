/**
 * A fake MCP server for tests: real HTTP, raw JSON, no SDK, so that it can also say what no SDK would. It keeps
 * the rules of its era as the SDK servers do, remembers every request, and has a dial for what goes wrong.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Dial, type Fault } from './dial.ts'
import { actBefore, deliver } from './fault.ts'
import { LegacyDoor } from './legacy.ts'
import { failure, type JsonObject, notificationText, readRequest, type Seen } from './message.ts'
import { type Choice, Method } from './method.ts'
import { dressResult, isModern, refuseLegacy, refuseModern } from './modern.ts'
import { Offer, type OfferOptions } from './offer.ts'
import { type Answers, type Framing, Reply } from './reply.ts'

export type UpstreamOptions = OfferOptions & {
  /** `both` by default. */
  readonly era?: 'legacy' | 'modern' | 'both'
  /** Legacy sessions, demanded of every request after `initialize`. */
  readonly stateful?: boolean
  readonly answers?: Answers
  readonly framing?: Framing
  /** Demanded of every request. */
  readonly auth?: {
    readonly header: string
    readonly value: string | ((given: string | undefined) => boolean)
  }
  readonly path?: string
  readonly port?: number
  /** Whether GET opens a listening stream (405 otherwise) and DELETE ends a session (405 when false). */
  readonly listens?: boolean
  readonly endsSessions?: boolean
  /** What a modern-only upstream says to legacy requests: 404 -32601, or 400 -32022 as SDK v2 does. */
  readonly refusesLegacyBy?: 'method' | 'version'
}

export class Upstream {
  /** Every request so far, oldest first. */
  readonly requests: Seen[] = []
  readonly dial = new Dial()
  readonly offer: Offer
  /** Requests whose answer is not finished. */
  open = 0
  /** Answers that the caller broke off. */
  closed = 0
  port: number
  readonly #options: UpstreamOptions
  readonly #path: string
  readonly #door: LegacyDoor
  readonly #method: Method
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #isStopping = false

  constructor(options: UpstreamOptions) {
    this.#options = options
    this.#path = options.path ?? '/mcp'
    this.port = options.port ?? 0
    this.offer = new Offer(options)
    this.#door = new LegacyDoor(options.stateful ?? false)
    this.#method = new Method(this.offer, this.dial, this.#door)
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}${this.#path}`
  }

  get sockets(): number {
    return this.#sockets.size
  }

  /** Bytes that were taken of what it says, over the connections that are open. */
  get takenBytes(): number {
    return [...this.#sockets].reduce((sum, socket) => sum + socket.bytesWritten - socket.writableLength, 0)
  }

  get sessions(): number {
    return this.#door.sessions
  }

  /** The requests with this JSON-RPC method. */
  calls(method: string): Seen[] {
    return this.requests.filter(({ message }) => message?.method === method)
  }

  /** Sends a notification to every listening stream, legacy and modern. */
  announce(method: string, params: JsonObject = {}): void {
    this.#method.announce(notificationText(method, params))
  }

  forgetSessions(): void {
    this.#door.forgetSessions()
  }

  async start(): Promise<this> {
    const server = createServer((request, response) => void this.#serve(request, response))
    // Callers that keep connections decide how long.
    server.keepAliveTimeout = 0
    server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    server.listen(this.port, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (typeof address === 'object' && address) this.port = address.port
    this.#server = server
    return this
  }

  /** Nothing listens any more, whatever is open is cut, sessions are forgotten. A second time does nothing. */
  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    this.#door.forgetSessions()
    if (!server) return
    this.#isStopping = true
    // The server's end is told before that of its sockets, at which requests are counted out.
    const closed = [server, ...this.#sockets].map((part) => once(part, 'close'))
    server.close()
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(closed)
    this.#isStopping = false
  }

  /** As after a crash: back on the same port, with no memory of sessions. */
  async restart(): Promise<this> {
    await this.stop()
    return await this.start()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.open++
    const over = new AbortController()
    let isOurDoing = false
    response.on('error', () => response.destroy())
    response.once('close', () => {
      this.open--
      if (!response.writableFinished && !isOurDoing && !this.#isStopping) this.closed++
      over.abort()
    })
    const { answers = 'json', framing = {} } = this.#options
    try {
      const seen = await readRequest(request)
      this.requests.push(seen)
      const reply = new Reply(response, over.signal, answers, framing)
      const fault = this.dial.take(seen)
      isOurDoing = fault?.is === 'reset' || fault?.is === 'cut'
      if (fault?.is === 'session_lost') this.#door.forgetSessions()
      await this.#answer(seen, reply, fault)
    } catch (error) {
      // What the end of the connection cut short is no fault; anything else is one of this fake.
      if (over.signal.aborted || response.headersSent) response.destroy()
      else response.writeHead(500).end(String(error))
    }
  }

  async #answer(seen: Seen, reply: Reply, fault: Fault | undefined): Promise<void> {
    const idText = JSON.stringify(seen.message?.id ?? null)
    if (await actBefore(fault, reply, idText)) return
    const { auth } = this.#options
    if (seen.path.split('?')[0] !== this.#path) return reply.finish('', 404)
    if (auth && !isAccepted(auth, seen)) {
      reply.headers['www-authenticate'] = 'Bearer'
      return reply.finish('', 401)
    }
    const outcome = await this.#outcome(seen, reply, fault)
    if (outcome === 'accepted') return reply.finish('', 202)
    if (outcome === 'ended') return reply.finish('', 200)
    if (outcome !== 'open') await deliver(fault, reply, idText, outcome)
  }

  async #outcome(seen: Seen, reply: Reply, fault: Fault | undefined): Promise<Choice> {
    const { era = 'both', refusesLegacyBy = 'method' } = this.#options
    const asModern = era === 'modern' || (era === 'both' && isModern(seen))
    if (asModern && seen.message && !isModern(seen)) {
      if (seen.message.method?.startsWith('notifications/')) return 'accepted'
      return refuseLegacy(seen.message, refusesLegacyBy)
    }
    if (seen.httpMethod !== 'POST') return this.#otherMethod(seen, reply, asModern)
    const refusal = asModern ? refuseModern(seen, this.offer.tools) : this.#door.refuse(seen)
    if (refusal) return refusal
    const { message } = seen
    if (!message) return failure(400, -32700, 'Parse error')
    const choice = await this.#method.run({ seen, message, isModern: asModern, reply, fault })
    return asModern && typeof choice === 'object' && 'result' in choice
      ? { result: dressResult(message.method ?? '', choice.result) }
      : choice
  }

  #otherMethod(seen: Seen, reply: Reply, asModern: boolean): Choice {
    const { listens = false, endsSessions = true } = this.#options
    const isAllowed = seen.httpMethod === 'GET' ? listens : seen.httpMethod === 'DELETE' && endsSessions
    if (asModern || !isAllowed) return failure(405, -32000, 'Method not allowed.')
    const refusal = this.#door.refuse(seen)
    if (refusal) return refusal
    if (seen.httpMethod === 'GET') return this.#method.listen(reply)
    this.#door.endSession(seen)
    return 'ended'
  }
}

function isAccepted({ header, value }: NonNullable<UpstreamOptions['auth']>, { headers }: Seen): boolean {
  const given = headers[header.toLowerCase()]?.toString()
  return typeof value === 'string' ? given === value : value(given)
}

export const startUpstream = (options: UpstreamOptions = {}): Promise<Upstream> =>
  new Upstream(options).start()
