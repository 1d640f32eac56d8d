/** The verified caller. Made only by this folder; everything behind it trusts it. */
import type { Scope } from './scope.ts'

export type Role = 'admin' | 'user'

export type Principal = {
  readonly organisationId: string
  /** Stable and not secret: who this is in audit rows, limits and session keys. */
  readonly subject: string
  readonly role: Role
  /** What kind of agent this is, as its credential says; rules of who may use what name it. */
  readonly agentType: string | undefined
  /** What its credential is limited to; absent: everything that its role may. */
  readonly scopes: readonly Scope[] | undefined
  readonly manages: Manages
  /** The endpoints that its token is for; absent: all of the gateway (S16). */
  readonly onlyAt?: readonly string[]
  /** What it rests on, where that can end before this isolate does. */
  readonly grounds?: Grounds
}

/** What must go on for a credential to count; looked at again while something of its caller stays open. */
export type Grounds = {
  /** The key that it came with, and the user who it is. */
  readonly keyId?: string
  readonly userId?: string
  /** Of a token: since when the tokens of its user counted when it was issued. */
  readonly tokensSince?: number
  /** Epoch ms. */
  readonly expiresAt?: number
}

/** `all`: the whole organisation. `services`: registers and lists them. `own`: what belongs to itself. */
export type Manages = 'all' | 'services' | 'own'

export const DEFAULT_ORGANISATION = 'default'

/**
 * Who calls, as usage tells them apart: a person who logged in, here or at the issuer; a skill, whose credential says
 * so; an agent otherwise, whosever key it has.
 */
export function callerTypeOf({ agentType, grounds }: Principal): 'agent' | 'skill' | 'user' {
  if (grounds?.tokensSince !== undefined) return 'user'
  if (agentType !== undefined) return agentType === 'skill' ? 'skill' : 'agent'
  return grounds && grounds.keyId === undefined ? 'user' : 'agent'
}

/** Everybody who comes without a credential where that is admitted. */
export const ANONYMOUS: Principal = {
  organisationId: DEFAULT_ORGANISATION,
  subject: 'anonymous',
  role: 'user',
  agentType: undefined,
  scopes: undefined,
  manages: 'own',
}
