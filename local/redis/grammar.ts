/**
 * Redis' rules for a command, which the Redis in memory does not know itself: how many arguments,
 * which type of value, which options. Pure: a command and a look at the keyspace give an error line.
 */
import type { Command } from './reply.ts'

/** What COMMAND INFO says of one command. */
export interface Grammar {
  /** Length with the name; negative is a minimum. */
  readonly arity: number
  /** Position of the first key with the name at 0; 0 is none. */
  readonly firstKey: number
  readonly categories: readonly string[]
}

/** A look at the stored values, of whatever type the library keeps. */
export interface Keyspace {
  has(key: string): boolean
  get(key: string): unknown
}

const NOT_AN_INTEGER = 'ERR value is not an integer or out of range'
const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value'

const CATEGORIES = ['@string', '@hash', '@list', '@set', '@sortedset']
const IGNORES_TYPE = new Set(['set', 'setex', 'psetex', 'setnx', 'mset', 'msetnx', 'mget'])
const COUNTS = new Map([
  ['incr', undefined],
  ['decr', undefined],
  ['incrby', 1],
  ['decrby', 1],
])
const TIMED = new Set(['EX', 'PX', 'EXAT', 'PXAT'])
const FLAGS = new Set(['NX', 'XX', 'GET'])
const INTEGER = /^-?\d{1,19}$/

const categoryOf = (value: unknown): string => {
  if (value instanceof Set) return '@set'
  if (value instanceof Map) return '@sortedset'
  if (Array.isArray(value)) return '@list'
  return typeof value === 'object' && !Buffer.isBuffer(value) ? '@hash' : '@string'
}

/** Options of SET in capitals and GET last: the library pairs options up in the order they come. */
export const normaliseOptions = (name: string, args: Command): Command => {
  if (name !== 'set') return args
  const options = args.slice(2).map((option) => option.toUpperCase())
  const isGet = (option: string): boolean => option === 'GET'
  const others = options.filter((option) => !isGet(option))
  return [...args.slice(0, 2), ...others, ...options.filter(isGet)]
}

const findSetProblem = (args: Command): string | undefined => {
  const options = args.slice(2)
  for (let i = 0; i < options.length; i += 1) {
    const option = options[i] ?? ''
    if (FLAGS.has(option)) continue
    if (option === 'KEEPTTL') return 'ERR KEEPTTL is not supported by the Redis in memory'
    if (!TIMED.has(option)) return 'ERR syntax error'
    i += 1
    const value = options[i] ?? ''
    if (!INTEGER.test(value)) return value === '' ? 'ERR syntax error' : NOT_AN_INTEGER
    if (Number(value) <= 0) return "ERR invalid expire time in 'set' command"
  }
  return options.includes('NX') && options.includes('XX') ? 'ERR syntax error' : undefined
}

const findValueProblem = (
  name: string,
  args: Command,
  { categories, firstKey }: Grammar,
  keyspace: Keyspace,
): string | undefined => {
  const key = args[firstKey - 1]
  const expected = CATEGORIES.find((category) => categories.includes(category))
  if (key === undefined || !expected || !keyspace.has(key)) return undefined
  const value = keyspace.get(key)
  const actual = categoryOf(value)
  if (name === 'set' && args.includes('GET') && actual !== '@string') return WRONG_TYPE
  if (!IGNORES_TYPE.has(name) && actual !== expected) return WRONG_TYPE
  return COUNTS.has(name) && !INTEGER.test(String(value)) ? NOT_AN_INTEGER : undefined
}

/**
 * The error line Redis would answer, or undefined. Without `keyspace` only what Redis checks when it
 * queues a command of a transaction: the name and the number of arguments.
 */
export const findProblem = (
  name: string,
  args: Command,
  grammar: Grammar | undefined,
  keyspace?: Keyspace,
): string | undefined => {
  if (!grammar) return `ERR unknown command '${name}'`
  const length = args.length + 1
  const isLong = grammar.arity < 0 ? length >= -grammar.arity : length === grammar.arity
  if (!isLong) return `ERR wrong number of arguments for '${name}' command`
  if (!keyspace) return undefined
  const problem = name === 'set' ? findSetProblem(args) : undefined
  if (problem) return problem
  const amountAt = COUNTS.get(name)
  if (amountAt !== undefined && !INTEGER.test(args[amountAt] ?? '')) return NOT_AN_INTEGER
  return findValueProblem(name, args, grammar, keyspace)
}
