/** Operations on organisations, for admins of the default one. */
import * as z from 'zod'
import { operation } from '../operation.ts'
import { madeKey } from './key.ts'
import { title } from './person.ts'
import { listOf, page, slug } from './shape.ts'

const tag = 'Organisations'
const path = '/api/v1/organisations'

const organisation = z
  .object({ id: z.string(), name: z.string(), isSuspended: z.boolean() })
  .meta({ id: 'Organisation' })

export const listOrganisations = operation({
  method: 'get',
  path,
  tag,
  summary: 'List organisations',
  query: page,
  answer: listOf(organisation),
})
export const createOrganisation = operation({
  method: 'post',
  path,
  tag,
  summary: 'Make an organisation',
  description: 'The answer holds the key by which its first admin comes in.',
  body: z.strictObject({ id: slug, name: title }),
  answer: organisation.extend({ adminKey: madeKey }),
  status: 201,
  isTagged: true,
})
export const showOrganisation = operation({
  method: 'get',
  path: `${path}/:id`,
  tag,
  summary: 'Show an organisation',
  answer: organisation,
  isTagged: true,
})
export const updateOrganisation = operation({
  method: 'put',
  path: `${path}/:id`,
  tag,
  summary: 'Rename, suspend or resume an organisation',
  description: 'Nobody of one that is suspended is served.',
  body: z.strictObject({ name: title.optional(), isSuspended: z.boolean().optional() }),
  answer: organisation,
  isTagged: true,
  isConditional: true,
})
