/**
 * What `switchyard.json` may hold: the bodies that the management API takes, in lists. A section that is left out is
 * left alone, and so is a field.
 */
import * as z from 'zod'
import { operations } from '../../src/admin/api/operations.ts'

const { registerServer, updateTool, createToolset, removePermission, createUser } = operations

const service = registerServer.body
  .extend({ isEnabled: z.boolean().optional().meta({ description: 'false: calls are refused.' }) })
  .meta({
    description: 'As it is registered. Only name and url are required; a secret is a reference: ${NAME}.',
  })

const tool = updateTool.body
  .extend({
    service: registerServer.body.shape.name,
    tool: z.string().min(1).meta({ description: "The service's own name for it." }),
  })
  .meta({ description: 'Settings of a tool; null takes one away.' })

/** They are set at once. */
const MAX_RULES = 1_000

const permission = removePermission.query.extend({ allowed: z.boolean() })

const user = createUser.body.extend({
  password: z
    .string()
    .regex(/^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/, 'must be a reference such as ${ALICE_PASSWORD}')
    .optional()
    .meta({ description: 'A reference; needed where the user is new.' }),
})

export const gatewayFile = z
  .strictObject({
    $schema: z.string().optional(),
    services: z.array(service).optional(),
    tools: z.array(tool).optional(),
    toolsets: z.array(createToolset.body).optional(),
    permissions: z.array(permission).max(MAX_RULES).optional(),
    users: z.array(user).optional(),
  })
  .meta({
    title: 'switchyard.json',
    description: 'What a Switchyard gateway is to be, for switchyard apply.',
  })

export type GatewayFile = z.infer<typeof gatewayFile>
export type WantedService = z.infer<typeof service>
export type WantedTool = z.infer<typeof tool>
export type WantedToolset = z.infer<typeof createToolset.body>
export type WantedPermission = z.infer<typeof permission>
export type WantedUser = z.infer<typeof user>

/** The JSON schema by which editors complete the file. */
export function describeGatewayFile(): string {
  const schema = z.toJSONSchema(gatewayFile, { io: 'input', unrepresentable: 'any' })
  return `${JSON.stringify(schema, undefined, 2)}\n`
}
