/** Once before the tests inside the runtime: stores behind their wires, and upstreams that can be asked over HTTP. */
import type { TestProject } from 'vitest/node'
import { writeAssets } from '../../local/assets.ts'
import { migrate } from '../../local/migration.ts'
import { startNeon } from '../../local/postgres/neon.ts'
import { openPglite } from '../../local/postgres/pglite.ts'
import { openRedis } from '../../local/redis/redis.ts'
import { startUpstash } from '../../local/redis/upstash.ts'
import { startAuthorizationServer } from '../support/token-endpoint.ts'
import { startUpstream } from '../support/upstream.ts'
import { startPatient } from './patient.ts'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await writeAssets()
  const engine = await openPglite()
  const redis = await openRedis()
  const neon = await startNeon({ engine, port: 0 })
  const upstash = await startUpstash({ redis, token: 'redis-token', port: 0 })
  await migrate(neon.databaseUrl)
  const inviting = await startPatient({ invites: true })
  const silent = await startPatient({ invites: false })
  const authorization = await startAuthorizationServer()
  authorization.fault = { is: 'delay', ms: 300 }
  const demanding = await startUpstream({
    era: 'legacy',
    // Each file has guards of its own, and a token that a second guard refreshes for its listeners is spent twice.
    announces: false,
    auth: { header: 'authorization', value: authorization.accepts },
  })
  project.provide('stores', { databaseUrl: neon.databaseUrl, redisUrl: upstash.url })
  project.provide('upstreams', { inviting: inviting.url, silent: silent.url, demanding: demanding.url })
  project.provide('authorization', authorization.origin)
  return async () => {
    inviting.close()
    silent.close()
    await Promise.all([demanding.stop(), authorization.stop()])
    await Promise.all([neon.close(), upstash.close()])
    await Promise.all([engine.close(), redis.close()])
  }
}

declare module 'vitest' {
  interface ProvidedContext {
    stores: { readonly databaseUrl: string; readonly redisUrl: string }
    /** Addresses of legacy servers: one asks and invites its callers to let go of streams, one only asks, one wants a token. */
    upstreams: { readonly inviting: string; readonly silent: string; readonly demanding: string }
    /** Where somebody can sign in; `demanding` takes its access tokens. */
    authorization: string
  }
}
