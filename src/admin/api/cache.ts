/** Operations on results that are given again. */
import * as z from 'zod'
import { operation } from '../operation.ts'

const tag = 'Cache'

const discarded = z
  .object({
    service: z.string(),
    tool: z.string().optional(),
    discarded: z.literal(true),
  })
  .meta({ id: 'Discarded' })

export const discardServerResults = operation({
  method: 'delete',
  path: '/api/v1/servers/:id/cache',
  tag,
  summary: 'Throw away the kept results of all tools of a service',
  description: 'From here on no result is given again that was kept before, in no isolate that knows of it.',
  answer: discarded,
})
export const discardToolResults = operation({
  method: 'delete',
  path: '/api/v1/tools/:service/:tool/cache',
  tag,
  summary: 'Throw away the kept results of a tool',
  description: 'The tool by the name that its service has for it.',
  answer: discarded,
})
