/** The matrix: clients of both eras through the gateway to upstreams of both eras, all on the official SDKs. */
import type { Era } from '../../src/protocol/version.ts'
import { TOKEN, type Gateway } from './gateway.ts'
import { type Relay, startRelay } from './relay.ts'
import { type ClientOptions, connectLegacy, connectModern, type SdkClient } from './sdk-client.ts'
import { startLegacyServer } from './sdk-legacy.ts'
import { startModernServer } from './sdk-modern.ts'
import { type SdkUpstream, uriOf } from './sdk-upstream.ts'
import { startStack, type Stack } from './stack.ts'

export type Cell = {
  readonly client: Era
  readonly upstream: Era
  /** Everything, or this upstream alone. */
  readonly at: 'all' | 'service'
}

const ERAS = ['legacy', 'modern'] as const
const ENDPOINTS = ['all', 'service'] as const

export const cells: readonly Cell[] = ENDPOINTS.flatMap((at) =>
  ERAS.flatMap((client) => ERAS.map((upstream) => ({ client, upstream, at }))),
)

/** Title of a cell's tests. */
export const IN_CELL = '$client client, $upstream upstream, at the endpoint of $at'

export class Matrix {
  readonly stack: Stack
  readonly gateway: Gateway
  readonly #relay: Relay
  readonly #upstreams: Readonly<Record<Era, SdkUpstream>>
  #clients: SdkClient[] = []

  constructor(stack: Stack, gateway: Gateway, relay: Relay, upstreams: Readonly<Record<Era, SdkUpstream>>) {
    this.stack = stack
    this.gateway = gateway
    this.#relay = relay
    this.#upstreams = upstreams
  }

  /** Of the gateway, as the edge shows it (relay.ts). */
  get url(): string {
    return this.#relay.url
  }

  upstream({ upstream }: Cell): SdkUpstream {
    return this.#upstreams[upstream]
  }

  /** A client of its own; it goes with `disconnect` or with the matrix. */
  async connect(cell: Cell, options?: ClientOptions): Promise<SdkClient> {
    const connect = cell.client === 'legacy' ? connectLegacy : connectModern
    const client = await connect(`${this.#relay.url}${pathOf(cell)}`, TOKEN, options)
    this.#clients.push(client)
    return client
  }

  /** Closes every client that is connected. */
  async disconnect(): Promise<void> {
    const clients = this.#clients
    this.#clients = []
    await Promise.all(clients.map((client) => client.close()))
  }

  async close(): Promise<void> {
    await this.disconnect()
    await this.#relay.close()
    await this.stack.close()
    await Promise.all(Object.values(this.#upstreams).map((upstream) => upstream.close()))
  }
}

export const pathOf = ({ at, upstream }: Cell): string => (at === 'all' ? '/mcp' : `/mcp/${upstream}`)

/** The public name of what the upstream calls so. */
export const publicName = ({ at, upstream }: Cell, name: string): string =>
  at === 'all' ? `${upstream}__${name}` : name

/** The URI of a resource of the cell's upstream; both differ by it, so that it is the same on either side. */
export const publicUri = ({ upstream }: Cell, name: string): string => uriOf(upstream, name)

/** Both upstreams registered under the names of their eras. */
export async function startMatrix(): Promise<Matrix> {
  const [stack, legacy, modern] = await Promise.all([startStack(), startLegacyServer(), startModernServer()])
  const gateway = await stack.gateway()
  for (const upstream of [legacy, modern]) {
    const registered = await gateway.register(upstream.era, upstream.url)
    if (registered.status !== 201) throw new Error(registered.text)
  }
  return new Matrix(stack, gateway, await startRelay(gateway.url), { legacy, modern })
}
