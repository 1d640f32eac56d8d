/** Operations on API keys. */
import * as z from 'zod'
import { operation } from '../operation.ts'
import { keyRow, madeKey, newKey } from './key.ts'
import { listOf, page } from './shape.ts'

const tag = 'Keys'
const path = '/api/v1/keys'

export const listKeys = operation({
  method: 'get',
  path,
  tag,
  summary: 'List keys that were not revoked',
  query: page.extend({
    prefix: z.string().max(64).optional().meta({ description: 'What the keys that are meant begin with.' }),
  }),
  answer: listOf(keyRow),
})
export const createKey = operation({
  method: 'post',
  path,
  tag,
  summary: 'Make a key',
  description: 'It can do no more than whoever makes it.',
  body: newKey,
  answer: madeKey,
  status: 201,
})
export const revokeKey = operation({
  method: 'delete',
  path: `${path}/:id`,
  tag,
  summary: 'Revoke a key',
  answer: z.object({ id: z.uuid(), prefix: z.string(), revoked: z.literal(true) }),
})
