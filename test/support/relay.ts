/**
 * Stands between clients and a gateway as the edge does: a client that goes away is noticed at once. Plain workerd
 * notices the mere end of a connection only when it next writes to it, a reset at once.
 */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export type Relay = { readonly url: string; readonly close: () => Promise<void> }

export async function startRelay(target: string): Promise<Relay> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const gateway = connect(Number(port), hostname)
    const leave = (): void => void gateway.resetAndDestroy()
    client.once('end', leave).once('close', leave).on('error', leave)
    gateway.once('close', () => client.destroy()).on('error', () => client.destroy())
    client.pipe(gateway, { end: false })
    gateway.pipe(client)
    sockets.add(client)
    client.once('close', () => sockets.delete(client))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    close: async () => {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}
