/** Whose keys a caller manages: all of its organisation's, those of a user, or the one that it came with. */
import type { KeyRecord } from '../identity/directory.ts'
import type { Principal } from '../identity/principal.ts'
import { hasScope } from '../identity/scope.ts'

export type Reach =
  | { readonly is: 'organisation' }
  | { readonly is: 'user'; readonly userId: string }
  | { readonly is: 'key'; readonly keyId: string }

/** `undefined`: none. What the environment holds stands for nobody who could own a key. */
export function reachOf({ manages, scopes, grounds }: Principal): Reach | undefined {
  if (manages === 'all') return { is: 'organisation' }
  if (!grounds || !hasScope(scopes, 'mcp:admin')) return undefined
  const { userId, keyId } = grounds
  if (userId !== undefined) return { is: 'user', userId }
  return keyId === undefined ? undefined : { is: 'key', keyId }
}

export function reaches(reach: Reach, key: KeyRecord): boolean {
  switch (reach.is) {
    case 'organisation':
      return true
    case 'user':
      return key.userId === reach.userId
    case 'key':
      return key.id === reach.keyId
  }
}
