/** `services`: registered, listed, changed, removed. */
import type { Command } from 'commander'
import { type Context, contextOf } from '../context.ts'
import { type Answer, onlyIf, segment, take, takeAll } from '../gateway.ts'
import { addSettings, readChange, readRegistration, type SettingFlags } from '../settings.ts'

type Server = {
  name: string
  url: string
  status: string
  statusReason?: string | undefined
  isEnabled: boolean
  transport?: string | undefined
  protocolVersion?: string | undefined
  toolCount: number
  hasCredential: boolean
}
type Whole = Server & {
  tools: Record<string, unknown>[]
  withheld?: { tool: string; reason: string }[] | undefined
}

export function addServices(program: Command): void {
  const services = program.command('services').description('MCP servers behind the gateway')
  services
    .command('list')
    .description('list services')
    .action(async (_flags: object, command: Command) => list(await contextOf(command)))
  services
    .command('show <service>')
    .description('show a service and its tools')
    .action(async (name: string, _flags: object, command: Command) => {
      const context = await contextOf(command)
      show(context, await take(context.api.servers[':id'].$get({ param: { id: segment(name) } })))
    })
  addSettings(services.command('add [name] [url]').description('register a service')).action(
    async (name: string | undefined, url: string | undefined, flags: SettingFlags, command: Command) => {
      const context = await contextOf(command)
      const json = await readRegistration({ ...flags, name, url }, context)
      const asked = take(context.api.servers.$post({ json }))
      show(context, await context.terminal.progress(`Asking ${json.name} what it offers`, asked))
    },
  )
  addSettings(services.command('update <service> [url]').description('change what is given')).action(
    async (name: string, url: string | undefined, flags: SettingFlags, command: Command) => {
      const context = await contextOf(command)
      const service = context.api.servers[':id']
      const param = { id: segment(name) }
      const before = await take(service.$get({ param }))
      const json = await readChange({ ...flags, url }, before.value, context)
      // What another operator changed meanwhile must not be overwritten by what was read before.
      const asked = take(service.$put({ param, json }, onlyIf(before.etag)))
      show(context, await context.terminal.progress(`Asking ${name} what it offers`, asked))
    },
  )
  services
    .command('remove <service>')
    .description('remove a service')
    .action(async (name: string, _flags: object, command: Command) => {
      const context = await contextOf(command)
      const { api, terminal, isAgreed, place } = context
      await terminal.confirm(`Remove the service '${name}' from ${place.url}?`, isAgreed)
      const { text } = await take(api.servers[':id'].$delete({ param: { id: segment(name) } }))
      if (context.isJson) terminal.json(text)
      else terminal.print(`${name} is removed.`)
    })
  addSwitches(services)
}

function addSwitches(services: Command): void {
  const switches = [
    ['refresh', 'ask a service again what it offers', 'refresh'],
    ['enable', 'let calls through again', 'connect'],
    ['disable', 'refuse calls, keep the catalogue', 'disconnect'],
  ] as const
  for (const [name, description, verb] of switches)
    services
      .command(`${name} <service>`)
      .description(description)
      .action(async (service: string, _flags: object, command: Command) => {
        const context = await contextOf(command)
        const param = { id: segment(service) }
        const asked = take(context.api.servers[':id'][verb].$post({ param }))
        show(context, await context.terminal.progress(`${name} ${service}`, asked))
      })
}

async function list({ api, terminal, isJson }: Context): Promise<void> {
  const { value, text } = await takeAll((query) => api.servers.$get({ query }))
  if (isJson) return terminal.json(text)
  if (value.length === 0)
    return terminal.say('No services yet. Register one: switchyard services add <name> <url>')
  return terminal.table<Server>(value, [
    ['NAME', ({ name }) => name],
    ['STATUS', stateOf],
    ['TOOLS', ({ toolCount }) => toolCount],
    ['VERSION', ({ protocolVersion }) => protocolVersion],
    ['URL', ({ url }) => url],
    ['REASON', ({ statusReason }) => statusReason],
  ])
}

const stateOf = ({ status, isEnabled }: Server): string => (isEnabled ? status : 'disabled')

function show({ terminal, isJson }: Context, { value, text }: Answer<Whole>): void {
  if (isJson) return terminal.json(text)
  terminal.list([
    ['name', value.name],
    ['url', value.url],
    ['status', stateOf(value)],
    ['reason', value.statusReason],
    ['transport', value.transport],
    ['version', value.protocolVersion],
    ['credential', value.hasCredential],
  ])
  const withheld = new Map(value.withheld?.map(({ tool, reason }) => [tool, reason]))
  terminal.print('')
  return terminal.table(value.tools, [
    ['TOOL', ({ name }) => String(name)],
    ['WITHHELD', ({ name }) => withheld.get(String(name))],
    ['DESCRIPTION', ({ description }) => (typeof description === 'string' ? description : undefined)],
  ])
}
