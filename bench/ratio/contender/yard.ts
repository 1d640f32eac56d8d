/**
 * A gateway with everything around it: upstreams, stores and the production bundle on plain workerd, each in a process
 * of its own.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Preparation,
  prepareWorkerd,
  startWorkerd,
  type WorkerdOptions,
} from '../../../local/workerd.ts'
import { API_KEY, Gateway, TOKEN } from '../../../test/support/gateway.ts'
import { childOf } from '../../process.ts'
import { type ServiceOffer, slugOf } from '../offer.ts'
import { type Contender, OWN, STORES } from './contender.ts'
import { type Part, startPart } from './part.ts'

/** What is written down of a call leaves its isolate after 0.9 s, and the object that gathers it 2 s later. */
const LAG_MS = 3_000
const REGISTRATIONS_AT_ONCE = 4

export type YardOptions = {
  readonly bundleDirectory: string
  readonly offers: readonly ServiceOffer[]
  readonly inspectorAddress?: string
  /** Of the gateway, besides those that every yard has. */
  readonly settings?: Readonly<Record<string, string>>
}

export type Yard = {
  readonly contender: Contender
  readonly offers: readonly ServiceOffer[]
  readonly gateway: Gateway
  /** The MCP endpoint of each upstream. */
  readonly upstreams: readonly string[]
  readonly stores: Part<Bindings>
  readonly upstreamPart: Part<readonly string[]>
  /** Registers the services; a yard is empty until then. */
  fill(): Promise<void>
  /** A second gateway on the same stores and data, ready to be started; the first must be stopped. */
  prepare(): Promise<Preparation>
  stop(): Promise<void>
  close(): Promise<void>
}

type Bindings = Readonly<Record<string, string>>

export async function openYard(options: YardOptions): Promise<Yard> {
  const directory = await mkdtemp(join(tmpdir(), 'switchyard-bench-'))
  const { offers } = options
  const [stores, upstreamPart] = await Promise.all([
    startPart(join(import.meta.dirname, 'stores.ts'), [join(directory, 'postgres')], readBindings),
    startPart(join(import.meta.dirname, '../upstream/main.ts'), [JSON.stringify(offers)], readUrls),
  ])
  const workerdOptions = describe(options, stores.said, join(directory, 'objects'))
  const workerd = await startWorkerd(workerdOptions)
  const gateway = new Gateway(workerd.url)
  const upstreams = upstreamPart.said

  const register = async (at: number): Promise<void> => {
    const { status, text } = await gateway.register(slugOf(at), upstreams[at] ?? '', offers[at]?.settings)
    if (status !== 201) throw new Error(`${slugOf(at)} could not be registered: ${text}`)
  }
  return {
    contender: {
      name: 'gateway',
      url: `${workerd.url}/mcp`,
      headers: { authorization: `Bearer ${TOKEN}` },
      isGreeted: true,
      lagMs: LAG_MS,
      processes: { [OWN]: childOf(workerd.child.pid), [STORES]: stores.pid },
    },
    offers,
    gateway,
    upstreams,
    stores,
    upstreamPart,
    async fill() {
      let next = 0
      const lane = async (): Promise<void> => {
        while (next < offers.length) await register(next++)
      }
      await Promise.all(Array.from({ length: REGISTRATIONS_AT_ONCE }, lane))
    },
    prepare: () => prepareWorkerd(workerdOptions),
    stop: () => workerd.close(),
    async close() {
      await workerd.close()
      await Promise.all([stores.close(), upstreamPart.close()])
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function describe(options: YardOptions, stores: Bindings, dataDirectory: string): WorkerdOptions {
  const { bundleDirectory, inspectorAddress, settings } = options
  const secrets = {
    API_KEY,
    MCP_BEARER_TOKEN: TOKEN,
    JWT_SECRET: 'jwt-secret-of-the-benchmark',
    ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  }
  const bindings = { ...stores, ...secrets, ALLOW_PRIVATE_UPSTREAMS: 'true', ...settings }
  return { bundleDirectory, port: 0, bindings, dataDirectory, inspectorAddress }
}

function readBindings(said: unknown): Bindings {
  return Object.fromEntries(Object.entries(said ?? {}).map(([name, value]) => [name, String(value)]))
}

export function readUrls(said: unknown): readonly string[] {
  if (typeof said === 'object' && said && 'urls' in said && Array.isArray(said.urls))
    return said.urls.map(String)
  throw new Error('The upstreams told no addresses.')
}
