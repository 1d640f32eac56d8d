/**
 * The settings of a service as flags, and what is registered by them. What cannot be said by a flag, or should not
 * stand in the history of a shell, comes as JSON from a file or from stdin.
 */
import { type Command, Option } from 'commander'
import type * as z from 'zod'
import { type Change, change, type Registration, registration } from '../src/admin/api/service.ts'
import type { Context } from './context.ts'
import { misuse } from './failure.ts'
import { readJsonFile } from './input.ts'
import { describeIssues } from './issue.ts'
import { resolveReferences } from './reference.ts'

type Path = readonly [string] | readonly [string, string]
type Reader = (text: string, earlier: unknown) => unknown

const asNumber: Reader = (text) => Number(text)
const asText: Reader = (text) => text
const asTtl: Reader = (text) => (text === 'default' ? text : Number(text))
const asHeaders: Reader = (text, earlier) => {
  const at = text.indexOf('=')
  if (at < 1) throw misuse(`--header '${text}' must look like Name=value.`)
  return { ...(isRecord(earlier) ? earlier : {}), [text.slice(0, at)]: text.slice(at + 1) }
}
const asInstances: Reader = (text, earlier) => {
  const [, url = text, weight] = /^(.*),(\d+)$/.exec(text) ?? []
  const instance = weight === undefined ? { url } : { url, weight: Number(weight) }
  return [...(Array.isArray(earlier) ? earlier : []), instance]
}

/** A flag, where its value stands in a registration, and what is made of its text. */
const VALUES: readonly (readonly [flag: string, description: string, path: Path, read: Reader])[] = [
  ['--transport <http|sse>', 'found out by default', ['transport'], asText],
  ['--instance <url[,weight]>', 'one instance; may be repeated', ['instances'], asInstances],
  ['--load-balancer <strategy>', 'round_robin, least_connections, weighted, …', ['loadBalancer'], asText],
  ['--timeout-ms <n>', 'silence that is allowed in a call', ['timeoutMs'], asNumber],
  ['--requests-per-minute <n>', 'rate limit', ['rateLimit', 'requestsPerMinute'], asNumber],
  ['--burst-limit <n>', 'calls at once under the rate limit', ['rateLimit', 'burstLimit'], asNumber],
  ['--failure-threshold <n>', 'circuit breaker', ['circuitBreaker', 'failureThreshold'], asNumber],
  ['--recovery-timeout-ms <n>', 'how long it stays open', ['circuitBreaker', 'recoveryTimeout'], asNumber],
  ['--half-open-max-calls <n>', 'probes at once', ['circuitBreaker', 'halfOpenMaxCalls'], asNumber],
  ['--slow-call-ms <n>', 'slower calls count as failed', ['circuitBreaker', 'slowCallMs'], asNumber],
  ['--max-attempts <n>', 'retries', ['retry', 'maxAttempts'], asNumber],
  ['--backoff <linear|exponential>', 'how retries wait', ['retry', 'backoffStrategy'], asText],
  ['--initial-delay-ms <n>', 'the first wait', ['retry', 'initialDelay'], asNumber],
  ['--max-delay-ms <n>', 'the longest wait', ['retry', 'maxDelay'], asNumber],
  ['--cache-ttl-seconds <n>', "how long results are given again, or 'default'", ['cacheTtlSeconds'], asTtl],
  ['--cache-scope <shared|caller>', 'who is given a result again', ['cacheScope'], asText],
  ['--header <name=value>', 'a fixed header; may be repeated', ['headers'], asHeaders],
]

const SWITCHES: readonly (readonly [name: string, description: string, path: Path])[] = [
  ['jitter', 'whether waits are spread', ['retry', 'jitter']],
  ['trusted', 'whether what it says of its tools is believed', ['trusted']],
  ['pin-definitions', 'whether changed tools wait for approval', ['pinDefinitions']],
]

export type SettingFlags = Readonly<Record<string, unknown>> & {
  readonly file?: string
  readonly auth?: string
  readonly authHeader?: string
  readonly secret?: string
  readonly secretEnv?: string
  readonly secretStdin?: true
  readonly name?: string | undefined
  readonly url?: string | undefined
}

export function addSettings(command: Command): Command {
  for (const [flag, description, , read] of VALUES)
    command.addOption(new Option(flag, description).argParser(read))
  for (const [name, description] of SWITCHES)
    command.option(`--${name}`, description).option(`--no-${name}`, 'not so')
  return command
    .option(
      '-f, --file <file>',
      "settings as JSON, '-' for stdin; flags win over it; ${NAME} is of the environment",
    )
    .option('--auth <type>', 'none, bearer or api-key; oauth2 by --file')
    .option('--auth-header <name>', 'the header of an API key')
    .option('--secret-env <name>', 'the variable that holds the token or API key of the service')
    .option('--secret-stdin', 'read it from stdin')
    .option('--secret <text>', 'the token or API key itself; other users of this machine can see it')
}

export const readRegistration = async (flags: SettingFlags, context: Context): Promise<Registration> =>
  check(registration, await settingsOf(flags, {}, context))

/** What is given in part (`rateLimit`, `retry`, …) is completed by what the service has. */
export const readChange = async (flags: SettingFlags, before: object, context: Context): Promise<Change> =>
  check(change, await settingsOf(flags, before, context))

async function settingsOf(flags: SettingFlags, before: object, context: Context): Promise<object> {
  const { env } = context
  const given = flags.file === undefined ? {} : await readJsonFile(flags.file, context.terminal)
  const { value, missing } = resolveReferences(given, env)
  if (missing.length > 0)
    throw misuse(`Set ${missing.map(({ name }) => name).join(', ')} in the environment.`)
  if (!isRecord(value)) throw misuse('The settings of a service must be a JSON object.')
  const settings: Record<string, unknown> = { ...value }
  for (const name of ['name', 'url'] as const) if (flags[name] !== undefined) settings[name] = flags[name]
  const named = new Map<string, unknown>(Object.entries(before))
  for (const [flag, , path] of VALUES) put(settings, path, flags[keyOf(flag)], named)
  for (const [name, , path] of SWITCHES) put(settings, path, flags[keyOf(`--${name}`)], named)
  const auth = await authOf(flags, context)
  return auth === undefined ? settings : { ...settings, auth }
}

function put(
  settings: Record<string, unknown>,
  [outer, inner]: Path,
  value: unknown,
  before: ReadonlyMap<string, unknown>,
): void {
  if (value === undefined) return
  const base = settings[outer] ?? before.get(outer)
  settings[outer] = inner === undefined ? value : { ...(isRecord(base) ? base : {}), [inner]: value }
}

async function authOf(flags: SettingFlags, { env, terminal }: Context): Promise<object | undefined> {
  const { auth: type, authHeader, secret, secretEnv, secretStdin } = flags
  const sources = [secret, secretEnv, secretStdin].filter((source) => source !== undefined)
  if (type === undefined || type === 'none') {
    if (sources.length > 0) throw misuse('A secret needs --auth bearer or --auth api-key.')
    return type === undefined ? undefined : { type }
  }
  if (sources.length !== 1) throw misuse('Give one of --secret-env, --secret-stdin and --secret.')
  if (secret !== undefined)
    terminal.say(
      'Other users of this machine can see --secret; --secret-env and --secret-stdin hide it.',
      'yellow',
    )
  const value = secret ?? (secretStdin ? await terminal.readInput() : env[secretEnv ?? ''])
  if (value === undefined) throw misuse(`${secretEnv} is not set in the environment.`)
  if (type === 'bearer') return { type, token: value }
  if (type === 'api-key')
    return { type, apiKey: value, ...(authHeader !== undefined && { header: authHeader }) }
  throw misuse(`--auth ${type} is not known here: none, bearer or api-key; oauth2 by --file.`)
}

function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const checked = schema.safeParse(value)
  if (checked.success) return checked.data
  throw misuse(describeIssues(checked.error.issues).join('\n'))
}

/** `--load-balancer <strategy>` → `loadBalancer`, as commander has it. */
const keyOf = (flag: string): string =>
  (flag.split(' ')[0] ?? '').slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
