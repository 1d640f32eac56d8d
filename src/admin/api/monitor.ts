/** What monitors ask for. */
import * as z from 'zod'
import { operation } from '../operation.ts'

const tag = 'Health'

export const scrapeMetrics = operation({
  method: 'get',
  path: '/metrics',
  tag,
  summary: 'Tell Prometheus all figures',
  description: 'Those of all isolates, in the text format, version 0.0.4.',
  answer: z.string(),
  answerType: 'text/plain',
})

const service = z
  .object({
    name: z.string(),
    status: z.enum(['healthy', 'degraded', 'unhealthy', 'unknown', 'disabled']),
    serviceStatus: z.enum(['connected', 'disconnected', 'error']),
    statusReason: z.string().optional(),
    breaker: z.enum(['closed', 'open', 'half_open']).optional(),
    totalInstances: z.int().optional(),
    healthyInstances: z.int().optional(),
  })
  .meta({ id: 'ServiceHealth' })

const dependency = z.enum(['ok', 'unreachable'])

export const checkServices = operation({
  method: 'get',
  path: '/mcp/health',
  tag,
  summary: 'Tell how the gateway and its services are',
  description:
    'For anyone, with counts of services; with a credential that manages services, each of them by name.',
  answer: z.object({
    status: z.enum(['healthy', 'degraded', 'unhealthy']),
    registryVersion: z.number().nullable(),
    dependencies: z.object({ database: dependency, cache: dependency }),
    services: z.object({ connected: z.int(), disconnected: z.int(), error: z.int() }),
    serviceHealth: z.array(service).optional(),
  }),
  isPublic: true,
})
