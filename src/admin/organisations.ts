/** Organisations, for admins of the default one: each has users, keys and services of its own. */
import { Hono, type MiddlewareHandler } from 'hono'
import type { Directory, OrganisationRecord } from '../identity/directory.ts'
import { DEFAULT_ORGANISATION } from '../identity/principal.ts'
import { err, ok, type Result } from '../platform/result.ts'
import type { PeopleStore } from '../storage/people.ts'
import { actorOf } from './actor.ts'
import type { Accounts } from './accounts.ts'
import { type Answered, answering, page, whole } from './answer.ts'
import * as api from './api/organisations.ts'
import { readBody, readQuery, readWrite } from './body.ts'
import { decide } from './decision.ts'
import type { AdminEnv } from './env.ts'
import { etagOf, isExpected } from './etag.ts'
import { makeKey, viewKey } from './keys.ts'
import { mount } from './operation.ts'
import { changedMeanwhile, forbidden, invalidBody, type Problem, respondWithProblem } from './problem.ts'

export type OrganisationPorts = { readonly accounts: Accounts; readonly people: PeopleStore }

export function organisationRoutes({ accounts, people }: OrganisationPorts): Hono<AdminEnv> {
  const list = answering(async (c) => {
    const asked = readQuery(c.req.query(), api.listOrganisations.query)
    if (!asked.ok) return asked
    const directory = await accounts.read(c.get('background'))
    return directory.ok ? page(directory.value.image.organisations, asked.value) : directory
  })
  const create = answering(async (c) => {
    const principal = c.get('principal')
    const body = await readBody(c.req.raw, api.createOrganisation.body)
    if (!body.ok) return body
    const { id, name } = body.value
    const { key, row } = await makeKey({ ...FIRST_KEY, organisationId: id }, principal)
    const act = { actor: actorOf(c), action: 'organisation.create', target: id }
    const written = people.insertOrganisation(id, name, row, principal.organisationId, act)
    const after = await accounts.commit(written, duplicateOrganisation(id), c.get('background'))
    if (!after.ok) return after
    const [organisation, record] = [find(after.value, id), after.value.key(row.id)]
    if (!organisation.ok) return organisation
    const made = { ...organisation.value, adminKey: record && { ...viewKey(record), key } }
    return whole(made, 201, etagOf(organisation.value))
  })
  const show = answering(async (c) => {
    const directory = await accounts.read(c.get('background'))
    const organisation = directory.ok ? find(directory.value, c.req.param('id') ?? '') : directory
    return respond(organisation)
  })
  const update = answering(async (c) => {
    const principal = c.get('principal')
    const asked = await readWrite(c.req.raw, api.updateOrganisation.body)
    if (!asked.ok) return asked
    const { body, expected } = asked.value
    return await decide(async () => {
      const before = await accounts.committed(c.get('background'))
      const organisation = before.ok ? find(before.value, c.req.param('id') ?? '') : before
      if (!organisation.ok) return organisation
      if (!isExpected(expected, etagOf(organisation.value))) return err(changedMeanwhile)
      const { id } = organisation.value
      if (id === DEFAULT_ORGANISATION && body.isSuspended === true) return err(neverSuspended)
      const act = { actor: actorOf(c), action: 'organisation.update', target: id, detail: body }
      const { organisationId } = principal
      const written = people.updateOrganisation(organisation.value, body, organisationId, act)
      const after = await accounts.commit(written, duplicateOrganisation(id), c.get('background'))
      return after.ok ? respond(find(after.value, id)) : after
    })
  })

  const routes = new Hono<AdminEnv>()
  const { path } = api.listOrganisations
  routes.use(path, ofDefaultOnly).use(`${path}/*`, ofDefaultOnly)
  mount(routes, api.listOrganisations, list)
  mount(routes, api.createOrganisation, create)
  mount(routes, api.showOrganisation, show)
  mount(routes, api.updateOrganisation, update)
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

const respond = (organisation: Result<OrganisationRecord, Problem>): Answered =>
  organisation.ok ? whole(organisation.value, 200, etagOf(organisation.value)) : organisation

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
