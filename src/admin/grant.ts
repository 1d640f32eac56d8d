/** What a new key may be: never more than whoever makes it. */
import type { Directory } from '../identity/directory.ts'
import type { Principal } from '../identity/principal.ts'
import { hasScope } from '../identity/scope.ts'
import { err, ok, type Result } from '../platform/result.ts'
import type { NewKey } from '../storage/people.ts'
import type { NewKeyForm } from './api/key.ts'
import { forbidden, invalidBody, type Problem } from './problem.ts'
import type { Reach } from './reach.ts'

/** What a key is to stand for. */
export type Grant = Pick<
  NewKey,
  'organisationId' | 'name' | 'role' | 'agentType' | 'scopes' | 'userId' | 'expiresAt'
>

export function grantOf(
  { expiresAt, ...form }: NewKeyForm,
  principal: Principal,
  reach: Reach,
  directory: Directory,
  nowMs: number,
): Result<Grant, Problem> {
  if (expiresAt !== undefined && Date.parse(expiresAt) <= nowMs) {
    return err(invalidBody([{ field: 'expiresAt', message: 'must be in the future' }]))
  }
  const { organisationId } = principal
  const asked = { ...form, organisationId, agentType: form.agentType, expiresAt }
  switch (reach.is) {
    case 'organisation':
      return ok({ ...asked, scopes: form.scopes, userId: undefined })
    case 'user':
      return ownGrant(asked, form.scopes, principal, directory.user(reach.userId)?.agentType, reach.userId)
    case 'key':
      // What a key made would outlive it.
      return err(forbidden)
  }
}

/** Without an agent type of its own the key has that of its user, whatever that becomes. */
function ownGrant(
  asked: Omit<Grant, 'scopes' | 'userId'>,
  scopes: Grant['scopes'],
  principal: Principal,
  typeOfUser: string | undefined,
  userId: string,
): Result<Grant, Problem> {
  if (asked.role === 'admin' && principal.role !== 'admin') return err(beyond('role', 'your role'))
  if (asked.agentType !== undefined && asked.agentType !== principal.agentType) {
    return err(beyond('agentType', 'your agent type'))
  }
  const granted = scopes ?? principal.scopes
  if (granted?.some((scope) => !hasScope(principal.scopes, scope)))
    return err(beyond('scopes', 'your scopes'))
  const agentType = principal.agentType === typeOfUser ? undefined : principal.agentType
  return ok({ ...asked, agentType, scopes: granted, userId })
}

const beyond = (field: string, what: string): Problem => ({
  status: 403,
  code: 'forbidden',
  title: 'Not allowed',
  detail: `${field}: a key of yours may have no more than ${what}.`,
  errors: [{ field, message: `is more than ${what}` }],
})
