/**
 * Redis in memory: `ioredis-mock` behind the engine's face, and what it needs to answer as Redis
 * does: arity, types and options are checked before a command runs, scripts go through the prelude,
 * objects become flat lists. Everything runs within one tick, so nothing comes in between.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import type { Redis as Client } from 'ioredis'
import { findProblem, normaliseOptions } from './grammar.ts'
import type { Grammar, Keyspace } from './grammar.ts'
import { readReply } from './reply.ts'
import type { Command, CommandResult, RedisEngine } from './reply.ts'
import { LUA_PRELUDE } from './script.ts'

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const readError = (error: unknown): { error: string } => {
  const message = error instanceof Error ? error.message : String(error)
  return { error: /^[A-Z]+ /.test(message) ? message : `ERR ${message}` }
}

const readScriptReply = (value: unknown): CommandResult => {
  const decoded: unknown = JSON.parse(String(value))
  return isRecord(decoded) ? { error: String(decoded['error']) } : { reply: readReply(decoded) }
}

const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex')

const loadLibrary = (): new (options: { host: string }) => Client => {
  // Read by the Lua inside when it loads: 1767000000000 is written as Redis' Lua 5.1 writes it.
  process.env['FENGARICONF'] ??= JSON.stringify({ LUA_COMPAT_FLOATSTRING: true })
  return createRequire(import.meta.url)('ioredis-mock')
}

/** Opens a Redis in memory, with a keyspace of its own. */
export const openMock = async (): Promise<RedisEngine> => {
  const Library = loadLibrary()
  // The library shares data between instances of one host.
  const mock = new Library({ host: randomUUID() })
  const keyspace: Keyspace = Reflect.get(mock, 'data')
  const scripts = new Map<string, string>()
  const grammars = new Map<string, Grammar | undefined>()

  const learn = async (name: string): Promise<void> => {
    if (grammars.has(name)) return
    const info: unknown = await mock.command('INFO', name)
    const entry: unknown = Array.isArray(info) ? info[0] : undefined
    if (!Array.isArray(entry)) return void grammars.set(name, undefined)
    const [, arity, , firstKey, , , categories] = entry
    grammars.set(name, { arity, firstKey, categories })
  }

  const evaluate = async (source: string, [count = '', ...rest]: Command): Promise<CommandResult> => {
    if (!/^\d+$/.test(count)) return { error: 'ERR value is not an integer or out of range' }
    if (Number(count) > rest.length) {
      return { error: "ERR Number of keys can't be greater than number of args" }
    }
    scripts.set(sha1(source), source)
    return readScriptReply(await mock.eval(LUA_PRELUDE, Number(count), ...rest, source))
  }

  const script = ([verb = '', ...args]: Command): CommandResult => {
    switch (verb.toLowerCase()) {
      case 'load':
        scripts.set(sha1(args[0] ?? ''), args[0] ?? '')
        return { reply: sha1(args[0] ?? '') }
      case 'exists':
        return { reply: args.map((sha) => (scripts.has(sha.toLowerCase()) ? 1 : 0)) }
      case 'flush':
        scripts.clear()
        return { reply: 'OK' }
      default:
        return { error: `ERR unknown subcommand '${verb}'. Try SCRIPT HELP.` }
    }
  }

  // Everything up to the first `await` happens in the caller's tick: the command itself.
  const execute = async ([rawName = '', ...rawArgs]: Command): Promise<CommandResult> => {
    const name = rawName.toLowerCase()
    const args = normaliseOptions(name, rawArgs)
    const problem = findProblem(name, args, grammars.get(name), keyspace)
    if (problem) return { error: problem }
    if (name === 'script') return script(args)
    if (name === 'eval') return evaluate(args[0] ?? '', args.slice(1))
    if (name === 'evalsha') {
      const source = scripts.get((args[0] ?? '').toLowerCase())
      const missing = { error: 'NOSCRIPT No matching script. Please use EVAL.' }
      return source === undefined ? missing : evaluate(source, args.slice(1))
    }
    const method: unknown = Reflect.get(mock, name)
    if (typeof method !== 'function') return { error: `ERR unknown command '${rawName}'` }
    return { reply: readReply(await Reflect.apply(method, mock, args)) }
  }

  const attempt = (command: Command): Promise<CommandResult> => execute(command).catch(readError)
  const learnAll = (commands: readonly Command[]): Promise<unknown> =>
    Promise.all(commands.map(([name = '']) => learn(name.toLowerCase())))

  return {
    call: async (command) => {
      await learnAll([command])
      return attempt(command)
    },
    transact: async (commands) => {
      await learnAll(commands)
      const isBroken = commands.some(([name = '', ...args]) =>
        Boolean(findProblem(name.toLowerCase(), args, grammars.get(name.toLowerCase()))),
      )
      if (isBroken) {
        return { error: 'EXECABORT Transaction discarded because of previous errors.' }
      }
      return { results: await Promise.all(commands.map(attempt)) }
    },
    close: async () => {
      await mock.flushall()
      mock.disconnect()
    },
  }
}
