/** `client`: the configuration for a client of MCP, and where to put it. */
import type { Command } from 'commander'
import { CLIENT_NAMES, configFor } from '../clients.ts'
import { contextOf } from '../context.ts'
import { misuse } from '../failure.ts'
import { segment } from '../gateway.ts'

type Flags = { endpoint?: string; name: string; tokenEnv: string }

export function addClient(program: Command): void {
  program
    .command('client <name>')
    .description(`print the configuration for a client: ${CLIENT_NAMES.join(', ')}`)
    .option('--endpoint <service|toolset>', 'one service or toolset; everything by default')
    .option('--name <name>', 'what the client calls the gateway', 'switchyard')
    .option('--token-env <name>', 'the variable that holds the credential', 'SWITCHYARD_TOKEN')
    .action(async (client: string, flags: Flags, command: Command) => {
      const { place, terminal, isJson } = await contextOf(command)
      const { endpoint, name, tokenEnv } = flags
      if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) throw misuse('--name takes letters, digits, _ and -.')
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(tokenEnv))
        throw misuse('--token-env takes the name of a variable.')
      const url = `${place.url}/mcp${endpoint === undefined ? '' : `/${segment(endpoint)}`}`
      const config = configFor(client, { name, url, variable: tokenEnv })
      if (!config) throw misuse(`'${client}' is not known. Known are ${CLIENT_NAMES.join(', ')}.`)
      if (isJson) return terminal.json(JSON.stringify(config))
      for (const line of config.where) terminal.say(line, 'dim')
      terminal.print(config.text)
      terminal.say(config.note ?? `The credential is read from ${tokenEnv}.`, 'dim')
    })
}
