/** Operations on the rules of who may use which tools. */
import * as z from 'zod'
import { isPublicName, readEveryToolOf } from '../../registry/name.ts'
import { EVERYTHING } from '../../registry/permission.ts'
import { operation } from '../operation.ts'
import { listOf, oneOrMore, page } from './shape.ts'

const tag = 'Permissions'
const path = '/api/v1/permissions'

const MAX_RULES = 1_000
const AGENT_TYPE = /^([A-Za-z0-9._:@/-]{1,64}|\*)$/

const isChoice = (name: string): boolean =>
  name === EVERYTHING || isPublicName(name) || readEveryToolOf(name) !== undefined

/** Two rules that agree in both are one. */
const key = z.strictObject({
  agentType: z
    .string()
    .regex(AGENT_TYPE, `must match ${AGENT_TYPE.source}`)
    .meta({ description: '`*`: every one.' }),
  tool: z
    .string()
    .refine(isChoice, 'must be a public name, <service>/* or *')
    .meta({ description: 'A public name, `<service>/*` or `*`.' }),
})
const rule = key.extend({ allowed: z.boolean() }).meta({ id: 'Permission' })
const shown = z.object({ agentType: z.string(), tool: z.string(), allowed: z.boolean() })

export const listPermissions = operation({
  method: 'get',
  path,
  tag,
  summary: 'List permissions',
  query: page,
  answer: listOf(shown),
  isTagged: true,
})
export const listPermissionsOf = operation({
  method: 'get',
  path: `${path}/:agentType`,
  tag,
  summary: 'List the permissions that concern an agent type',
  query: page,
  answer: listOf(shown),
  isTagged: true,
})
export const putPermissions = operation({
  method: 'put',
  path,
  tag,
  summary: 'Set permissions, one or a list',
  description: 'Those that are not named stay as they are.',
  body: oneOrMore(rule, MAX_RULES),
  answer: z.union([shown, z.object({ items: z.array(shown) })]),
  isTagged: true,
  isConditional: true,
})
export const removePermission = operation({
  method: 'delete',
  path,
  tag,
  summary: 'Take a permission away',
  description: 'The same members are taken in a body where there is no query.',
  query: key,
  answer: z.object({ agentType: z.string(), tool: z.string(), deleted: z.literal(true) }),
  isConditional: true,
})
