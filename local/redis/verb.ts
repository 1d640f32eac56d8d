/**
 * Commands as Upstash's REST carries them, in a JSON body or in the path, and those it does not
 * carry: what blocks, subscribes or belongs to a connection has no meaning in one HTTP answer.
 */
import type { Command } from './reply.ts'

export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: string }

const REFUSED = new Set(
  `AUTH BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN CLIENT CLUSTER CONFIG DEBUG
  DISCARD EXEC HELLO MIGRATE MODULE MONITOR MULTI PSUBSCRIBE PSYNC PUNSUBSCRIBE QUIT REPLCONF
  REPLICAOF RESET SELECT SHUTDOWN SLAVEOF SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE SYNC UNSUBSCRIBE UNWATCH
  WAIT WAITAOF WATCH`.split(/\s+/),
)

const BLOCKS_ON_REQUEST = new Set(['XREAD', 'XREADGROUP'])

/** Why a command is not carried, as an error line; undefined when it is. */
export const findRefusal = ([name = '', ...args]: Command): string | undefined => {
  const verb = name.toUpperCase()
  const isBlocking = BLOCKS_ON_REQUEST.has(verb) && args.some((arg) => arg.toUpperCase() === 'BLOCK')
  return REFUSED.has(verb) || isBlocking
    ? `ERR Command is not available: '${verb}'. It needs a connection of its own, which HTTP has not`
    : undefined
}

const readCommand = (value: unknown): Decoded<Command> => {
  if (!Array.isArray(value)) return { ok: false, error: 'ERR failed to parse command' }
  if (value.length === 0) return { ok: false, error: 'ERR empty command' }
  const parts: string[] = []
  for (const part of value) {
    if (typeof part !== 'string' && typeof part !== 'number' && typeof part !== 'boolean') {
      return { ok: false, error: 'ERR failed to parse command: arguments are strings or numbers' }
    }
    parts.push(String(part))
  }
  return { ok: true, value: parts }
}

const readJson = (body: Uint8Array): Decoded<unknown> => {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(body)
    return { ok: true, value: JSON.parse(text) }
  } catch {
    return { ok: false, error: 'ERR failed to parse command: the body is not JSON' }
  }
}

/** One command from a body like `["SET", "key", 1]`. */
export const decodeCommand = (body: Uint8Array): Decoded<Command> => {
  const json = readJson(body)
  return json.ok ? readCommand(json.value) : json
}

/** Several commands from a body like `[["SET", "a", 1], ["GET", "a"]]`; one bad one spoils all. */
export const decodeCommands = (body: Uint8Array): Decoded<readonly Command[]> => {
  const json = readJson(body)
  if (!json.ok) return json
  if (!Array.isArray(json.value) || json.value.length === 0) {
    return {
      ok: false,
      error: 'ERR failed to parse pipeline request: expected a list of commands',
    }
  }
  const commands: Command[] = []
  for (const item of json.value) {
    const command = readCommand(item)
    if (!command.ok) return command
    commands.push(command.value)
  }
  return { ok: true, value: commands }
}

/** One command from `/set/key` with the body as a last argument and `?EX=10` as further ones. */
export const decodePath = (url: URL, body: Uint8Array): Decoded<Command> => {
  try {
    const parts = url.pathname.slice(1).split('/').map(decodeURIComponent)
    const value = body.length > 0 ? [new TextDecoder().decode(body)] : []
    const options = [...url.searchParams].flat().filter((option) => option !== '')
    return { ok: true, value: [...parts, ...value, ...options] }
  } catch {
    return { ok: false, error: 'ERR failed to parse command: the path is not well encoded' }
  }
}
