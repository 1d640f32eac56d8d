/** `keys`: made, listed, revoked. The key itself is printed once, when it is made. */
import type { Command } from 'commander'
import { type Context, contextOf } from '../context.ts'
import { segment, take, takeAll } from '../gateway.ts'
import { readRole } from '../role.ts'
import { readFuture } from '../span.ts'

type CreateFlags = { role: string; agentType?: string; scope?: string[]; expires?: string }

export function addKeys(program: Command): void {
  const keys = program.command('keys').description('API keys')
  keys
    .command('list')
    .description('list keys that were not revoked')
    .action(async (_flags: object, command: Command) => list(await contextOf(command)))
  keys
    .command('create <name>')
    .description('make a key; it is shown this once')
    .option('--role <role>', 'admin or user', 'user')
    .option('--agent-type <type>', 'what kind of agent comes with it; permissions name it')
    .option('--scope <scopes...>', 'what it is limited to: read, write, admin')
    .option('--expires <span|time>', 'in 30d, or at 2030-01-31T12:00:00Z; never by default')
    .action(async (name: string, flags: CreateFlags, command: Command) =>
      create(await contextOf(command), name, flags),
    )
  keys
    .command('revoke <id|prefix>')
    .description('revoke a key')
    .action(async (key: string, _flags: object, command: Command) => revoke(await contextOf(command), key))
}

async function list({ api, terminal, isJson }: Context): Promise<void> {
  const { value, text } = await takeAll((query) => api.keys.$get({ query }))
  if (isJson) return terminal.json(text)
  return terminal.table(value, [
    ['ID', ({ id }) => id],
    ['NAME', ({ name }) => name],
    ['PREFIX', ({ prefix }) => prefix],
    ['ROLE', ({ role }) => role],
    ['AGENT TYPE', ({ agentType }) => agentType],
    ['SCOPES', ({ scopes }) => scopes?.join(' ')],
    ['EXPIRES', ({ expiresAt }) => expiresAt],
    ['LAST USED', ({ lastUsedAt }) => lastUsedAt],
  ])
}

async function create(
  { api, terminal, isJson, now }: Context,
  name: string,
  flags: CreateFlags,
): Promise<void> {
  const { agentType, scope: scopes, expires } = flags
  const json = {
    name,
    role: readRole(flags.role),
    ...(agentType !== undefined && { agentType }),
    ...(scopes !== undefined && { scopes }),
    ...(expires !== undefined && { expiresAt: readFuture(expires, '--expires', now) }),
  }
  const { value, text } = await take(api.keys.$post({ json }))
  if (isJson) return terminal.json(text)
  terminal.say(`The key '${value.name}' (${value.id}) is shown this once:`)
  return terminal.print(value.key)
}

async function revoke({ api, terminal, isJson, isAgreed }: Context, wanted: string): Promise<void> {
  const { value } = await takeAll((query) => api.keys.$get({ query: { ...query, prefix: wanted } }))
  const [named] = value.length === 1 ? value : []
  await terminal.confirm(`Revoke the key ${named ? `'${named.name}' (${named.prefix}…)` : wanted}?`, isAgreed)
  const { text } = await take(api.keys[':id'].$delete({ param: { id: segment(named?.id ?? wanted) } }))
  if (isJson) terminal.json(text)
  else terminal.print(`${named?.name ?? wanted} is revoked.`)
}
