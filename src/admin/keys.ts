/** API keys: made, listed, revoked. The key itself is in one answer, that to its making. */
import { Hono } from 'hono'
import type { Directory, KeyRecord } from '../identity/directory.ts'
import { hashApiKey, makeApiKey } from '../identity/key.ts'
import type { Principal } from '../identity/principal.ts'
import type { Clock } from '../platform/clock.ts'
import { err, ok, type Result } from '../platform/result.ts'
import type { NewKey, PeopleStore } from '../storage/people.ts'
import type { KeyUses } from '../storage/use.ts'
import { actorOf } from './actor.ts'
import type { Accounts } from './accounts.ts'
import { answering, page, whole } from './answer.ts'
import * as api from './api/keys.ts'
import { readBody, readQuery } from './body.ts'
import { decide } from './decision.ts'
import type { AdminEnv } from './env.ts'
import { type Grant, grantOf } from './grant.ts'
import { forbidden, type Problem, writeRejected } from './problem.ts'
import { mount } from './operation.ts'
import { type Reach, reaches, reachOf } from './reach.ts'

export type KeyPorts = {
  readonly accounts: Accounts
  readonly people: PeopleStore
  readonly uses: Pick<KeyUses, 'list'>
  readonly clock: Clock
}

export function keyRoutes({ accounts, people, uses, clock }: KeyPorts): Hono<AdminEnv> {
  const list = answering(async (c) => {
    const { organisationId } = c.get('principal')
    const reach = reachOf(c.get('principal'))
    if (!reach) return err(forbidden)
    const asked = readQuery(c.req.query(), api.listKeys.query)
    if (!asked.ok) return asked
    const directory = await accounts.read(c.get('background'))
    if (!directory.ok) return directory
    const { prefix = '', ...place } = asked.value
    const own = keysWithin(directory.value, organisationId, reach)
    const found = own.filter((key) => key.prefix.startsWith(prefix))
    const used = await uses.list(organisationId)
    return page(
      found.map((key) => viewKey(key, used.ok ? used.value.get(key.id) : undefined)),
      place,
    )
  })
  const create = answering(async (c) => {
    const principal = c.get('principal')
    const reach = reachOf(principal)
    if (!reach) return err(forbidden)
    const body = await readBody(c.req.raw, api.createKey.body)
    if (!body.ok) return body
    const before = await accounts.committed(c.get('background'))
    if (!before.ok) return before
    const grant = grantOf(body.value, principal, reach, before.value, clock())
    if (!grant.ok) return grant
    const made = await makeKey(grant.value, principal)
    const { id, prefix, role, scopes } = made.row
    const act = {
      actor: actorOf(c),
      action: 'key.create',
      target: id,
      detail: { prefix, role, scopes },
    }
    const written = people.insertKey(made.row, act)
    const after = await accounts.commit(written, writeRejected, c.get('background'))
    if (!after.ok) return after
    const key = after.value.key(id)
    return key ? whole({ ...viewKey(key), key: made.key }, 201) : err(unknownKey)
  })
  const revoke = answering(async (c) => {
    const { organisationId } = c.get('principal')
    const reach = reachOf(c.get('principal'))
    if (!reach) return err(forbidden)
    return await decide(async () => {
      const before = await accounts.committed(c.get('background'))
      if (!before.ok) return before
      const key = find(before.value, c.req.param('id') ?? '', organisationId, reach)
      if (!key.ok) return key
      const { id, prefix } = key.value
      const act = { actor: actorOf(c), action: 'key.revoke', target: id, detail: { prefix } }
      const written = people.revokeKey(key.value, act)
      const after = await accounts.commit(written, writeRejected, c.get('background'))
      return after.ok ? whole({ id, prefix, revoked: true }) : after
    })
  })

  const routes = new Hono<AdminEnv>()
  mount(routes, api.listKeys, list)
  mount(routes, api.createKey, create)
  mount(routes, api.revokeKey, revoke)
  return routes
}

/** A key, to be shown once, and what is kept of it. */
export async function makeKey(
  grant: Grant,
  { subject: createdBy }: Principal,
): Promise<{ readonly key: string; readonly row: NewKey }> {
  const { key, prefix } = makeApiKey()
  const hash = await hashApiKey(key)
  return { key, row: { id: crypto.randomUUID(), ...grant, prefix, hash, createdBy } }
}

export const viewKey = (key: KeyRecord, lastUsedAt?: string) => ({
  id: key.id,
  name: key.name,
  prefix: key.prefix,
  role: key.role,
  agentType: key.agentType,
  scopes: key.scopes,
  userId: key.userId,
  createdAt: key.createdAt,
  expiresAt: key.expiresAt,
  lastUsedAt,
})

const keysWithin = ({ image }: Directory, organisationId: string, reach: Reach): readonly KeyRecord[] =>
  image.keys.filter((key) => key.organisationId === organisationId && reaches(reach, key))

/** One that the caller may not manage is as unknown as one that there is not (S21). */
function find(
  directory: Directory,
  id: string,
  organisationId: string,
  reach: Reach,
): Result<KeyRecord, Problem> {
  const key = keysWithin(directory, organisationId, reach).find((each) => each.id === id)
  return key ? ok(key) : err(unknownKey)
}

const unknownKey: Problem = {
  status: 404,
  code: 'unknown_key',
  title: 'Unknown key',
  detail: 'There is no such key, or it was revoked. GET /api/v1/keys lists those that there are.',
}
