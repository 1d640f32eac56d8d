/** What is counted of the calls of tools. */
import * as z from 'zod'
import { USAGE_STATUSES } from '../../telemetry/audit.ts'
import { operation } from '../operation.ts'
import { limit, listOf, time as shownTime } from './shape.ts'
import { isWritable, usagePlace } from './usage-place.ts'

const GROUPS = ['tool', 'service', 'caller', 'hour'] as const

const TIME = 'must be a time such as 2026-11-21T14:00:00Z, from 1970 to 9999'

const time = z.iso
  .datetime({ offset: true, error: TIME })
  .transform((text) => new Date(text))
  .refine((date) => isWritable(date.getTime()), TIME)

const text = z.string().regex(/^[^\p{Cc}]{1,256}$/u, 'must be 1 to 256 characters')

const oneOf = <const Choices extends readonly string[]>(choices: Choices) =>
  z.enum(choices, { error: `must be one of: ${choices.join(', ')}` })

const ms = z.number().nullable()
const counts = {
  calls: z.int().meta({ description: 'All of them, refused ones included.' }),
  errors: z.int().meta({ description: 'Those that were let through and failed, timeouts included.' }),
  timeouts: z.int(),
  refused: z.int().meta({ description: 'Those that were not let through.' }),
  cached: z.int().meta({ description: 'Those that were answered from the result cache.' }),
  requestBytes: z.int().meta({ description: 'Of arguments.' }),
  responseBytes: z.int().meta({ description: 'Of what services answered.' }),
  p50Ms: ms.meta({ description: 'Of calls that were let through, cached ones included.' }),
  p95Ms: ms,
  p99Ms: ms,
}

const item = z
  .object({
    tool: z.string().optional().meta({ description: "Its service's own name for it." }),
    service: z.string().optional().meta({ description: 'Its slug, also after it was removed.' }),
    caller: z.string().optional(),
    callerType: z.enum(['agent', 'skill', 'user']).optional(),
    hour: shownTime.optional(),
    ...counts,
  })
  .meta({ id: 'Usage' })

export const countUsage = operation({
  method: 'get',
  path: '/api/v1/analytics/usage',
  tag: 'Analytics',
  summary: 'Count the calls of tools',
  description:
    'Of one window, the last 24 hours by default. Groups with the most calls come first, hours in order. A call is counted a few seconds after it is over; while the database is away, when it is back.',
  query: z.strictObject({
    from: time.optional(),
    to: time.optional().meta({ description: 'Not itself; now by default.' }),
    groupBy: oneOf(GROUPS).default('tool'),
    tool: text.optional().meta({ description: "Its service's own name for it." }),
    service: text.optional().meta({ description: 'Its slug or id.' }),
    caller: text.optional(),
    status: oneOf(USAGE_STATUSES).optional(),
    cursor: usagePlace
      .optional()
      .meta({ description: 'The `nextCursor` of the page before; keeps its window.' }),
    limit,
  }),
  answer: listOf(item).extend({ from: shownTime, to: shownTime }),
})
