/** Operations on services and their instances. A service is named by its slug or its id. */
import * as z from 'zod'
import { operation } from '../operation.ts'
import { change, config, instance, registration } from './service.ts'
import { deleted, listOf, page, time } from './shape.ts'

const tag = 'Servers'
const path = '/api/v1/servers'

const settings = config.omit({ auth: true, fallbackTools: true })

const row = z
  .object({
    id: z.uuid(),
    name: z.string(),
    url: z.string(),
    ...settings.shape,
    status: z.enum(['connected', 'disconnected', 'error']),
    statusReason: z.string().optional(),
    isEnabled: z.boolean(),
    hasCredential: z.boolean(),
    secretsSetAt: time.optional().meta({ description: 'When `auth` or `headers` were set last.' }),
    instances: z.array(z.object({ id: z.uuid(), url: z.string(), weight: z.number() })),
    fallbackTools: z.array(z.looseObject({})).optional(),
    era: z.enum(['legacy', 'modern']).optional(),
    protocolVersion: z.string().optional(),
    toolCount: z.int(),
    lastPingAt: time.optional(),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: 'ServerRow' })

/** What an upstream said, as it said it. */
const said = z.looseObject({})

const server = row
  .extend({
    withheld: z.array(z.object({ tool: z.string(), reason: z.string() })).optional(),
    tools: z.array(said),
  })
  .meta({ id: 'Server' })

const definition = z
  .object({
    name: z.string(),
    status: z.string(),
    era: z.enum(['legacy', 'modern']).nullable(),
    protocolVersion: z.string().nullable(),
    fingerprint: z.string().nullable(),
    serverInfo: said,
    capabilities: said,
    instructions: z.string().nullable(),
    tools: z.array(said),
    resources: z.array(said),
    resourceTemplates: z.array(said),
    prompts: z.array(said),
  })
  .meta({ id: 'Definition' })

const placed = z.object({ id: z.string(), url: z.string(), weight: z.number() })

const guarded = placed.extend({
  status: z.enum(['healthy', 'unhealthy']),
  inFlight: z.number(),
  score: z.number(),
})

const count = z.record(z.string(), z.number())
const percentile = z.number().nullable()

const metrics = z
  .object({
    id: z.uuid(),
    service: z.string(),
    breaker: z.object({
      state: z.enum(['closed', 'open', 'half_open']),
      generation: z.int(),
      trips: z.int().meta({ description: 'Times in a row that it opened.' }),
      retryAfterMs: z.number(),
    }),
    bucket: z
      .object({ requestsPerMinute: z.number(), burstLimit: z.number(), tokens: z.number() })
      .nullable(),
    pausedMs: z.number().meta({ description: 'For so long the service asked to be left alone.' }),
    counts: z.record(z.string(), z.union([z.number(), count])),
    latency: z.object({ p50Ms: percentile, p95Ms: percentile, p99Ms: percentile }),
    durations: z.object({
      buckets: z.array(z.object({ upToMs: z.number(), count: z.int() })),
      count: z.int(),
    }),
    inFlight: z.int().meta({ description: 'Calls under way, as isolates told last.' }),
    isolates: z.int(),
    usage: z.object({ waiting: z.int(), dropped: z.int() }).meta({ description: 'Records of calls.' }),
    instances: z.array(guarded),
  })
  .meta({ id: 'ServerMetrics' })

const health = z
  .object({
    id: z.uuid(),
    service: z.string(),
    status: z.enum(['healthy', 'degraded', 'unhealthy']),
    serviceStatus: z.string(),
    statusReason: z.string().optional(),
    breaker: z.string(),
    totalInstances: z.int(),
    healthyInstances: z.int(),
    instances: z.array(guarded),
  })
  .meta({ id: 'ServerHealth' })

export const listServers = operation({
  method: 'get',
  path,
  tag,
  summary: 'List services',
  query: page,
  answer: listOf(row),
})
export const registerServer = operation({
  method: 'post',
  path,
  tag,
  summary: 'Register a service',
  description: 'Asks it what it offers; the answer holds the discovered tools.',
  body: registration,
  answer: server,
  status: 201,
  isTagged: true,
})
export const showServer = operation({
  method: 'get',
  path: `${path}/:id`,
  tag,
  summary: 'Show a service',
  answer: server,
  isTagged: true,
})
export const updateServer = operation({
  method: 'put',
  path: `${path}/:id`,
  tag,
  summary: 'Change a service',
  description:
    'Merges the fields given and asks the service again what it offers. A setting of null is taken away.',
  body: change,
  answer: server,
  isTagged: true,
  isConditional: true,
})
export const removeServer = operation({
  method: 'delete',
  path: `${path}/:id`,
  tag,
  summary: 'Remove a service',
  answer: deleted({ id: z.uuid(), name: z.string() }),
  isConditional: true,
})
export const connectServer = operation({
  method: 'post',
  path: `${path}/:id/connect`,
  tag,
  summary: 'Enable a service',
  answer: server,
  isTagged: true,
  isConditional: true,
})
export const disconnectServer = operation({
  method: 'post',
  path: `${path}/:id/disconnect`,
  tag,
  summary: 'Disable a service',
  description: 'Its calls are refused, its catalogue is kept.',
  answer: server,
  isTagged: true,
  isConditional: true,
})
export const refreshServer = operation({
  method: 'post',
  path: `${path}/:id/refresh`,
  tag,
  summary: 'Ask a service again what it offers',
  answer: server,
  isTagged: true,
})
export const showDefinition = operation({
  method: 'get',
  path: `${path}/:id/definition`,
  tag,
  summary: 'Show what a service said of itself',
  answer: definition,
  isTagged: true,
})
export const showMetrics = operation({
  method: 'get',
  path: `${path}/:id/metrics`,
  tag,
  summary: 'Show how a service is guarded',
  answer: metrics,
})
export const showHealth = operation({
  method: 'get',
  path: `${path}/:id/health`,
  tag,
  summary: 'Show whether calls get through to a service',
  answer: health,
})
export const listInstances = operation({
  method: 'get',
  path: `${path}/:id/instances`,
  tag,
  summary: 'List the instances of a service',
  answer: listOf(placed),
  isTagged: true,
})
export const addInstance = operation({
  method: 'post',
  path: `${path}/:id/instances`,
  tag,
  summary: 'Add an instance',
  body: instance,
  answer: placed,
  status: 201,
  isTagged: true,
  isConditional: true,
})
export const removeInstance = operation({
  method: 'delete',
  path: `${path}/:id/instances/:instanceId`,
  tag,
  summary: 'Remove an instance',
  answer: listOf(placed),
  isTagged: true,
  isConditional: true,
})
