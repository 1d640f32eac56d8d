/** Loaded before the reference server, which would listen to everyone on a fixed port: to this machine, on any free one. */
import { Server } from 'node:net'

const listen: (...args: any[]) => Server = Server.prototype.listen

Server.prototype.listen = function (this: Server, _port: unknown, ...rest: unknown[]): Server {
  this.once('listening', () => {
    const address = this.address()
    if (typeof address === 'object') process.stdout.write(`listening at ${address?.port}\n`)
  })
  return listen.call(this, { port: 0, host: '127.0.0.1' }, ...rest)
}
