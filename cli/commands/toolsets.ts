/** `toolsets`: selections of tools with an endpoint of their own. */
import type { Command } from 'commander'
import { type Context, contextOf } from '../context.ts'
import { misuse } from '../failure.ts'
import { onlyIf, segment, take, takeAll } from '../gateway.ts'

type ChangeFlags = { add?: string[]; drop?: string[] }

export function addToolsets(program: Command): void {
  const toolsets = program
    .command('toolsets')
    .description('selections of tools with an endpoint of their own')
  toolsets
    .command('list')
    .description('list toolsets')
    .action(async (_flags: object, command: Command) => list(await contextOf(command)))
  toolsets
    .command('create <slug> <tools...>')
    .description('make a toolset of public names and <service>/*')
    .action(async (slug: string, tools: string[], _flags: object, command: Command) => {
      const context = await contextOf(command)
      tell(context, await take(context.api.toolsets.$post({ json: { slug, tools } })))
    })
  toolsets
    .command('update <slug> [tools...]')
    .description('replace its tools, or add and drop some')
    .option('--add <tools...>', 'tools to add')
    .option('--drop <tools...>', 'tools to drop')
    .action(async (slug: string, tools: string[], flags: ChangeFlags, command: Command) =>
      update(await contextOf(command), slug, tools, flags),
    )
  toolsets
    .command('remove <slug>')
    .description('remove a toolset')
    .action(async (slug: string, _flags: object, command: Command) => {
      const { api, terminal, isJson, isAgreed } = await contextOf(command)
      await terminal.confirm(`Remove the toolset '${slug}'?`, isAgreed)
      const { text } = await take(api.toolsets[':slug'].$delete({ param: { slug: segment(slug) } }))
      if (isJson) terminal.json(text)
      else terminal.print(`${slug} is removed.`)
    })
}

async function list({ api, terminal, isJson, place }: Context): Promise<void> {
  const { value, text } = await takeAll((query) => api.toolsets.$get({ query }))
  if (isJson) return terminal.json(text)
  return terminal.table(value, [
    ['SLUG', ({ slug }) => slug],
    ['ENDPOINT', ({ slug }) => `${place.url}/mcp/${slug}`],
    ['TOOLS', ({ tools }) => tools.join(' ')],
  ])
}

async function update(context: Context, slug: string, tools: string[], flags: ChangeFlags): Promise<void> {
  const { add = [], drop = [] } = flags
  const isWhole = tools.length > 0
  if (isWhole === add.length + drop.length > 0) throw misuse('Name the tools, or give --add and --drop.')
  const toolset = context.api.toolsets[':slug']
  const param = { slug: segment(slug) }
  const before = await take(toolset.$get({ param }))
  const kept = before.value.tools.filter((tool) => !drop.includes(tool) && !add.includes(tool))
  const json = { tools: isWhole ? tools : [...kept, ...add] }
  tell(context, await take(toolset.$put({ param, json }, onlyIf(before.etag))))
}

function tell(
  { terminal, isJson, place }: Context,
  { value, text }: { value: { slug: string; tools: string[] }; text: string },
): void {
  if (isJson) return terminal.json(text)
  return terminal.list([
    ['slug', value.slug],
    ['endpoint', `${place.url}/mcp/${value.slug}`],
    ['tools', value.tools.join(' ')],
  ])
}
