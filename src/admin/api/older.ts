/** The paths of older gateways, as their documents spell them. Those that have a canonical one are that operation. */
import * as z from 'zod'
import { CORRELATION_ID } from '../../protocol/context.ts'
import { operation } from '../operation.ts'
import { health } from './health.ts'
import {
  listServers,
  registerServer,
  removeServer,
  showDefinition,
  showMetrics,
  updateServer,
} from './servers.ts'
import { instance } from './service.ts'
import { page, slug, text, toolName, whole } from './shape.ts'

const older = { tag: 'Older paths', isDeprecated: true } as const

/** What an upstream said, as it said it. */
const said = z.looseObject({})

// Documents 000 and 001.

export const olderRegister = operation({ ...registerServer, ...older, path: '/register' })
export const olderList = operation({ ...listServers, ...older, method: 'post', path: '/services' })
export const olderUpdate = operation({ ...updateServer, ...older, path: '/update/:id' })
export const olderRemove = operation({ ...removeServer, ...older, path: '/delete/:id' })

// Document 002.

export const listMcpServices = operation({ ...listServers, ...older, path: '/mcp/services' })
export const showMcpDefinition = operation({
  ...showDefinition,
  ...older,
  path: '/mcp/services/:id/definition',
})
export const showMcpMetrics = operation({ ...showMetrics, ...older, path: '/mcp/services/:id/metrics' })

const PRINTABLE = /^[\x20-\x7e]{1,128}$/

const envelope = z
  .strictObject({
    id: text(128),
    timestamp: z.iso
      .datetime({ offset: true, error: 'must be a time as in 2030-01-31T12:00:00Z' })
      .optional(),
    service: text(64).meta({ description: 'The name of a service or toolset.' }),
    operation: toolName.meta({ description: 'A tool, by its name there.' }),
    parameters: z.looseObject({}).default({}),
    metadata: z
      .strictObject({
        correlationId: z.string().regex(CORRELATION_ID, `must match ${CORRELATION_ID.source}`),
        timeout: whole(1, 600_000).meta({ description: 'Milliseconds; the service may be given less.' }),
        priority: z.enum(['low', 'normal', 'high']).meta({ description: 'Recorded, and nothing else.' }),
        agentId: z
          .string()
          .regex(PRINTABLE, 'must be 1 to 128 printable ASCII characters')
          .meta({ description: 'On whose behalf. Recorded, and nothing else.' }),
      })
      .partial()
      .default({}),
  })
  .meta({ id: 'GatewayRequest' })

export const sendRequest = operation({
  ...older,
  method: 'post',
  path: '/mcp/request',
  summary: 'Call a tool in an envelope',
  description:
    'A refusal is a problem that holds the members of the envelope as well: `id`, `status` ("error"), `error`, `metadata`. A body that cannot be read is a problem alone.',
  body: envelope,
  answer: z
    .object({
      id: z.string(),
      status: z.enum(['success', 'error']),
      data: said.meta({ description: 'The result of the tool.' }),
      error: z.object({ code: z.string(), message: z.string() }).optional(),
      metadata: z.object({ correlationId: z.string(), processingTimeMs: z.number() }),
    })
    .meta({ id: 'GatewayAnswer' }),
})

// Document 003.

const template = '/mcp/:template'

export const listTemplateTools = operation({
  ...older,
  method: 'get',
  path: `${template}/tools/list`,
  summary: 'List the tools of a service or toolset',
  answer: z.object({
    tools: z.array(said.meta({ description: 'Its `inputSchema` is its `parameters` as well.' })),
    count: z.int(),
  }),
})
/** Its members are the `params` of `tools/call`. */
const toolCall = z.strictObject({
  name: toolName,
  arguments: z.looseObject({}).optional(),
})
export const callTemplateTool = operation({
  ...older,
  method: 'post',
  path: `${template}/tools/call`,
  summary: 'Call a tool of a service or toolset',
  body: toolCall,
  answer: z.looseObject({ content: z.array(said).optional(), isError: z.boolean() }),
})
export const listTemplateResources = operation({
  ...older,
  method: 'get',
  path: `${template}/resources/list`,
  summary: 'List the resources of a service',
  answer: z.object({ resources: z.array(said), count: z.int() }),
})
export const readTemplateResource = operation({
  ...older,
  method: 'post',
  path: `${template}/resources/read`,
  summary: 'Read a resource of a service',
  body: z.strictObject({ uri: text(8_192) }),
  answer: z.looseObject({ contents: z.array(said).optional() }),
})

export const gatewayHealth = operation({ ...health, ...older, path: '/gateway/health' })

const state = z.enum(['healthy', 'unhealthy'])

export const showTemplateHealth = operation({
  ...older,
  method: 'get',
  path: `${template}/health`,
  summary: 'Show which instances of a service are there',
  answer: z.object({
    template_name: z.string(),
    total_instances: z.int(),
    healthy_instances: z.int(),
    health_percentage: z.number(),
    instances: z.record(z.string(), z.object({ healthy: z.boolean(), status: state })),
  }),
})

const counts = {
  total_templates: z.int(),
  total_instances: z.int(),
  healthy_instances: z.int(),
  unhealthy_instances: z.int(),
}

export const showRegistry = operation({
  ...older,
  method: 'get',
  path: '/gateway/registry',
  summary: 'Show services as templates with instances',
  query: page,
  answer: z.object({
    templates: z.record(
      z.string(),
      z.object({
        name: z.string(),
        instances: z.array(
          z.object({
            id: z.string(),
            template_name: z.string(),
            endpoint: z.string(),
            transport: z.string(),
            status: state,
            weight: z.number(),
          }),
        ),
        load_balancer: z.object({ strategy: z.string(), max_retries: z.int(), timeout: z.number() }),
      }),
    ),
    stats: z.object(counts),
    nextCursor: z.string().optional(),
  }),
})
export const showStats = operation({
  ...older,
  method: 'get',
  path: '/gateway/stats',
  summary: 'Show what services are doing',
  description: 'Of one page of services; each guard is asked.',
  query: page,
  answer: z.object({
    gateway: z.looseObject({ total_requests: z.int() }),
    registry: z.looseObject(counts),
    health_checker: z.looseObject({ running: z.boolean(), check_interval: z.number() }),
    load_balancer: z.looseObject({ default_strategy: z.string(), total_requests: z.int() }),
    nextCursor: z.string().optional(),
  }),
})

const newInstance = z
  .strictObject({
    template: slug.optional(),
    template_name: slug.optional().meta({ description: 'The same as `template`.' }),
    endpoint: instance.shape.url,
    weight: whole(1, 100).optional(),
  })
  .transform(({ template, template_name, endpoint, weight }, context) => {
    const name = template ?? template_name
    if (name !== undefined) return { name, endpoint, weight }
    context.addIssue({ code: 'custom', path: ['template'], message: 'is missing' })
    return z.NEVER
  })
  .meta({ id: 'GatewayInstance' })

export const registerInstance = operation({
  ...older,
  method: 'post',
  path: '/gateway/register',
  summary: 'Add an instance to a service',
  description:
    'A service that there is not is registered. An endpoint that is there already stays, with status 200.',
  body: newInstance,
  answer: z.object({
    instanceId: z.string(),
    instance_id: z.string(),
    template: z.string(),
    template_name: z.string(),
    endpoint: z.string(),
    weight: z.number(),
  }),
  status: 201,
})
export const deregisterInstance = operation({
  ...older,
  method: 'delete',
  path: '/gateway/deregister/:template/:instanceId',
  summary: 'Take an instance away from a service',
  description: 'With its last instance the service is removed.',
  answer: z.object({
    success: z.literal(true),
    message: z.string(),
    template: z.string(),
    instanceId: z.string(),
  }),
})
