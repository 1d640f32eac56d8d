/** One kept connection to one contender, for one request at a time. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type HttpMessage, HttpReader } from '../http.ts'

export class Connection {
  readonly #socket: Socket
  #waiting: PromiseWithResolvers<HttpMessage> | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    const reader = new HttpReader((message) => {
      this.#waiting?.resolve(message)
      this.#waiting = undefined
    })
    socket.on('data', (bytes) => reader.push(bytes))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('The connection was closed.')))
  }

  static async open(url: URL): Promise<Connection> {
    const socket = connect({ port: Number(url.port), host: url.hostname, noDelay: true })
    await once(socket, 'connect')
    return new Connection(socket)
  }

  /** `head`: first line and headers, up to the value of `Content-Length`. `body`: ASCII, as the head is. */
  send(head: string, body: string): Promise<HttpMessage> {
    this.#waiting = Promise.withResolvers()
    this.#socket.write(`${head}${body.length}\r\n\r\n${body}`, 'latin1')
    return this.#waiting.promise
  }

  close(): void {
    this.#socket.destroy()
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }
}
