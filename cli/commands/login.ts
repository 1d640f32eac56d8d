/** `login` and `logout`: a credential is tried, then kept for its gateway. It is never printed. */
import type { Command } from 'commander'
import { type Credential, credentialFile, readCredentials, writeCredentials } from '../credentials.ts'
import { type Context, contextOf } from '../context.ts'
import { misuse } from '../failure.ts'
import { headersOf, openApi, Refused, take } from '../gateway.ts'

type Flags = {
  username?: string
  organisation?: string
  passwordStdin?: true
  apiKeyStdin?: true
  tokenStdin?: true
}

export function addLogin(program: Command): void {
  program
    .command('login')
    .description('log in with a user name and password, or keep an API key')
    .option('-u, --username <name>', 'a user of the gateway')
    .option('--organisation <id>', 'the organisation of the user')
    .option('--password-stdin', 'read the password from stdin')
    .option('--api-key-stdin', 'read an API key from stdin')
    .option('--token-stdin', 'read a token from stdin')
    .action(async (flags: Flags, command: Command) => {
      const context = await contextOf(command)
      const credential = await obtain(context, flags)
      await keep(context, credential)
    })
  program
    .command('logout')
    .description('forget the credential of the gateway')
    .action(async (_flags: object, command: Command) => forget(await contextOf(command)))
}

async function obtain(context: Context, flags: Flags): Promise<Credential> {
  const { terminal } = context
  const sources = [flags.passwordStdin, flags.apiKeyStdin, flags.tokenStdin].filter(Boolean)
  if (sources.length > 1) throw misuse('Only one thing can be read from stdin.')
  if (flags.apiKeyStdin) return { apiKey: await terminal.readInput() }
  if (flags.tokenStdin) return { token: await terminal.readInput() }
  const username = flags.username ?? (await terminal.read('User name (none: an API key)'))
  if (username === '') return { apiKey: await terminal.readSecret('API key') }
  const password = flags.passwordStdin
    ? await terminal.readInput()
    : await terminal.readSecret(`Password of ${username}`)
  const { organisation } = flags
  const body = { username, password, ...(organisation !== undefined && { organisation }) }
  // Whatever credential there was says nothing of this one.
  const { auth } = openApi({ url: context.place.url, headers: {} }, context.timeoutMs)
  const { value } = await take(auth.login.$post({ json: body }))
  return { ...value, username }
}

async function keep({ env, place: { url }, terminal, timeoutMs }: Context, given: Credential): Promise<void> {
  await requireAccepted(openApi({ url, headers: headersOf(given) }, timeoutMs))
  const file = credentialFile(env)
  const { gateways } = await readCredentials(file)
  await writeCredentials(file, { url, gateways: { ...gateways, [url]: given } })
  const until = 'token' in given && given.expiresAt !== undefined ? ` until ${given.expiresAt}` : ''
  terminal.say(`Logged in at ${url}${until}. The credential is kept in ${file}.`)
}

/** One that may do little is still a credential. */
async function requireAccepted(api: ReturnType<typeof openApi>): Promise<void> {
  try {
    await take(api.tools.$get({ query: { limit: '1' } }))
  } catch (error) {
    if (!(error instanceof Refused && error.status === 403)) throw error
  }
}

async function forget({ env, place: { url }, terminal }: Context): Promise<void> {
  const file = credentialFile(env)
  const stored = await readCredentials(file)
  const { [url]: gone, ...gateways } = stored.gateways
  const isCurrent = stored.url === url
  await writeCredentials(file, {
    ...(!isCurrent && stored.url !== undefined && { url: stored.url }),
    gateways,
  })
  terminal.say(gone ? `Logged out of ${url}.` : `There was no credential for ${url}.`)
}
