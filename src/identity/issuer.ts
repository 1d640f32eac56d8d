/**
 * JWTs of the configured issuer (RFC 9068 as far as issuers keep to it). Everything that can be told without keys is
 * told first, so that what is not for us costs no request and no signature. Why a token does not count is nobody's
 * business.
 */
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose'
import type { Clock } from '../platform/clock.ts'
import type { Places, ReadAudience } from './audience.ts'
import { type HeldKeys, type IssuerKeys, KEYS } from './jwks.ts'
import { DEFAULT_ORGANISATION, type Principal } from './principal.ts'
import { managesOf, type Proof, type Verifier } from './proof.ts'
import { hasScope, type Scope, SCOPES } from './scope.ts'

/** Asymmetric ones alone: with a shared secret, whoever verifies could sign as well (S17). */
const ALGORITHMS = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA'.split(' ')
/** By how much the issuer's clock may differ from ours. */
const LEEWAY_S = 10
/** A token is verified anew so soon, once the keys are not fresh. */
const RECHECK_MS = 30_000
/** OpenID Connect Core, section 2: at most 255 characters of ASCII. */
const SUBJECT = /^[\x20-\x7e]{1,255}$/
const NAME = /^[\x20-\x7e]{1,64}$/

export type TokenPorts = {
  readonly issuer: string
  readonly keys: Pick<IssuerKeys, 'find'>
  readonly readAudience: ReadAudience
  readonly clock: Clock
}

export function verifyIssued({ issuer, keys, readAudience, clock }: TokenPorts): Verifier {
  return async (credential, background) => {
    const claimed = readUnverified(credential, issuer, clock())
    if (!claimed) return undefined
    const places = readAudience(claimed.aud)
    if (!places) return undefined
    const held = await keys.find(claimed.kid, background)
    if (!held) return 'unavailable'
    const claims = held.keys.length > 0 && (await verify(credential, issuer, held, clock()))
    const principal = claims && principalOf(claims, issuer, places)
    return principal ? proofOf(principal, expiryOf(claims, held, clock())) : undefined
  }
}

type Claimed = { readonly kid: string | undefined; readonly aud: unknown }

/** What a token says of itself, before anything proves it; `undefined`: it cannot count whoever signed it. */
function readUnverified(credential: string, issuer: string, nowMs: number): Claimed | undefined {
  try {
    const { alg = '', kid } = decodeProtectedHeader(credential)
    const { iss, exp, aud } = decodeJwt(credential)
    const isOurs = iss === issuer && ALGORITHMS.includes(alg) && typeof exp === 'number'
    return isOurs && (exp + LEEWAY_S) * 1_000 > nowMs ? { kid, aud } : undefined
  } catch {
    return undefined
  }
}

/** A key set of its own each time: `jose` keeps a promise for each key, and one of another request may never settle. */
async function verify(
  credential: string,
  issuer: string,
  { keys }: HeldKeys,
  nowMs: number,
): Promise<JWTPayload | undefined> {
  try {
    const { payload } = await jwtVerify(credential, createLocalJWKSet({ keys: [...keys] }), {
      issuer,
      algorithms: ALGORITHMS,
      requiredClaims: ['sub', 'aud', 'exp'],
      clockTolerance: LEEWAY_S,
      currentDate: new Date(nowMs),
    })
    return payload
  } catch {
    return undefined
  }
}

/** Epoch ms: when it must be verified anew, so that a key which its issuer withdrew is noticed in time. */
function expiryOf({ exp = 0 }: JWTPayload, { fetchedAt }: HeldKeys, nowMs: number): number {
  const staleAt = fetchedAt + KEYS.staleMs
  const recheckAt = Math.max(fetchedAt + KEYS.freshMs, nowMs + RECHECK_MS)
  const isIssuerAway = nowMs > staleAt
  return Math.min((exp + LEEWAY_S) * 1_000, isIssuerAway ? recheckAt : Math.min(recheckAt, staleAt))
}

const proofOf =
  (principal: Principal, until: number): Proof =>
  (_, nowMs) =>
    nowMs < until ? principal : undefined

/** A claim of ours that is there and cannot be read makes the token count for nothing. */
function principalOf(claims: JWTPayload, issuer: string, places: Places): Principal | undefined {
  const { sub = '', exp = 0, organisation = DEFAULT_ORGANISATION, agent_type: agentType } = claims
  const scopes = scopesIn(claims)
  if (!SUBJECT.test(sub) || !isName(organisation)) return undefined
  if (agentType !== undefined && !isName(agentType)) return undefined
  const role = hasScope(scopes, 'mcp:admin') ? 'admin' : 'user'
  return {
    organisationId: organisation,
    subject: `issuer:${issuer.replace(/^https?:\/\//, '')}|${sub}`,
    role,
    agentType,
    scopes,
    manages: managesOf(role, scopes),
    ...(places !== 'everywhere' && { onlyAt: places }),
    grounds: { expiresAt: (exp + LEEWAY_S) * 1_000 },
  }
}

const isName = (value: unknown): value is string => typeof value === 'string' && NAME.test(value)

/** Of an issuer that limits nothing: what agents do. */
const UNLIMITED: readonly Scope[] = ['mcp:read', 'mcp:write']

/** `scope` is the standard's (RFC 9068, section 2.2.3), `scp` what some issuers write. Those of others say nothing here. */
function scopesIn({ scope, scp }: JWTPayload): readonly Scope[] {
  const given = scope ?? scp
  if (given === undefined) return UNLIMITED
  const names: readonly unknown[] = typeof given === 'string' ? given.split(' ') : asList(given)
  return SCOPES.filter((each) => names.includes(each))
}

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
