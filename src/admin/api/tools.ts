/** Operations on tools, of all services. */
import * as z from 'zod'
import { isPublicName, mayBeBare } from '../../registry/name.ts'
import { operation } from '../operation.ts'
import { cacheScope, cacheTtl, listOf, page, text, toolName, whole } from './shape.ts'

const tag = 'Tools'
const path = '/api/v1/tools'

const tool = z
  .object({
    name: z.string().meta({ description: 'By which callers know it.' }),
    service: z.string(),
    tool: z.string().meta({ description: "The service's own name for it." }),
    description: z.unknown().optional(),
    inputSchema: z.unknown().optional(),
    isEnabled: z.boolean(),
    cacheTtlSeconds: z.int().optional(),
    cacheScope: cacheScope.optional(),
    timeoutMs: z.int().optional(),
    alias: z.string().optional(),
  })
  .meta({ id: 'Tool' })

/** One with a double underscore could be read as the tool of another service. */
const mayBeAlias = (name: string): boolean => isPublicName(name) && mayBeBare(name)

const alias = z
  .string()
  .refine(mayBeAlias, 'must match ^[a-zA-Z0-9_-]{1,64}$ and hold no double underscore')
  .meta({ pattern: '^[a-zA-Z0-9_-]{1,64}$', description: 'By which callers know it instead.' })

export const listTools = operation({
  method: 'get',
  path,
  tag,
  summary: 'List tools',
  description: 'Callers who do not manage the organisation see those that they may use.',
  query: page,
  answer: listOf(tool),
})
export const showTool = operation({
  method: 'get',
  path: `${path}/:service/:tool`,
  tag,
  summary: 'Show a tool',
  description: '`tool`: its own name.',
  answer: tool,
  isTagged: true,
})
export const callTool = operation({
  method: 'post',
  path: `${path}/call`,
  tag,
  summary: 'Call a tool',
  description: 'As `tools/call` of MCP, by the same rules. `name` as the list has it.',
  body: z.strictObject({ name: toolName, arguments: z.looseObject({}).optional() }),
  answer: z.looseObject({}).meta({ id: 'ToolResult', description: 'As the service gave it.' }),
})
export const updateTool = operation({
  method: 'patch',
  path: `${path}/:service/:tool`,
  tag,
  summary: 'Change the settings of a tool',
  description: 'A member of null is taken away. `tool`: its own name.',
  body: z
    .strictObject({
      isEnabled: z.boolean().nullable(),
      cacheTtlSeconds: cacheTtl.nullable(),
      cacheScope: cacheScope.nullable(),
      timeoutMs: whole(1, 600_000).nullable(),
      alias: alias.nullable(),
      description: text(10_000, 0).nullable(),
    })
    .partial(),
  answer: tool,
  isTagged: true,
  isConditional: true,
})
