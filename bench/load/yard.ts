/**
 * What a row runs against: the production bundle on plain workerd, embedded stores behind their real wires, and
 * upstreams that take 20 ms for every call and read.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate } from '../../local/migration.ts'
import { findFreePort } from '../../local/port.ts'
import { openCache, openDatabase, storeBindings } from '../../local/stores.ts'
import { startWorkerd } from '../../local/workerd.ts'
import { API_KEY, Gateway, TOKEN } from '../../test/support/gateway.ts'
import { startUpstream, type Upstream } from '../../test/support/upstream.ts'
import { type Heap, openHeap } from './heap.ts'
import type { Target } from './request.ts'

const UPSTREAM_MS = 20

/** A registered service and the upstream behind it. */
export type Service = {
  readonly name: string
  readonly upstream: Upstream
  /** Its tool `echo` and its resource, through the gateway. */
  readonly target: Target
  /** The same, past the gateway. */
  readonly direct: Target
}

export type Yard = {
  readonly gateway: Gateway
  /** One MCP endpoint for each isolate. */
  readonly endpoints: readonly string[]
  /** Of the process that keeps the gateway's. */
  readonly pid: number
  /** Registers one more service; `settings`: members of its registration. */
  add(name: string, settings?: object): Promise<Service>
  /** A second time waits for the first. */
  close(): Promise<void>
}

/** Whoever looks into a gateway may slow it down: nobody measures latency in this one. */
export type InspectedYard = Yard & { readonly heap: Heap }

export type YardOptions = {
  readonly isolates?: number
  readonly inspectorAddress?: string
  /** Of the gateway, besides those that every yard has. */
  readonly settings?: Readonly<Record<string, string>>
}

export async function openInspectedYard(bundleDirectory: string): Promise<InspectedYard> {
  const inspectorAddress = `127.0.0.1:${await findFreePort()}`
  const yard = await openYard(bundleDirectory, { inspectorAddress })
  const heap = await openHeap(inspectorAddress, () => yard.gateway.fetch('/nothing').catch(() => undefined))
  return {
    ...yard,
    heap,
    close() {
      heap.close()
      return yard.close()
    },
  }
}

export async function openYard(bundleDirectory: string, options: YardOptions = {}): Promise<Yard> {
  const directory = await mkdtemp(join(tmpdir(), 'switchyard-load-'))
  const [database, cache] = await Promise.all([openDatabase({}, directory), openCache({})])
  await migrate(database.databaseUrl)
  const secrets = { API_KEY, MCP_BEARER_TOKEN: TOKEN, JWT_SECRET: 'jwt-secret-of-the-load' }
  const ENCRYPTION_KEY = Buffer.alloc(32, 7).toString('base64')
  const stores = storeBindings(database, cache)
  const { settings, ...runtime } = options
  const bindings = { ...stores, ...secrets, ENCRYPTION_KEY, ALLOW_PRIVATE_UPSTREAMS: 'true', ...settings }
  const workerd = await startWorkerd({ bundleDirectory, port: 0, bindings, ...runtime })
  const gateway = new Gateway(workerd.url)
  const endpoints = workerd.urls.map((url) => `${url}/mcp`)
  const upstreams: Upstream[] = []
  const end = async (): Promise<void> => {
    await workerd.close()
    await Promise.all([database.close(), cache.close(), ...upstreams.map((upstream) => upstream.stop())])
    await rm(directory, { recursive: true, force: true })
  }
  let ended: Promise<void> | undefined
  return {
    gateway,
    endpoints,
    pid: workerd.child.pid ?? 0,
    async add(name, settings = {}) {
      const uri = `note://${name}/1`
      const upstream = await startUpstream({ era: 'modern', resources: [{ uri, name: 'a note' }] })
      upstreams.push(upstream)
      for (const method of ['tools/call', 'resources/read'])
        upstream.dial.set({ is: 'delay', ms: UPSTREAM_MS, for: method })
      const { status, text } = await gateway.register(name, upstream.url, settings)
      if (status !== 201) throw new Error(`${name} could not be registered: ${text}`)
      const target = { url: `${gateway.url}/mcp`, tool: `${name}__echo`, uri }
      return { name, upstream, target, direct: { url: upstream.url, tool: 'echo', uri } }
    },
    close: () => (ended ??= end()),
  }
}
