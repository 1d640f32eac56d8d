/**
 * The servers of a configuration of Claude Desktop, Claude Code, Cursor, VS Code, Windsurf or Gemini CLI as services.
 * A gateway starts no processes, so a server that is a command is named and left out. Pure.
 */
import { checkSlug } from '../src/registry/name.ts'
import type { Environment } from './gateway.ts'

export type Imported = {
  /** As the configuration calls it. */
  readonly original: string
  readonly name: string
  /** What is registered; absent where it cannot be. */
  readonly service?: Readonly<Record<string, unknown>>
  /** How its credential travels. */
  readonly auth?: string
  /** Why it cannot be, or what is to know of it. */
  readonly note?: string
}

type Json = Readonly<Record<string, unknown>>

const MAX_SLUG_CHARS = 32
const KEY_HEADER = /^(x-)?api[-_]?key$|^(x-)?[a-z0-9-]*(api-?key|token|secret)$/i

/** `undefined`: nothing in it looks like a configuration of a client. */
export function readClientConfig(config: unknown, env: Environment): readonly Imported[] | undefined {
  const servers = serversIn(config)
  if (!servers) return undefined
  const taken = new Set<string>()
  return Object.entries(servers).map(([original, entry]) => {
    const name = slugOf(original, taken)
    taken.add(name)
    const renamed = name === original ? undefined : `was '${original}'`
    const read = isObject(entry) ? readEntry(entry, env) : { note: 'is no object' }
    const note = [renamed, read.note].filter((part) => part !== undefined).join('; ')
    const { service, auth } = read
    return {
      original,
      name,
      ...(service && { service: { name, ...service } }),
      ...(auth !== undefined && { auth }),
      ...(note !== '' && { note }),
    }
  })
}

/** `mcpServers` of most, `servers` of VS Code, which older versions kept below `mcp`. */
function serversIn(config: unknown): Json | undefined {
  if (!isObject(config)) return undefined
  const { mcpServers, servers, mcp } = config
  if (isObject(mcpServers)) return mcpServers
  if (isObject(servers)) return servers
  return isObject(mcp) ? serversIn(mcp) : undefined
}

type Read = Pick<Imported, 'service' | 'auth' | 'note'>

function readEntry(entry: Json, env: Environment): Read {
  if (entry['disabled'] === true) return { note: 'is disabled there' }
  const { url: plainUrl, serverUrl, httpUrl, type, transport, command } = entry
  const url = plainUrl ?? serverUrl ?? httpUrl
  if (typeof url !== 'string')
    return typeof command === 'string' ? readCommand(entry, env) : { note: 'has no url' }
  const kind = typeof type === 'string' ? type : transport
  return readRemote(
    url,
    kind === 'sse' ? 'sse' : undefined,
    isObject(entry['headers']) ? entry['headers'] : {},
    env,
  )
}

/** `npx mcp-remote <url> --header 'Name: value'` is a remote server in disguise. */
function readCommand({ command, args, env: own }: Json, env: Environment): Read {
  const words = Array.isArray(args) ? args.map(String) : []
  const at = words.findIndex((word) => /^(@[\w-]+\/)?mcp-remote(@|$)/.test(word))
  const url = words[at + 1]
  if (at < 0 || url === undefined)
    return { note: `is started by '${String(command)}'; start it behind an HTTP bridge and register its url` }
  const headers = words.flatMap((word, position) => (words[position - 1] === '--header' ? [word] : []))
  const pairs = headers.map((header) => {
    const [name = '', ...rest] = header.split(':')
    return [name.trim(), rest.join(':').trim()]
  })
  const variables = isObject(own)
    ? Object.fromEntries(Object.entries(own).map(([k, v]) => [k, String(v)]))
    : {}
  return readRemote(url, undefined, Object.fromEntries(pairs), { ...env, ...variables })
}

function readRemote(url: string, transport: 'sse' | undefined, headers: Json, env: Environment): Read {
  const missing: string[] = []
  const put = (text: unknown): string => putVariables(String(text), env, missing)
  const address = put(url)
  const given = Object.entries(headers).map(([name, value]) => [name, put(value)] as const)
  if (missing.length > 0) return { note: `needs ${[...new Set(missing)].join(', ')} in the environment` }
  const secret =
    given.find(([name]) => /^authorization$/i.test(name)) ?? given.find(([name]) => KEY_HEADER.test(name))
  const rest = given.filter((pair) => pair !== secret)
  return {
    service: {
      url: address,
      ...(transport && { transport }),
      ...(secret && { auth: authOf(...secret) }),
      ...(rest.length > 0 && { headers: Object.fromEntries(rest) }),
    },
    auth: secret ? secret[0] : 'none',
  }
}

function authOf(header: string, value: string): Json {
  const [, token] = /^bearer\s+(.*)$/i.exec(value) ?? []
  const isBearer = token !== undefined && /^authorization$/i.test(header)
  return isBearer ? { type: 'bearer', token } : { type: 'api-key', apiKey: value, header }
}

/** `${NAME}`, `${NAME:-default}`, `${env:NAME}` and `${input:some-id}`, which is SOME_ID here. */
function putVariables(text: string, env: Environment, missing: string[]): string {
  return text.replace(/\$\{(?:(env|input):)?([\w-]+)(?::-([^}]*))?\}/g, (_, kind, name, fallback) => {
    const variable = kind === 'input' ? String(name).toUpperCase().replaceAll('-', '_') : String(name)
    const value = env[variable] ?? fallback
    if (value === undefined) missing.push(variable)
    return value ?? ''
  })
}

/** The nearest name that a service can have and nobody else of the file has. */
function slugOf(original: string, taken: ReadonlySet<string>): string {
  const plain = original.toLowerCase().replace(/[^a-z0-9]+/g, '-')
  const base = trim(plain.slice(0, MAX_SLUG_CHARS)) || 'service'
  const first = checkSlug(base) === 'reserved' ? `${base}-mcp` : base
  for (let count = 1; ; count++) {
    const name = count === 1 ? first : `${trim(first.slice(0, MAX_SLUG_CHARS - 3))}-${count}`
    if (!taken.has(name)) return name
  }
}

const trim = (text: string): string => text.replace(/^-+|-+$/g, '')

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
