/**
 * Tokens that users get for their password: JWTs of this gateway's own (RFC 7519). What they say of their user is who
 * it is, nothing else; what that user may do is asked of the directory each time.
 */
import { type JWTPayload, jwtVerify, SignJWT } from 'jose'
import type { Clock } from '../platform/clock.ts'
import { rememberFor } from '../platform/remember.ts'
import type { Secret } from '../platform/secret.ts'
import type { Directory, UserRecord } from './directory.ts'
import { principalOfUser, type Proof, type Verifier } from './proof.ts'

const NAME = 'switchyard'
/** The one algorithm that is taken, so that no header of a token can choose another (S13, S17). */
const ALGORITHM = 'HS256'
const LIFETIME_MS = 43_200_000

export type LoginToken = { readonly token: string; readonly expiresAt: number }

/**
 * A token for this user. It holds since when the user's tokens count, as read together with the password: a token
 * that was signed while the password changed is not one of the new password's.
 */
export async function issueToken(
  { id, organisationId, tokensSince }: Pick<UserRecord, 'id' | 'organisationId' | 'tokensSince'>,
  secret: Secret,
  nowMs: number,
): Promise<LoginToken> {
  const issuedAt = Math.floor(nowMs / 1_000)
  const expiresAt = issuedAt + LIFETIME_MS / 1_000
  const token = await new SignJWT({ org: organisationId, since: tokensSince })
    .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
    .setIssuer(NAME)
    .setAudience(NAME)
    .setSubject(id)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt)
    .sign(keyOf(secret))
  return { token, expiresAt: expiresAt * 1_000 }
}

/** Verified once; the proof then holds until the token expires or its user's tokens count no more. */
export const verifyLogin =
  (secret: Secret, clock: Clock): Verifier =>
  async (credential) => {
    const claims = await readClaims(credential, secret, clock())
    return claims && proofOf(claims)
  }

type Claims = {
  readonly userId: string
  readonly organisationId: string
  readonly tokensSince: number
  /** Epoch ms. */
  readonly expiresAt: number
}

async function readClaims(credential: string, secret: Secret, nowMs: number): Promise<Claims | undefined> {
  if (!JWT.test(credential)) return undefined
  try {
    const { payload } = await jwtVerify(credential, keyOf(secret), {
      algorithms: [ALGORITHM],
      issuer: NAME,
      audience: NAME,
      requiredClaims: ['sub', 'exp', 'iat'],
      currentDate: new Date(nowMs),
    })
    return checkClaims(payload)
  } catch {
    return undefined
  }
}

const JWT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

function checkClaims({ sub, org, since, exp }: JWTPayload): Claims | undefined {
  const isWhole =
    typeof sub === 'string' && typeof org === 'string' && typeof since === 'number' && typeof exp === 'number'
  return isWhole
    ? { userId: sub, organisationId: org, tokensSince: since, expiresAt: exp * 1_000 }
    : undefined
}

/** A token of later than this isolate knows of is believed: it was signed where the news is already known. */
function proofOf({ userId, organisationId, tokensSince, expiresAt }: Claims): Proof {
  const principal = rememberFor((user: UserRecord) => principalOfUser(user, { tokensSince, expiresAt }))
  return (directory: Directory, nowMs: number) => {
    const user = directory.user(userId)
    const isCounted = user?.organisationId === organisationId && user.tokensSince <= tokensSince
    return isCounted && nowMs < expiresAt ? principal(user) : undefined
  }
}

const keyOf = (secret: Secret): Uint8Array => new TextEncoder().encode(secret.reveal())
