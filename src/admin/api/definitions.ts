/** Operations on the definitions of the tools of a service. */
import * as z from 'zod'
import { LIMITS } from '../../protocol/limits.ts'
import { operation } from '../operation.ts'
import { time, toolName } from './shape.ts'

const tag = 'Definitions'
const path = '/api/v1/servers/:id/definitions'

/** Which tools are approved, all by default; `digests`: as they were read. */
const approval = z.strictObject({
  tools: z
    .array(toolName)
    .max(LIMITS.catalogueItems)
    .optional()
    .meta({ description: 'All of them by default.' }),
  digests: z
    .record(toolName, z.string().regex(/^[0-9a-f]{64}$/, 'must be a digest'))
    .optional()
    .meta({ description: 'As they were read: where one is another by now, none is approved.' }),
})

export type Approved = z.infer<typeof approval>

const difference = z.object({
  path: z.string(),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
})

const inspected = z.object({
  tool: z.string(),
  status: z.enum(['new', 'approved', 'changed', 'missing']),
  isWithheld: z.boolean().optional(),
  reason: z.string().optional(),
  flags: z.array(z.unknown()).optional(),
  differences: z.array(difference).optional(),
  digest: z.string().nullable().optional(),
  approvedDigest: z.string().nullable(),
  approvedBy: z.string().optional(),
  approvedAt: time.optional(),
  definition: z.unknown().optional(),
})

const inspection = z
  .object({ name: z.string(), pinDefinitions: z.boolean(), tools: z.array(inspected) })
  .meta({ id: 'Inspection' })

export const inspectDefinitions = operation({
  method: 'get',
  path,
  tag,
  summary: 'Show tools beside what was approved of them',
  answer: inspection,
})
export const approveDefinitions = operation({
  method: 'post',
  path: `${path}/approve`,
  tag,
  summary: 'Approve tools as they are now',
  body: approval,
  answer: inspection,
})
