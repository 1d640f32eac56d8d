/** Organisations, for admins of the default one: each has users, keys and services of its own. */
import { Hono, type MiddlewareHandler } from 'hono'
import type { Directory, OrganisationRecord } from '../identity/directory.ts'
import { DEFAULT_ORGANISATION } from '../identity/principal.ts'
import { err, ok, type Result } from '../platform/result.ts'
import type { PeopleStore } from '../storage/people.ts'
import type { Accounts } from './accounts.ts'
import { answering, changed, page, whole } from './answer.ts'
import { readBody } from './body.ts'
import type { AdminEnv } from './env.ts'
import { newOrganisation, organisationChange } from './form.ts'
import { makeKey, viewKey } from './keys.ts'
import { forbidden, invalidBody, type Problem, respondWithProblem } from './problem.ts'

export type OrganisationPorts = { readonly accounts: Accounts; readonly people: PeopleStore }

export function organisationRoutes({ accounts, people }: OrganisationPorts): Hono<AdminEnv> {
  const list = answering(async (c) => {
    const directory = await accounts.read(c.get('background'))
    return directory.ok ? page(directory.value.image.organisations, c) : directory
  })
  const create = answering(async (c) => {
    const principal = c.get('principal')
    const body = await readBody(c.req.raw, newOrganisation)
    if (!body.ok) return body
    const { id, name } = body.value
    const { key, row } = await makeKey({ ...FIRST_KEY, organisationId: id }, principal)
    const act = { actor: principal.subject, action: 'organisation.create', target: id }
    const written = people.insertOrganisation(id, name, row, principal.organisationId, act)
    const after = await accounts.commit(written, duplicateOrganisation(id), c.get('background'))
    if (!after.ok) return after
    const [organisation, record] = [find(after.value, id), after.value.key(row.id)]
    if (!organisation.ok) return organisation
    return whole({ ...organisation.value, adminKey: record && { ...viewKey(record), key } }, 201)
  })
  const show = answering(async (c) => {
    const directory = await accounts.read(c.get('background'))
    const organisation = directory.ok ? find(directory.value, c.req.param('id') ?? '') : directory
    return organisation.ok ? whole(organisation.value) : organisation
  })
  const update = answering(async (c) => {
    const principal = c.get('principal')
    const body = await readBody(c.req.raw, organisationChange)
    if (!body.ok) return body
    const before = await accounts.committed(c.get('background'))
    const organisation = before.ok ? find(before.value, c.req.param('id') ?? '') : before
    if (!organisation.ok) return organisation
    const { id } = organisation.value
    if (id === DEFAULT_ORGANISATION && body.value.isSuspended === true) return err(neverSuspended)
    const act = { actor: principal.subject, action: 'organisation.update', target: id, detail: body.value }
    const written = people.updateOrganisation(id, body.value, principal.organisationId, act)
    const after = await accounts.commit(written, duplicateOrganisation(id), c.get('background'))
    if (!after.ok) return after
    const updated = find(after.value, id)
    return updated.ok ? changed(updated.value, after.value) : updated
  })

  const organisations = '/api/v1/organisations'
  const routes = new Hono<AdminEnv>()
  routes.use(organisations, ofDefaultOnly).use(`${organisations}/*`, ofDefaultOnly)
  routes.get(organisations, list).post(organisations, create)
  routes.get(`${organisations}/:id`, show).put(`${organisations}/:id`, update)
  return routes
}

/** Whoever came so far manages its organisation; only who manages the default one manages organisations. */
const ofDefaultOnly: MiddlewareHandler<AdminEnv> = async (c, next) =>
  c.get('principal').organisationId === DEFAULT_ORGANISATION ? await next() : respondWithProblem(forbidden)

const FIRST_KEY = {
  name: 'first admin',
  role: 'admin',
  agentType: undefined,
  scopes: undefined,
  userId: undefined,
  expiresAt: undefined,
} as const

function find(directory: Directory, id: string): Result<OrganisationRecord, Problem> {
  const organisation = directory.organisation(id)
  return organisation ? ok(organisation) : err(unknownOrganisation(id))
}

const neverSuspended = invalidBody([
  { field: 'isSuspended', message: `the organisation '${DEFAULT_ORGANISATION}' cannot be suspended` },
])

const unknownOrganisation = (id: string): Problem => ({
  status: 404,
  code: 'unknown_organisation',
  title: 'Unknown organisation',
  detail: `There is no organisation '${id}'. GET /api/v1/organisations lists those that there are.`,
})

const duplicateOrganisation = (id: string): Problem => ({
  status: 409,
  code: 'duplicate_organisation',
  title: 'Organisation exists already',
  detail: `There is an organisation '${id}' already. Choose another id.`,
})
