/** The database and the cache of a run: embedded ones, or those that the environment names, on the edge's wire. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Bindings } from './bindings.ts'
import { startNeon } from './postgres/neon.ts'
import { openPglite } from './postgres/pglite.ts'
import { openPostgres } from './postgres/postgres.ts'
import { openRedis } from './redis/redis.ts'
import { startUpstash } from './redis/upstash.ts'

type Environment = Readonly<Record<string, string | undefined>>

export type Database = { readonly databaseUrl: string; readonly what: string; close(): Promise<void> }
export type Cache = {
  readonly url: string
  readonly token: string
  readonly what: string
  close(): Promise<void>
}

const NEON = /\.neon\.tech$/

/** `DATABASE_URL`: a Neon address is used as it is, any other Postgres through the local endpoint; none: embedded. */
export async function openDatabase(env: Environment, directory: string): Promise<Database> {
  const url = env['DATABASE_URL'] ?? ''
  if (URL.canParse(url) && NEON.test(new URL(url).hostname)) {
    return { databaseUrl: url, what: 'Neon', close: async () => undefined }
  }
  if (url !== '') requireUrl('DATABASE_URL', url, ['postgres:', 'postgresql:'])
  const engine = url === '' ? await openPglite(join(directory, 'postgres')) : await openPostgres(url)
  const neon = await startNeon({ engine, port: 0 })
  return {
    databaseUrl: neon.databaseUrl,
    what: url === '' ? 'embedded Postgres' : `Postgres at ${new URL(url).host}`,
    async close() {
      await neon.close()
      await engine.close()
    },
  }
}

/** `UPSTASH_REDIS_REST_URL` is used as it is, `REDIS_URL` through the local endpoint; none: in memory. */
export async function openCache(env: Environment): Promise<Cache> {
  const url = env['UPSTASH_REDIS_REST_URL'] ?? ''
  if (url !== '') {
    requireUrl('UPSTASH_REDIS_REST_URL', url, ['https:', 'http:'])
    const token = env['UPSTASH_REDIS_REST_TOKEN'] ?? ''
    return { url, token, what: 'Upstash', close: async () => undefined }
  }
  const redisUrl = env['REDIS_URL'] === '' ? undefined : env['REDIS_URL']
  if (redisUrl !== undefined) requireUrl('REDIS_URL', redisUrl, ['redis:', 'rediss:'])
  const redis = await openRedis(redisUrl)
  const upstash = await startUpstash({ redis, token: randomBytes(24).toString('base64url'), port: 0 })
  return {
    url: upstash.url,
    token: upstash.token,
    what: redisUrl === undefined ? 'embedded Redis' : `Redis at ${new URL(redisUrl).host}`,
    async close() {
      await upstash.close()
      await redis.close()
    },
  }
}

/** How the gateway reaches both. */
export const storeBindings = (database: Database, cache: Cache): Bindings => ({
  DATABASE_URL: database.databaseUrl,
  UPSTASH_REDIS_REST_URL: cache.url,
  UPSTASH_REDIS_REST_TOKEN: cache.token,
})

/** Rejects without the text itself, which may hold a password. */
function requireUrl(variable: string, text: string, protocols: readonly string[]): void {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && protocols.includes(url.protocol) && url.hostname !== '') return
  throw new Error(`${variable} must be a URL that begins with ${protocols[0]}// and names a host.`)
}
