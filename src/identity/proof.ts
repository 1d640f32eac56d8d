/**
 * What a credential proved, kept so that a warm call verifies nothing: who it stands for is asked of the directory of
 * that moment, so that a revoked key or a deleted user is refused as soon as the directory knows (F57).
 */
import type { Background } from '../platform/background.ts'
import { rememberFor } from '../platform/remember.ts'
import type { Directory, KeyRecord, UserRecord } from './directory.ts'
import type { Grounds, Manages, Principal, Role } from './principal.ts'
import { hasScope, type Scope } from './scope.ts'

/** Who it stands for now; `undefined`: nobody any more, unless it proves itself anew. */
export type Proof = (directory: Directory, nowMs: number) => Principal | undefined

/**
 * One kind of credential; `undefined`: not of this kind, or not valid. Why is nobody's business. `unavailable`: of this
 * kind, and it cannot be told at the moment.
 */
export type Verifier = (
  credential: string,
  background: Background,
) => Promise<Proof | 'unavailable' | undefined>

/** What this role manages with a credential of these scopes. */
export const managesOf = (role: Role, scopes: readonly Scope[] | undefined): Manages =>
  role === 'admin' && hasScope(scopes, 'mcp:admin') ? 'all' : 'own'

/** Whom this key stands for now: itself, or the user whose it is, who must still be there. */
export function principalOfKey(key: KeyRecord, directory: Directory, nowMs: number): Principal | undefined {
  const isOver = key.expiresAt !== undefined && Date.parse(key.expiresAt) <= nowMs
  if (isOver) return undefined
  if (key.userId === undefined) return standingAlone(key)
  const user = directory.user(key.userId)
  return user && standingFor(key)(user)
}

const standingAlone = rememberFor((key: KeyRecord) => combine(key, undefined))
const standingFor = rememberFor((key: KeyRecord) => rememberFor((user: UserRecord) => combine(key, user)))

/** A key may never do more than its user. */
function combine(key: KeyRecord, user: UserRecord | undefined): Principal {
  const role = user?.role === 'user' ? 'user' : key.role
  return {
    organisationId: key.organisationId,
    subject: user ? `user:${user.id}` : `key:${key.id}`,
    role,
    agentType: key.agentType ?? user?.agentType,
    scopes: key.scopes,
    manages: managesOf(role, key.scopes),
    grounds: user ? { keyId: key.id, userId: user.id } : { keyId: key.id },
  }
}

/** `token`: what it proved itself by. */
export const principalOfUser = (
  { id, organisationId, role, agentType }: UserRecord,
  token: Required<Pick<Grounds, 'tokensSince' | 'expiresAt'>>,
): Principal => ({
  organisationId,
  subject: `user:${id}`,
  role,
  agentType,
  scopes: undefined,
  manages: managesOf(role, undefined),
  grounds: { userId: id, ...token },
})
