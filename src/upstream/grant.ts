/** An upstream's OAuth credential: what it consists of, which of two is newer, and when it must be refreshed. Pure. */
import type { Secret } from '../platform/secret.ts'

export type Grant = {
  readonly type: 'oauth2'
  readonly accessToken: Secret
  readonly refreshToken: Secret
  readonly tokenUrl: string
  readonly clientId: string
  readonly clientSecret?: Secret | undefined
  /** Asked for again with every refresh; absent: as it was granted. */
  readonly scope?: string | undefined
  /** Epoch ms. */
  readonly receivedAt: number
  /** Epoch ms; absent: nobody said. */
  readonly expiresAt?: number | undefined
  /** When an operator set it (epoch ms), and how often it was refreshed since. */
  readonly setAt: number
  readonly turn: number
  /** The token endpoint wants no more of it: an operator must set another. */
  readonly rejection?: Rejection | undefined
}

/** Errors after which asking again is no use (RFC 6749, section 5.2; RFC 8707, section 2). */
export const REJECTIONS = [
  'invalid_grant',
  'invalid_client',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_request',
  'invalid_target',
] as const
export type Rejection = (typeof REJECTIONS)[number]

/** What the gateway sends of it. `refused`: nothing more; `ended`: only after a refresh. */
export type GrantState = 'good' | 'due' | 'ended' | 'refused'

const LEAD_MS = 60_000
const LEAD_SHARE = 0.1

/**
 * `due`: still good, and so near its end that another is fetched meanwhile: 60 s before it, or in the last tenth of a
 * short life. How long an operator's token had lived before it was set here, nobody knows.
 */
export function stateOf({ receivedAt, expiresAt, turn, rejection }: Grant, now: number): GrantState {
  if (expiresAt === undefined) return rejection ? 'refused' : 'good'
  if (now >= expiresAt) return rejection ? 'refused' : 'ended'
  const leadMs = turn === 0 ? LEAD_MS : Math.min(LEAD_MS, (expiresAt - receivedAt) * LEAD_SHARE)
  return now >= expiresAt - leadMs && !rejection ? 'due' : 'good'
}

/** Whoever holds two of one service goes on with the newer: the other's refresh token may be spent. */
export const isNewer = (one: Grant, other: Grant): boolean =>
  one.setAt === other.setAt ? one.turn > other.turn : one.setAt > other.setAt

/** One sentence for an operator. */
export const describeRejection = (rejection: Rejection): string =>
  rejection === 'invalid_grant'
    ? 'Its refresh token was rejected (invalid_grant). Sign in again and set `auth` anew with PUT.'
    : `Its token endpoint refused to refresh the credential (${rejection}). Set \`auth\` to one that it accepts with PUT.`
