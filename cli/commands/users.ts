/** `users`: made, listed, changed, removed. Passwords come from stdin, the environment or a person, never from a flag. */
import type { Command } from 'commander'
import { type Context, contextOf } from '../context.ts'
import { Failure, misuse } from '../failure.ts'
import { segment, take, takeAll } from '../gateway.ts'
import { readRole } from '../role.ts'

type Flags = {
  role?: string
  agentType?: string
  passwordStdin?: true
  passwordEnv?: string
  password?: boolean
}

export function addUsers(program: Command): void {
  const users = program.command('users').description('users of the organisation')
  users
    .command('list')
    .description('list users')
    .action(async (_flags: object, command: Command) => list(await contextOf(command)))
  addFlags(users.command('create <username>').description('make a user'), 'the password').action(
    async (username: string, flags: Flags, command: Command) =>
      create(await contextOf(command), username, flags),
  )
  addFlags(users.command('update <username>').description('change what is given'), 'a new password')
    .option('--password', 'ask for a new password')
    .option('--no-agent-type', 'take the agent type away')
    .action(async (username: string, flags: Flags & { agentType?: string | false }, command: Command) =>
      update(await contextOf(command), username, flags),
    )
  users
    .command('remove <username>')
    .description('remove a user and its keys')
    .action(async (username: string, _flags: object, command: Command) =>
      remove(await contextOf(command), username),
    )
}

const addFlags = (command: Command, password: string): Command =>
  command
    .option('--role <role>', 'admin or user')
    .option('--agent-type <type>', 'what permissions know the user by')
    .option('--password-stdin', `read ${password} from stdin`)
    .option('--password-env <name>', `the variable that holds ${password}`)

async function list({ api, terminal, isJson }: Context): Promise<void> {
  const { value, text } = await takeAll((query) => api.users.$get({ query }))
  if (isJson) return terminal.json(text)
  return terminal.table(value, [
    ['USERNAME', ({ username }) => username],
    ['ROLE', ({ role }) => role],
    ['AGENT TYPE', ({ agentType }) => agentType],
    ['CREATED', ({ createdAt }) => createdAt],
    ['ID', ({ id }) => id],
  ])
}

async function create(context: Context, username: string, flags: Flags): Promise<void> {
  const { api, terminal, isJson } = context
  const { role, agentType } = flags
  const password =
    (await passwordOf(context, flags)) ?? (await terminal.readSecret(`Password of ${username}`))
  const json = {
    username,
    password,
    ...(role !== undefined && { role: readRole(role) }),
    ...(agentType !== undefined && { agentType }),
  }
  const { text } = await take(api.users.$post({ json }))
  if (isJson) terminal.json(text)
  else terminal.print(`The user ${username} is made.`)
}

async function update(
  context: Context,
  username: string,
  flags: Omit<Flags, 'agentType'> & { agentType?: string | false },
): Promise<void> {
  const { api, terminal, isJson } = context
  const { role, agentType } = flags
  const asked = flags.password ? await terminal.readSecret(`New password of ${username}`) : undefined
  const password = asked ?? (await passwordOf(context, flags))
  const json = {
    ...(password !== undefined && { password }),
    ...(role !== undefined && { role: readRole(role) }),
    ...(agentType !== undefined && { agentType: agentType === false ? null : agentType }),
  }
  if (Object.keys(json).length === 0) throw misuse('Nothing to change was named. See --help.')
  const id = await idOf(context, username)
  const { text } = await take(api.users[':id'].$put({ param: { id: segment(id) }, json }))
  if (isJson) terminal.json(text)
  else terminal.print(`The user ${username} is changed.`)
}

async function remove(context: Context, username: string): Promise<void> {
  const { api, terminal, isJson, isAgreed } = context
  const id = await idOf(context, username)
  await terminal.confirm(`Remove the user '${username}' and its keys?`, isAgreed)
  const { text } = await take(api.users[':id'].$delete({ param: { id: segment(id) } }))
  if (isJson) terminal.json(text)
  else terminal.print(`The user ${username} is removed.`)
}

async function passwordOf(
  { env, terminal }: Context,
  { passwordStdin, passwordEnv }: Pick<Flags, 'passwordStdin' | 'passwordEnv'>,
): Promise<string | undefined> {
  if (passwordStdin) return await terminal.readInput()
  if (passwordEnv === undefined) return undefined
  const password = env[passwordEnv]
  if (password === undefined) throw misuse(`${passwordEnv} is not set in the environment.`)
  return password
}

/** Users are known by their names here, and by ids there. */
async function idOf({ api }: Context, username: string): Promise<string> {
  const { value } = await takeAll((query) => api.users.$get({ query }))
  const user = value.find((each) => each.username === username || each.id === username)
  if (!user) throw new Failure(`There is no user '${username}'. Look at: switchyard users list`)
  return user.id
}
