/** `permissions`: rules of which agent type may use which tools. */
import type { Command } from 'commander'
import { type Context, contextOf } from '../context.ts'
import { misuse } from '../failure.ts'
import { segment, take, takeAll } from '../gateway.ts'

export function addPermissions(program: Command): void {
  const permissions = program.command('permissions').description('which agent type may use which tools')
  permissions
    .command('list [agent-type]')
    .description('list rules, all or those that concern an agent type')
    .action(async (agentType: string | undefined, _flags: object, command: Command) =>
      list(await contextOf(command), agentType),
    )
  permissions
    .command('set <agent-type> <tool> <allow|deny>')
    .description("set a rule; the tool is a public name, <service>/* or '*'")
    .action(async (agentType: string, tool: string, verdict: string, _flags: object, command: Command) =>
      set(await contextOf(command), agentType, tool, verdict),
    )
  permissions
    .command('remove <agent-type> <tool>')
    .description('take a rule away')
    .action(async (agentType: string, tool: string, _flags: object, command: Command) => {
      const { api, terminal, isJson, isAgreed } = await contextOf(command)
      await terminal.confirm(`Take away the rule for '${agentType}' and '${tool}'?`, isAgreed)
      const { text } = await take(api.permissions.$delete({ query: { agentType, tool } }))
      if (isJson) terminal.json(text)
      else terminal.print(`The rule for ${agentType} and ${tool} is gone.`)
    })
}

async function list({ api, terminal, isJson }: Context, agentType: string | undefined): Promise<void> {
  const { value, text } = await takeAll((query) =>
    agentType === undefined
      ? api.permissions.$get({ query })
      : api.permissions[':agentType'].$get({ param: { agentType: segment(agentType) }, query }),
  )
  if (isJson) return terminal.json(text)
  return terminal.table(value, [
    ['AGENT TYPE', (rule) => rule.agentType],
    ['TOOL', ({ tool }) => tool],
    ['MAY USE IT', ({ allowed }) => allowed],
  ])
}

async function set(context: Context, agentType: string, tool: string, verdict: string): Promise<void> {
  if (verdict !== 'allow' && verdict !== 'deny') throw misuse(`'${verdict}' must be allow or deny.`)
  const { api, terminal, isJson } = context
  const json = { agentType, tool, allowed: verdict === 'allow' }
  const { text } = await take(api.permissions.$put({ json }))
  if (isJson) terminal.json(text)
  else terminal.print(`${agentType} ${json.allowed ? 'may' : 'may not'} use ${tool}.`)
}
