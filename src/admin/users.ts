/** Users of the caller's organisation: made, listed, changed, removed. Passwords go in and never come out. */
import { type Context, Hono } from 'hono'
import type { Directory, UserRecord } from '../identity/directory.ts'
import { hashPassword } from '../identity/password.ts'
import { err, ok, type Result } from '../platform/result.ts'
import type { PeopleStore } from '../storage/people.ts'
import { actorOf } from './actor.ts'
import type { Accounts } from './accounts.ts'
import { type Answered, answering, page, whole } from './answer.ts'
import * as api from './api/users.ts'
import { readBody, readQuery, readWrite } from './body.ts'
import { decide } from './decision.ts'
import type { AdminEnv } from './env.ts'
import { etagOf, type Expected, isExpected, readExpected } from './etag.ts'
import { mount } from './operation.ts'
import { changedMeanwhile, type Problem } from './problem.ts'

export type UserPorts = { readonly accounts: Accounts; readonly people: PeopleStore }

export function userRoutes({ accounts, people }: UserPorts): Hono<AdminEnv> {
  const list = answering(async (c) => {
    const { organisationId } = c.get('principal')
    const asked = readQuery(c.req.query(), api.listUsers.query)
    if (!asked.ok) return asked
    const directory = await accounts.read(c.get('background'))
    if (!directory.ok) return directory
    const own = directory.value.image.users.filter((user) => user.organisationId === organisationId)
    return page(own.map(viewUser), asked.value)
  })
  const create = answering(async (c) => {
    const { organisationId } = c.get('principal')
    const actor = actorOf(c)
    const body = await readBody(c.req.raw, api.createUser.body)
    if (!body.ok) return body
    const { password, agentType, ...user } = body.value
    const id = crypto.randomUUID()
    const row = { id, organisationId, ...user, agentType, passwordHash: hashPassword(password) }
    const act = { actor, action: 'user.create', target: id, detail: user }
    const written = people.insertUser(row, act)
    const after = await accounts.commit(written, duplicateUsername(user.username), c.get('background'))
    if (!after.ok) return after
    const created = find(after.value, id, c)
    return respond(created, 201)
  })
  const show = answering(async (c) => {
    const directory = await accounts.read(c.get('background'))
    const user = directory.ok ? find(directory.value, nameOf(c), c) : directory
    return respond(user)
  })
  const update = answering(async (c) => {
    const asked = await readWrite(c.req.raw, api.updateUser.body)
    if (!asked.ok) return asked
    const { body, expected } = asked.value
    const { password, ...rest } = body
    const isRenewed = password !== undefined
    const change = { ...rest, passwordHash: isRenewed ? hashPassword(password) : undefined }
    const detail = { ...rest, isPasswordChanged: isRenewed }
    const actor = actorOf(c)
    return await decide(async () => {
      const before = await accounts.committed(c.get('background'))
      const user = before.ok ? expect(before.value, c, expected) : before
      if (!user.ok) return user
      const { id, username } = user.value
      const act = { actor, action: 'user.update', target: id, detail }
      const written = people.updateUser(user.value, change, act)
      const after = await accounts.commit(written, duplicateUsername(username), c.get('background'))
      return after.ok ? respond(find(after.value, id, c)) : after
    })
  })
  const remove = answering(async (c) => {
    const expected = readExpected(c.req.raw.headers)
    if (!expected.ok) return expected
    const actor = actorOf(c)
    return await decide(async () => {
      const before = await accounts.committed(c.get('background'))
      const user = before.ok ? expect(before.value, c, expected.value) : before
      if (!user.ok) return user
      const { id, username } = user.value
      const act = { actor, action: 'user.delete', target: id }
      const written = people.removeUser(user.value, act)
      const after = await accounts.commit(written, duplicateUsername(username), c.get('background'))
      return after.ok ? whole({ id, username, deleted: true }) : after
    })
  })

  const routes = new Hono<AdminEnv>()
  mount(routes, api.listUsers, list)
  mount(routes, api.createUser, create)
  mount(routes, api.showUser, show)
  mount(routes, api.updateUser, update)
  mount(routes, api.removeUser, remove)
  return routes
}

const nameOf = (c: Context<AdminEnv>): string => c.req.param('id') ?? ''

/** One of another organisation is as unknown as one that there is not (S21). */
function find(directory: Directory, id: string, c: Context<AdminEnv>): Result<UserRecord, Problem> {
  const user = directory.user(id)
  return user?.organisationId === c.get('principal').organisationId ? ok(user) : err(unknownUser)
}

function expect(directory: Directory, c: Context<AdminEnv>, expected: Expected): Result<UserRecord, Problem> {
  const user = find(directory, nameOf(c), c)
  return !user.ok || isExpected(expected, tagOf(user.value)) ? user : err(changedMeanwhile)
}

const respond = (user: Result<UserRecord, Problem>, status = 200): Answered =>
  user.ok ? whole(viewUser(user.value), status, tagOf(user.value)) : user

/** A new password shows in nothing else. */
const tagOf = (user: UserRecord): string => etagOf([viewUser(user), user.tokensSince])

const viewUser = ({ id, username, role, agentType, createdAt }: UserRecord) => ({
  id,
  username,
  role,
  agentType,
  createdAt,
})

const unknownUser: Problem = {
  status: 404,
  code: 'unknown_user',
  title: 'Unknown user',
  detail: 'There is no such user. GET /api/v1/users lists those that there are.',
}

const duplicateUsername = (username: string): Problem => ({
  status: 409,
  code: 'duplicate_username',
  title: 'User name already taken',
  detail: `A user '${username}' exists already. Choose another name.`,
})
