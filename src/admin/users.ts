/** Users of the caller's organisation: made, listed, changed, removed. Passwords go in and never come out. */
import { type Context, Hono } from 'hono'
import type { Directory, UserRecord } from '../identity/directory.ts'
import { hashPassword } from '../identity/password.ts'
import { err, ok, type Result } from '../platform/result.ts'
import type { PeopleStore } from '../storage/people.ts'
import type { Accounts } from './accounts.ts'
import { answering, changed, page, whole } from './answer.ts'
import { readBody } from './body.ts'
import type { AdminEnv } from './env.ts'
import { newUser, userChange } from './form.ts'
import type { Problem } from './problem.ts'

export type UserPorts = { readonly accounts: Accounts; readonly people: PeopleStore }

export function userRoutes({ accounts, people }: UserPorts): Hono<AdminEnv> {
  const list = answering(async (c) => {
    const { organisationId } = c.get('principal')
    const directory = await accounts.read(c.get('background'))
    if (!directory.ok) return directory
    const own = directory.value.image.users.filter((user) => user.organisationId === organisationId)
    return page(own.map(viewUser), c)
  })
  const create = answering(async (c) => {
    const { organisationId, subject: actor } = c.get('principal')
    const body = await readBody(c.req.raw, newUser)
    if (!body.ok) return body
    const { password, agentType, ...user } = body.value
    const id = crypto.randomUUID()
    const row = { id, organisationId, ...user, agentType, passwordHash: hashPassword(password) }
    const act = { actor, action: 'user.create', target: id, detail: user }
    const written = people.insertUser(row, act)
    const after = await accounts.commit(written, duplicateUsername(user.username), c.get('background'))
    if (!after.ok) return after
    const created = find(after.value, id, c)
    return created.ok ? whole(viewUser(created.value), 201) : created
  })
  const show = answering(async (c) => {
    const directory = await accounts.read(c.get('background'))
    const user = directory.ok ? find(directory.value, nameOf(c), c) : directory
    return user.ok ? whole(viewUser(user.value)) : user
  })
  const update = answering(async (c) => {
    const body = await readBody(c.req.raw, userChange)
    if (!body.ok) return body
    const before = await accounts.committed(c.get('background'))
    const user = before.ok ? find(before.value, nameOf(c), c) : before
    if (!user.ok) return user
    const { id, username } = user.value
    const { password, ...rest } = body.value
    const isRenewed = password !== undefined
    const detail = { ...rest, isPasswordChanged: isRenewed }
    const act = { actor: c.get('principal').subject, action: 'user.update', target: id, detail }
    const change = { ...rest, passwordHash: isRenewed ? hashPassword(password) : undefined }
    const written = people.updateUser(user.value, change, act)
    const after = await accounts.commit(written, duplicateUsername(username), c.get('background'))
    if (!after.ok) return after
    const updated = find(after.value, id, c)
    return updated.ok ? changed(viewUser(updated.value), after.value) : updated
  })
  const remove = answering(async (c) => {
    const before = await accounts.committed(c.get('background'))
    const user = before.ok ? find(before.value, nameOf(c), c) : before
    if (!user.ok) return user
    const { id, username } = user.value
    const act = { actor: c.get('principal').subject, action: 'user.delete', target: id }
    const written = people.removeUser(user.value, act)
    const after = await accounts.commit(written, duplicateUsername(username), c.get('background'))
    return after.ok ? whole({ id, username, deleted: true }) : after
  })

  const users = '/api/v1/users'
  const routes = new Hono<AdminEnv>()
  routes.get(users, list).post(users, create)
  routes.get(`${users}/:id`, show).put(`${users}/:id`, update).delete(`${users}/:id`, remove)
  return routes
}

const nameOf = (c: Context<AdminEnv>): string => c.req.param('id') ?? ''

/** One of another organisation is as unknown as one that there is not (S21). */
function find(directory: Directory, id: string, c: Context<AdminEnv>): Result<UserRecord, Problem> {
  const user = directory.user(id)
  return user?.organisationId === c.get('principal').organisationId ? ok(user) : err(unknownUser)
}

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
