/**
 * Upstash's REST API in front of a Redis, as `@upstash/redis` speaks it: `POST /` with one command,
 * `/pipeline` and `/multi-exec` with several, `/cmd/arg/…` with one in the path.
 * Source: upstash.com/docs/redis/features/restapi. Knows the wire; leaves commands to the engine,
 * which stays the caller's to close.
 */
import { isSameSecret, MAX_BODY_BYTES, startEndpoint } from '../endpoint.ts'
import type { Answer, Call, Endpoint, Hooks } from '../endpoint.ts'
import type { Command, CommandResult, RedisEngine, Reply } from './reply.ts'
import { decodeCommand, decodeCommands, decodePath, findRefusal } from './verb.ts'
import type { Decoded } from './verb.ts'

export interface UpstashOptions extends Hooks {
  readonly redis: RedisEngine
  readonly token: string
  /** 0 takes any free port. */
  readonly port: number
  readonly host?: string | undefined
}

export interface Upstash extends Endpoint {
  readonly url: string
  readonly token: string
}

type Json = string | number | null | readonly Json[]

const encodeReply = (reply: Reply, isBase64: boolean): Json => {
  if (reply === null || typeof reply === 'number') return reply
  if (typeof reply === 'string' || reply instanceof Uint8Array) {
    return Buffer.from(reply).toString(isBase64 ? 'base64' : 'utf8')
  }
  return reply.map((item) => encodeReply(item, isBase64))
}

const encodeResult = (result: CommandResult, isBase64: boolean): object => {
  if ('error' in result) return result
  // The one string that Upstash never encodes, and its client never decodes.
  const isOk = String(result.reply) === 'OK' && !Array.isArray(result.reply)
  return { result: encodeReply(result.reply, isBase64 && !isOk) }
}

const answerWith = (status: number, value: unknown): Answer => ({
  status,
  body: JSON.stringify(value),
})

const refuse = (status: number, error: string): Answer => answerWith(status, { error })

const statusOf = (result: object): number => ('error' in result ? 400 : 200)

/** Runs one command, unless it is one that HTTP cannot carry. */
const run = async (redis: RedisEngine, command: Command): Promise<CommandResult> => {
  const error = findRefusal(command)
  return error === undefined ? redis.call(command) : { error }
}

const runOne = async (redis: RedisEngine, command: Decoded<Command>, isBase64: boolean): Promise<Answer> => {
  if (!command.ok) return refuse(400, command.error)
  const result = await run(redis, command.value)
  return answerWith(statusOf(result), encodeResult(result, isBase64))
}

const runAll = async (
  redis: RedisEngine,
  commands: readonly Command[],
  isBase64: boolean,
): Promise<Answer> => {
  const results = await Promise.all(commands.map((command) => run(redis, command)))
  return answerWith(
    200,
    results.map((result) => encodeResult(result, isBase64)),
  )
}

const transact = async (
  redis: RedisEngine,
  commands: readonly Command[],
  isBase64: boolean,
): Promise<Answer> => {
  const refusal = commands.map(findRefusal).find((error) => error !== undefined)
  if (refusal !== undefined) return refuse(400, refusal)
  const outcome = await redis.transact(commands)
  if ('error' in outcome) return refuse(400, outcome.error)
  return answerWith(
    200,
    outcome.results.map((result) => encodeResult(result, isBase64)),
  )
}

const execute = async (redis: RedisEngine, call: Call): Promise<Answer> => {
  const { method, url, headers } = call
  if (method !== 'GET' && method !== 'POST') return refuse(405, 'ERR only GET and POST are allowed')
  const body = await call.readBody()
  if (!body) return refuse(413, `ERR max request size exceeded (max is ${MAX_BODY_BYTES} bytes)`)
  const isBase64 = headers['upstash-encoding'] === 'base64'
  switch (url.pathname) {
    case '/':
      return runOne(redis, decodeCommand(body), isBase64)
    case '/pipeline':
    case '/multi-exec': {
      const commands = decodeCommands(body)
      if (!commands.ok) return refuse(400, commands.error)
      const runCommands = url.pathname === '/pipeline' ? runAll : transact
      return runCommands(redis, commands.value, isBase64)
    }
    default:
      return runOne(redis, decodePath(url, body), isBase64)
  }
}

/** Starts the endpoint. Rejects when the port is taken. `close` leaves the Redis open. */
export const startUpstash = async (options: UpstashOptions): Promise<Upstash> => {
  const { redis, token, port, host = '127.0.0.1' } = options
  let answers = 0
  const answer = async (call: Call): Promise<Answer> => {
    if (!isSameSecret(call.headers.authorization ?? '', `Bearer ${token}`)) {
      return refuse(401, 'WRONGPASS invalid or missing auth token')
    }
    // One server, one order: the token promises what always holds, that a read sees earlier writes.
    answers += 1
    const syncToken = `local:${answers}`
    try {
      return { ...(await execute(redis, call)), headers: { 'upstash-sync-token': syncToken } }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      return refuse(503, `ERR Redis is out of reach: ${reason}`)
    }
  }
  const endpoint = await startEndpoint({ ...options, host, port }, answer)
  return { ...endpoint, url: `http://${host}:${endpoint.port}`, token }
}
