/**
 * A whole Switchyard for tests: Postgres and Redis behind their real wires, and gateways in plain workerd
 * with the production bundle. Each dependency can be counted and taken away.
 */
import { neon as neonClient } from '@neondatabase/serverless'
import { inject } from 'vitest'
import type { Fault } from '../../local/endpoint.ts'
import { migrate } from '../../local/migration.ts'
import type { Engine } from '../../local/postgres/engine.ts'
import { startNeon } from '../../local/postgres/neon.ts'
import { openPglite } from '../../local/postgres/pglite.ts'
import { openRedis } from '../../local/redis/redis.ts'
import { startUpstash } from '../../local/redis/upstash.ts'
import { startWorkerd, type Workerd, type WorkerdOptions } from '../../local/workerd.ts'
import { API_KEY, eventually, Gateway, TOKEN } from './gateway.ts'

/** A dependency as tests see it: how often it was asked, and what is wrong with it. */
export class Dependency {
  requests = 0
  fault: Fault | undefined
  readonly hooks = { observe: () => void this.requests++, fault: () => this.fault }

  /** Cuts every connection, as if nothing listened. */
  takeAway(): void {
    this.fault = { destroy: true }
  }

  giveBack(): void {
    this.fault = undefined
  }
}

/** Where a gateway's Durable Objects live, who hears what its runtime says, and how many isolates it has; where its heap is looked at. Any free port by default. */
export type GatewayRuntime = Partial<
  Pick<WorkerdOptions, 'dataDirectory' | 'sink' | 'isolates' | 'inspectorAddress' | 'v8Flags' | 'port'>
>

type GatewaySettings = Readonly<Record<string, string | undefined>>

export type Stack = Awaited<ReturnType<typeof startStack>>

/** `open`: the Postgres behind it. */
export async function startStack(open: () => Promise<Engine> = openPglite) {
  const database = new Dependency()
  const cache = new Dependency()
  const engine = await open()
  const redis = await openRedis()
  const neon = await startNeon({ engine, port: 0, ...database.hooks })
  const upstash = await startUpstash({ redis, token: 'redis-token', port: 0, ...cache.hooks })
  await migrate(neon.databaseUrl)
  const running = new Map<Gateway, Workerd>()

  return {
    database,
    cache,
    databaseUrl: neon.databaseUrl,
    redisUrl: upstash.url,
    /** Rows of the database, past the gateway. */
    query: (text: string) => neonClient(neon.databaseUrl).query(text),
    /** One more gateway on the same registry. A setting of `undefined` is left out. */
    async gateway(settings: GatewaySettings = {}, runtime: GatewayRuntime = {}): Promise<Gateway> {
      const [gateway] = await this.gateways(settings, runtime)
      if (!gateway) throw new Error('A process without isolates')
      return gateway
    },
    /** The same, as each of its isolates answers. */
    async gateways(settings: GatewaySettings, runtime: GatewayRuntime): Promise<Gateway[]> {
      const bindings = {
        DATABASE_URL: neon.databaseUrl,
        UPSTASH_REDIS_REST_URL: upstash.url,
        UPSTASH_REDIS_REST_TOKEN: 'redis-token',
        API_KEY,
        MCP_BEARER_TOKEN: TOKEN,
        ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
        JWT_SECRET: 'jwt-secret-for-tests',
        MCP_TOKEN_MANAGES: 'true',
        ALLOW_PRIVATE_UPSTREAMS: 'true',
        ALLOWED_ORIGINS: 'https://ok.example',
        DOH_URL: 'off',
        ...settings,
      }
      const set = Object.entries(bindings).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      )
      const workerd = await startWorkerd({
        bundleDirectory: inject('bundle'),
        port: 0,
        bindings: Object.fromEntries(set),
        ...runtime,
      })
      return workerd.urls.map((url) => {
        const gateway = new Gateway(url, settings['MCP_BEARER_TOKEN'], settings['API_KEY'])
        running.set(gateway, workerd)
        return gateway
      })
    },
    /** Kills the process that it runs in, in the middle of whatever it does. */
    async kill(gateway: Gateway): Promise<void> {
      await running.get(gateway)?.child.kill()
    },
    /** Waits until what went on after responses has ended: no request at either store for a while. */
    async quiet(): Promise<void> {
      let before = -1
      await eventually(10_000, async () => {
        const now = database.requests + cache.requests
        const isQuiet = now === before
        before = now
        await new Promise((resolve) => setTimeout(resolve, 200))
        if (!isQuiet) throw new Error('The stores are still being asked.')
      })
    },
    async close(): Promise<void> {
      await Promise.all([...new Set(running.values())].map((workerd) => workerd.close()))
      await Promise.all([neon.close(), upstash.close()])
      await Promise.all([engine.close(), redis.close()])
    },
  }
}
