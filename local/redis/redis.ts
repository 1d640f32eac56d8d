/**
 * A Redis server as an engine, through `ioredis`. Knows connections; knows neither HTTP nor what the
 * commands mean.
 */
import { Redis, ReplyError } from 'ioredis'
import { openMock } from './mock.ts'
import { readReply } from './reply.ts'
import type { RedisEngine } from './reply.ts'

const CONNECT_TIMEOUT_MS = 3_000
const MAX_RETRY_DELAY_MS = 1_000

const readError = (error: unknown): { error: string } => {
  if (error instanceof Error && error instanceof ReplyError) return { error: error.message }
  throw error
}

const openServer = async (url: string): Promise<RedisEngine> => {
  let isOpen = false
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxRetriesPerRequest: 1,
    // No retries until the first connection stands, so that a wrong address fails at once.
    retryStrategy: (times) => (isOpen ? Math.min(times * 100, MAX_RETRY_DELAY_MS) : null),
  })
  let lastError: Error | undefined
  // Unheard, each failed attempt would be written to stderr. The command that meets it reports it.
  redis.on('error', (error) => (lastError = error))
  try {
    await redis.connect()
    await redis.ping()
  } catch (error) {
    redis.disconnect()
    const reason = lastError ?? (error instanceof Error ? error : new Error(String(error)))
    const { hostname, port } = new URL(url)
    throw new Error(`Redis at ${hostname}:${port || '6379'} is out of reach: ${reason.message}`, {
      cause: error,
    })
  }
  isOpen = true

  return {
    call: async ([name = '', ...args]) => {
      try {
        return { reply: readReply(await redis.callBuffer(name, ...args)) }
      } catch (error) {
        return readError(error)
      }
    },
    transact: async (commands) => {
      const transaction = redis.multi()
      for (const [name = '', ...args] of commands) transaction.callBuffer(name, ...args)
      try {
        const results = (await transaction.exec()) ?? []
        return {
          results: results.map(([error, value]) => (error ? readError(error) : { reply: readReply(value) })),
        }
      } catch (error) {
        return readError(error)
      }
    },
    close: async () => redis.disconnect(),
  }
}

/**
 * Opens the Redis of `url`, or one in memory that no other call shares when undefined.
 * Rejects within about 3 s, naming host and port but never the password, when it is out of reach.
 * A connection lost later is made anew quietly; commands meanwhile reject.
 */
export const openRedis = async (url?: string): Promise<RedisEngine> =>
  url === undefined ? openMock() : openServer(url)
