/** `usage`: calls, errors and latency by tool, service, caller or hour. */
import type { Command } from 'commander'
import type * as z from 'zod'
import type { operations } from '../../src/admin/api/operations.ts'
import { contextOf } from '../context.ts'
import { misuse } from '../failure.ts'
import { takeAll } from '../gateway.ts'
import { readPast } from '../span.ts'
import type { Column } from '../table.ts'

const GROUPS = ['tool', 'service', 'caller', 'hour'] as const

type Flags = { groupBy: string; from: string; to?: string }
type Row = z.infer<typeof operations.countUsage.answer>['items'][number]

const NAMES: Readonly<Record<string, readonly Column<Row>[]>> = {
  tool: [
    ['TOOL', ({ tool }) => tool],
    ['SERVICE', ({ service }) => service],
  ],
  service: [['SERVICE', ({ service }) => service]],
  caller: [['CALLER', ({ caller }) => caller]],
  hour: [['HOUR', ({ hour }) => hour]],
}

export function addUsage(program: Command): void {
  program
    .command('usage')
    .description('calls, errors and latency')
    .option('--group-by <tool|service|caller|hour>', 'what they are counted by', 'tool')
    .option('--from <span|time>', '24h ago, or since a time', '24h')
    .option('--to <span|time>', 'until then')
    .action(async ({ groupBy, from, to }: Flags, command: Command) => {
      const { api, terminal, isJson, now } = await contextOf(command)
      if (!GROUPS.some((group) => group === groupBy))
        throw misuse(`--group-by must be one of ${GROUPS.join(', ')}.`)
      const window = {
        groupBy,
        from: readPast(from, '--from', now),
        ...(to !== undefined && { to: readPast(to, '--to', now) }),
      }
      const { value, text } = await takeAll((page) =>
        api.analytics.usage.$get({ query: { ...window, ...page } }),
      )
      if (isJson) return terminal.json(text)
      return terminal.table(value, [
        ...(NAMES[groupBy] ?? []),
        ['CALLS', ({ calls }) => calls],
        ['ERRORS', ({ errors }) => errors],
        ['REFUSED', ({ refused }) => refused],
        ['CACHED', ({ cached }) => cached],
        ['P50 MS', ({ p50Ms }) => p50Ms],
        ['P95 MS', ({ p95Ms }) => p95Ms],
        ['P99 MS', ({ p99Ms }) => p99Ms],
      ])
    })
}
