/** Operations on the users of the caller's organisation. */
import * as z from 'zod'
import { operation } from '../operation.ts'
import { agentType, password, role, username } from './person.ts'
import { deleted, listOf, page, time } from './shape.ts'

const tag = 'Users'
const path = '/api/v1/users'

const user = z
  .object({ id: z.uuid(), username: z.string(), role, agentType: z.string().optional(), createdAt: time })
  .meta({ id: 'User' })

export const listUsers = operation({
  method: 'get',
  path,
  tag,
  summary: 'List users',
  query: page,
  answer: listOf(user),
})
export const createUser = operation({
  method: 'post',
  path,
  tag,
  summary: 'Make a user',
  body: z.strictObject({
    username,
    password,
    role: role.default('user'),
    agentType: agentType.optional(),
  }),
  answer: user,
  status: 201,
  isTagged: true,
})
export const showUser = operation({
  method: 'get',
  path: `${path}/:id`,
  tag,
  summary: 'Show a user',
  answer: user,
  isTagged: true,
})
export const updateUser = operation({
  method: 'put',
  path: `${path}/:id`,
  tag,
  summary: 'Change a user',
  description: 'Merges the fields given. A new password ends every token of the user.',
  body: z.strictObject({
    password: password.optional(),
    role: role.optional(),
    agentType: agentType.nullable().optional().meta({ description: 'null takes it away.' }),
  }),
  answer: user,
  isTagged: true,
  isConditional: true,
})
export const removeUser = operation({
  method: 'delete',
  path: `${path}/:id`,
  tag,
  summary: 'Remove a user and its keys',
  answer: deleted({ id: z.uuid(), username: z.string() }),
  isConditional: true,
})
