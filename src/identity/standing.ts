/** Whether a caller that was admitted would be admitted now: asked while something that it opened stays open (F57). */
import type { Directory } from './directory.ts'
import type { Principal } from './principal.ts'
import { principalOfKey } from './proof.ts'

/** False as well where it would be admitted as less or more than it was: let it come again. */
export function isStanding(principal: Principal, directory: Directory, nowMs: number): boolean {
  const { grounds, organisationId } = principal
  if (!grounds) return true
  if (grounds.expiresAt !== undefined && grounds.expiresAt <= nowMs) return false
  if (directory.organisation(organisationId)?.isSuspended !== false) return false
  const now = standsFor(principal, directory, nowMs)
  return now?.role === principal.role && now.agentType === principal.agentType
}

function standsFor(
  principal: Principal,
  directory: Directory,
  nowMs: number,
): Pick<Principal, 'role' | 'agentType'> | undefined {
  const { keyId, userId, tokensSince = 0 } = principal.grounds ?? {}
  if (keyId !== undefined) {
    const key = directory.key(keyId)
    return key && principalOfKey(key, directory, nowMs)
  }
  if (userId === undefined) return principal
  const user = directory.user(userId)
  return user && user.tokensSince <= tokensSince ? user : undefined
}
