/** Operations on toolsets: selections of tools with an endpoint of their own. */
import * as z from 'zod'
import { isPublicName, readEveryToolOf } from '../../registry/name.ts'
import { operation } from '../operation.ts'
import { deleted, listOf, page, slug, time } from './shape.ts'

const tag = 'Toolsets'
const path = '/api/v1/toolsets'

const MAX_TOOLS = 1_000

const isChoice = (name: string): boolean => isPublicName(name) || readEveryToolOf(name) !== undefined

const tools = z
  .array(z.string().refine(isChoice, 'must be a public name or <service>/*'))
  .min(1)
  .max(MAX_TOOLS)
  .meta({ description: 'Public names, or `<service>/*`.' })

const toolset = z
  .object({
    id: z.uuid(),
    slug: z.string().meta({ description: 'Its endpoint is `/mcp/{slug}`.' }),
    tools: z.array(z.string()),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: 'Toolset' })

export const listToolsets = operation({
  method: 'get',
  path,
  tag,
  summary: 'List toolsets',
  query: page,
  answer: listOf(toolset),
})
export const createToolset = operation({
  method: 'post',
  path,
  tag,
  summary: 'Make a toolset',
  body: z.strictObject({ slug, tools }),
  answer: toolset,
  status: 201,
  isTagged: true,
})
export const showToolset = operation({
  method: 'get',
  path: `${path}/:slug`,
  tag,
  summary: 'Show a toolset',
  answer: toolset,
  isTagged: true,
})
export const updateToolset = operation({
  method: 'put',
  path: `${path}/:slug`,
  tag,
  summary: 'Change the tools of a toolset',
  body: z.strictObject({ slug, tools }).partial(),
  answer: toolset,
  isTagged: true,
  isConditional: true,
})
export const removeToolset = operation({
  method: 'delete',
  path: `${path}/:slug`,
  tag,
  summary: 'Remove a toolset',
  answer: deleted({ id: z.uuid(), slug: z.string() }),
  isConditional: true,
})
