/** `audit`: who did what, when, with what outcome. */
import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { misuse } from '../failure.ts'
import { takeAll } from '../gateway.ts'
import { readPast } from '../span.ts'

type Flags = {
  from?: string
  to?: string
  actor?: string
  action?: string
  outcome?: string
  target?: string
  limit: string
}

export function addAudit(program: Command): void {
  program
    .command('audit')
    .description('who did what, newest first')
    .option('--from <span|time>', '24h ago, or since a time')
    .option('--to <span|time>', 'until then')
    .option('--actor <actor>', 'of this actor')
    .option('--action <action>', 'this action, or its beginning: service.')
    .option('--outcome <outcome>', 'done, or why not')
    .option('--target <target>', 'on this target')
    .option('-n, --limit <n>', 'at most so many', '50')
    .action(async (flags: Flags, command: Command) => {
      const context = await contextOf(command)
      const { api, terminal, isJson, now } = context
      const { from, to, limit, ...filters } = flags
      if (!/^[1-9]\d{0,6}$/.test(limit)) throw misuse('--limit must be a whole number from 1.')
      const times = {
        ...(from !== undefined && { from: readPast(from, '--from', now) }),
        ...(to !== undefined && { to: readPast(to, '--to', now) }),
      }
      const { value, text } = await takeAll(
        (page) => api.audit.$get({ query: { ...filters, ...times, ...page } }),
        Number(limit),
      )
      if (isJson) return terminal.json(text)
      return terminal.table(value, [
        ['TIME', ({ time }) => time],
        ['ACTOR', ({ actor }) => actor],
        ['ACTION', ({ action }) => action],
        ['TARGET', ({ target }) => target],
        ['OUTCOME', ({ outcome }) => outcome],
      ])
    })
}
