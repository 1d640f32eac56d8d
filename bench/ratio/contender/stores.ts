/**
 * The process of the stores behind one gateway: the embedded Postgres and Redis of `npm start` behind their real wires.
 * Its argument: the directory of the data. Counts every request, and can be told to answer late.
 */
import { migrate } from '../../../local/migration.ts'
import { startNeon } from '../../../local/postgres/neon.ts'
import { openPglite } from '../../../local/postgres/pglite.ts'
import { openRedis } from '../../../local/redis/redis.ts'
import { startUpstash } from '../../../local/redis/upstash.ts'
import { tell } from './part.ts'

const [, , directory = ''] = process.argv
const token = 'token-of-the-benchmark'
let requests = 0
let delayMs = 0
const hooks = { observe: () => void requests++, fault: () => ({ delayMs }) }

const [engine, redis] = await Promise.all([openPglite(directory), openRedis()])
const neon = await startNeon({ engine, port: 0, ...hooks })
const upstash = await startUpstash({ redis, token, port: 0, ...hooks })
await migrate(neon.databaseUrl)
await tell(
  {
    DATABASE_URL: neon.databaseUrl,
    UPSTASH_REDIS_REST_URL: upstash.url,
    UPSTASH_REDIS_REST_TOKEN: token,
  },
  {
    count: () => ({ requests }),
    delay: (query) => ({ delayMs: (delayMs = Number(query.get('ms'))) }),
  },
)
