/** Liveness and readiness, for anyone who asks. */
import * as z from 'zod'
import { operation } from '../operation.ts'

const state = z.enum(['ok', 'unreachable'])

export const health = operation({
  method: 'get',
  path: '/health',
  tag: 'Health',
  summary: 'Tell whether the gateway and what it needs are well',
  description: '503 with the same members while there is nothing yet to answer calls from.',
  answer: z
    .object({
      status: z.enum(['ok', 'degraded']),
      registryVersion: z.int().nullable(),
      dependencies: z.object({ database: state, cache: state }),
      services: z.object({ connected: z.int(), disconnected: z.int(), error: z.int() }),
      streams: z.object({ listening: z.int() }),
    })
    .meta({ id: 'Health' }),
  isPublic: true,
})
