/** What is to be done about users. */
import { operations } from '../../src/admin/api/operations.ts'
import { onlyIf, segment, take } from '../gateway.ts'
import type { ActualUser } from './actual.ts'
import type { WantedUser } from './shape.ts'
import {
  differencesOf,
  fieldsOf,
  type Known,
  type PlanOptions,
  SECRET,
  type Step,
  surplus,
  withSecrets,
} from './step.ts'

export function planUsers(
  wanted: readonly WantedUser[],
  actual: Known<ActualUser>,
  options: PlanOptions,
): { readonly changes: Step[]; readonly removals: Step[] } {
  const changes = wanted.flatMap((user) => {
    const known = actual.get(user.username)
    return known ? changeOf(user, known, options) : [creationOf(user, options)]
  })
  const names = wanted.map(({ username }) => username)
  const removals = surplus(actual, names, options.isPruning).map(([username, { row, etag }]): Step => ({
    action: 'remove',
    what: `user ${username}`,
    differences: [],
    missing: [],
    carryOut: async (api) => take(api.users[':id'].$delete({ param: { id: segment(row.id) } }, onlyIf(etag))),
  }))
  return { changes, removals }
}

function creationOf(user: WantedUser, { env }: PlanOptions): Step {
  const { username, password, ...plain } = user
  const what = `user ${username}`
  const { body, missing } = withSecrets(operations.createUser.body, user, what, env)
  const isUnset = password === undefined
  return {
    action: 'create',
    what,
    differences: fieldsOf({ ...plain, password: SECRET }),
    missing: isUnset ? [{ path: [what, 'password'], name: 'the variable that it refers to' }] : missing,
    carryOut: async (api) => take(api.users.$post({ json: body() })),
  }
}

function changeOf(
  { username, password, ...user }: WantedUser,
  { row, etag }: ActualUser,
  options: PlanOptions,
): Step[] {
  const plain = differencesOf(user, row)
  const isReset = password !== undefined && options.resetsSecrets
  const given = { ...user, ...(isReset && { password }) }
  const { body, missing } = withSecrets(operations.updateUser.body, given, `user ${username}`, options.env)
  const differences = [...plain, ...(isReset ? [{ field: 'password', before: SECRET, after: SECRET }] : [])]
  if (differences.length === 0) return []
  return [
    {
      action: 'change',
      what: `user ${username}`,
      differences,
      missing,
      carryOut: async (api) =>
        take(api.users[':id'].$put({ param: { id: segment(row.id) }, json: body() }, onlyIf(etag))),
    },
  ]
}
