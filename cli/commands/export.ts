/** `export`: the gateway as `switchyard.json`, or as servers for clients that configure each one by itself. */
import type { Command } from 'commander'
import { type Context, contextOf } from '../context.ts'
import { misuse } from '../failure.ts'
import { readActual } from '../file/actual.ts'
import { fileOf, withCredentials } from '../file/export.ts'
import { EVERYTHING } from '../file/plan.ts'
import { takeAll } from '../gateway.ts'

export function addExport(program: Command): void {
  program
    .command('export')
    .description('print the gateway as a file, without secrets')
    .option('--format <switchyard|mcp>', 'for apply, or as mcpServers of a client', 'switchyard')
    .action(async ({ format }: { format: string }, command: Command) => {
      const context = await contextOf(command)
      if (format === 'switchyard') return await exportFile(context)
      if (format === 'mcp') return await exportServers(context)
      throw misuse(`--format must be switchyard or mcp, not '${format}'.`)
    })
}

async function exportFile({ api, terminal, place }: Context): Promise<void> {
  const actual = await terminal.progress(`Reading ${place.url}`, readActual(api, EVERYTHING))
  terminal.json(JSON.stringify(fileOf(actual), undefined, 2))
  const secret = withCredentials(actual)
  if (secret.length > 0)
    terminal.say(`Credentials are not exported: add auth with a reference to ${secret.join(', ')}.`, 'yellow')
}

async function exportServers({ api, terminal, place }: Context): Promise<void> {
  const { value } = await takeAll((query) => api.servers.$get({ query }))
  const servers = value.map(({ name }) => [
    name,
    {
      type: 'http',
      url: `${place.url}/mcp/${name}`,
      headers: { Authorization: 'Bearer ${SWITCHYARD_TOKEN}' },
    },
  ])
  terminal.json(JSON.stringify({ mcpServers: Object.fromEntries(servers) }, undefined, 2))
}
