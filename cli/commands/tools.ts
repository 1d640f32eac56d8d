/** `tools`: listed, called, set. */
import { type Command, Option } from 'commander'
import { type Context, contextOf } from '../context.ts'
import { EXIT, Failure, misuse } from '../failure.ts'
import { segment, take, takeAll } from '../gateway.ts'
import { readInputFile } from '../input.ts'
import { parseJson } from '../json.ts'
import { readResult } from '../result.ts'

type SetFlags = {
  enable?: true
  disable?: true
  alias?: string
  description?: string
  timeoutMs?: string
  cacheTtlSeconds?: string
  cacheScope?: 'shared' | 'caller'
  clear?: string[]
}

const SETTINGS = ['isEnabled', 'alias', 'description', 'timeoutMs', 'cacheTtlSeconds', 'cacheScope'] as const

export function addTools(program: Command): void {
  const tools = program.command('tools').description('tools of all services')
  tools
    .command('list')
    .description('list tools')
    .option('--service <service>', 'of this service')
    .action(async ({ service }: { service?: string }, command: Command) =>
      list(await contextOf(command), service),
    )
  tools
    .command('call <tool> [arguments...]')
    .description('call a tool: name=text, name:=json')
    .option('--args <json>', "the arguments as JSON, '-' for stdin")
    .action(async (name: string, pairs: string[], { args }: { args?: string }, command: Command) =>
      call(await contextOf(command), name, pairs, args),
    )
  tools
    .command('set <service/tool>')
    .description("change what the gateway says and does about a tool, by the service's own name of it")
    .option('--enable', 'list it and let it be called')
    .option('--disable', 'neither')
    .option('--alias <name>', 'by which callers know it')
    .option('--description <text>', 'what callers read of it')
    .option('--timeout-ms <n>', 'silence that is allowed in a call')
    .option('--cache-ttl-seconds <n>', "how long results are given again, or 'default'")
    .addOption(
      new Option('--cache-scope <scope>', 'to everybody, or to the same caller').choices([
        'shared',
        'caller',
      ]),
    )
    .option('--clear <settings...>', `take settings away: ${SETTINGS.join(', ')}`)
    .action(async (name: string, flags: SetFlags, command: Command) =>
      change(await contextOf(command), name, flags),
    )
}

async function list({ api, terminal, isJson }: Context, service: string | undefined): Promise<void> {
  const { value, text } = await takeAll((query) => api.tools.$get({ query }))
  const shown = service === undefined ? value : value.filter((tool) => tool.service === service)
  if (isJson) return terminal.json(service === undefined ? text : JSON.stringify({ items: shown }))
  return terminal.table(shown, [
    ['NAME', ({ name }) => name],
    ['SERVICE', (tool) => tool.service],
    ['ENABLED', ({ isEnabled }) => isEnabled],
    ['DESCRIPTION', ({ description }) => (typeof description === 'string' ? description : undefined)],
  ])
}

async function call(
  context: Context,
  name: string,
  pairs: string[],
  args: string | undefined,
): Promise<void> {
  const { api, terminal, isJson } = context
  const given = await argumentsOf(context, pairs, args)
  const asked = take(api.tools.call.$post({ json: { name, arguments: given } }))
  const { text, value } = await terminal.progress(`Calling ${name}`, asked)
  const { lines, isError } = readResult(value)
  if (isJson) terminal.json(text)
  else for (const line of lines) terminal.print(line)
  if (isError) throw new Failure(`The tool '${name}' answered with an error.`, EXIT.failed)
}

async function argumentsOf(
  { terminal }: Context,
  pairs: readonly string[],
  args: string | undefined,
): Promise<Record<string, unknown>> {
  const text = args === '-' ? await readInputFile('-', terminal) : args
  const base = text === undefined ? {} : parseJson(text, '--args')
  if (typeof base !== 'object' || base === null || Array.isArray(base))
    throw misuse('--args must be a JSON object.')
  return { ...base, ...Object.fromEntries(pairs.map(readPair)) }
}

function readPair(pair: string): readonly [string, unknown] {
  const [, name = '', colon = '', text = ''] = /^([^=:]+)(:?)=([\s\S]*)$/.exec(pair) ?? []
  if (name === '') throw misuse(`'${pair}' must look like name=text or name:=json.`)
  return [name, colon === '' ? text : parseJson(text, name)]
}

async function change(context: Context, name: string, flags: SetFlags): Promise<void> {
  const { api, terminal, isJson } = context
  const at = name.indexOf('/')
  if (at < 1) throw misuse(`'${name}' must look like service/tool.`)
  const param = { service: segment(name.slice(0, at)), tool: segment(name.slice(at + 1)) }
  const json = settingsOf(flags)
  if (Object.keys(json).length === 0) throw misuse('Nothing to change was named. See --help.')
  const { value, text } = await take(api.tools[':service'][':tool'].$patch({ param, json }))
  if (isJson) return terminal.json(text)
  return terminal.list([
    ['name', value.name],
    ['service', value.service],
    ['tool', value.tool],
    ['enabled', value.isEnabled],
    ['alias', value.alias],
    ['timeoutMs', value.timeoutMs],
    ['cacheTtlSeconds', value.cacheTtlSeconds],
    ['cacheScope', value.cacheScope],
  ])
}

function settingsOf({ enable, disable, clear = [], timeoutMs, cacheTtlSeconds, ...texts }: SetFlags) {
  if (enable && disable) throw misuse('A tool is either enabled or disabled.')
  const unknown = clear.filter((name) => !SETTINGS.some((setting) => setting === name))
  if (unknown.length > 0) throw misuse(`--clear takes ${SETTINGS.join(', ')}, not ${unknown.join(', ')}.`)
  return {
    ...texts,
    ...((enable || disable) && { isEnabled: enable === true }),
    ...(timeoutMs !== undefined && { timeoutMs: Number(timeoutMs) }),
    ...(cacheTtlSeconds !== undefined && { cacheTtlSeconds: readTtl(cacheTtlSeconds) }),
    ...Object.fromEntries(clear.map((name) => [name, null])),
  }
}

const readTtl = (text: string): number | 'default' => (text === 'default' ? text : Number(text))
