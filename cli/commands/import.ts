/** `import`: the servers of a client's configuration become services, after a preview. */
import type { Command } from 'commander'
import { registration } from '../../src/admin/api/service.ts'
import { type Context, contextOf } from '../context.ts'
import { Failure, misuse } from '../failure.ts'
import { take, takeAll } from '../gateway.ts'
import { type Imported, readClientConfig } from '../imported.ts'
import { readJsonFile } from '../input.ts'
import { describeIssues } from '../issue.ts'

type Item = Imported & { readonly fate: 'register' | 'skip' | 'known' | 'invalid' }

export function addImport(program: Command): void {
  program
    .command('import <file>')
    .description('register the servers of a configuration of Claude, Cursor, VS Code, …')
    .option('--dry-run', 'preview only')
    .action(async (file: string, { dryRun }: { dryRun?: true }, command: Command) =>
      importFile(await contextOf(command), file, dryRun === true),
    )
}

async function importFile(context: Context, file: string, isPreview: boolean): Promise<void> {
  const { api, terminal, isJson, isAgreed, env, place } = context
  const servers = readClientConfig(await readJsonFile(file, terminal), env)
  if (!servers)
    throw misuse(`${file} has neither mcpServers nor servers. A switchyard.json is for: switchyard apply`)
  const { value: known } = await takeAll((query) => api.servers.$get({ query }))
  const names = new Set(known.map(({ name }) => name))
  const items = servers.map((server): Item => ({ ...server, ...fateOf(server, names) }))
  if (isJson) terminal.json(JSON.stringify({ items: items.map(view) }))
  else preview(context, items)
  const ready = items.filter(({ fate }) => fate === 'register')
  if (isPreview || ready.length === 0) return
  await terminal.confirm(`Register ${ready.length} of ${items.length} at ${place.url}?`, isAgreed)
  const failed = await register(context, ready)
  if (failed > 0) throw new Failure(`${failed} of ${ready.length} could not be registered.`)
}

function fateOf({ name, service, note }: Imported, known: ReadonlySet<string>): Pick<Item, 'fate' | 'note'> {
  if (!service) return { fate: 'skip' }
  if (known.has(name))
    return { fate: 'known', note: 'is registered already; change it with: services update' }
  const checked = registration.safeParse(service)
  if (checked.success) return { fate: 'register', ...(note !== undefined && { note }) }
  return { fate: 'invalid', note: describeIssues(checked.error.issues).join('; ') }
}

function preview({ terminal }: Context, items: readonly Item[]): void {
  terminal.table(items, [
    ['NAME', ({ name }) => name],
    ['', ({ fate }) => fate],
    ['URL', ({ service }) => (typeof service?.['url'] === 'string' ? service['url'] : undefined)],
    ['CREDENTIAL', ({ auth }) => auth],
    ['NOTE', ({ note }) => note],
  ])
}

async function register({ api, terminal }: Context, items: readonly Item[]): Promise<number> {
  let failed = 0
  for (const { name, service } of items) {
    try {
      const asked = take(api.servers.$post({ json: registration.parse(service) }))
      const { value } = await terminal.progress(`Asking ${name} what it offers`, asked)
      terminal.say(`✓ ${name}: ${value.toolCount} tools`, 'green')
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      failed++
      terminal.say(`✗ ${name}: ${error.message}`, 'red')
    }
  }
  return failed
}

/** Without what it is registered with: that may hold secrets. */
const view = ({ name, original, fate, auth, note, service }: Item) => ({
  name,
  original,
  fate,
  url: service?.['url'],
  auth,
  note,
})
