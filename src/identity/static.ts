/** The credentials of the environment, compared by their digests in constant time. */
import type { Secret } from '../platform/secret.ts'
import { DEFAULT_ORGANISATION, type Principal } from './principal.ts'

export type StaticSecrets = {
  readonly apiKey: Secret
  readonly bearerToken: Secret
  /** Whether the bearer token may register and list services. */
  readonly tokenManages: boolean
}

/** Whom it stands for; `undefined`: it is none of them. */
export async function verifySecret(
  value: string,
  { apiKey, bearerToken, tokenManages }: StaticSecrets,
): Promise<Principal | undefined> {
  const given = await digest(value)
  const isApiKey = isEqual(given, await digest(apiKey.reveal()))
  const isToken = isEqual(given, await digest(bearerToken.reveal()))
  if (isApiKey) return { ...COMMON, subject: 'api-key', role: 'admin', manages: 'all' }
  if (!isToken) return undefined
  return { ...COMMON, subject: 'bearer-token', role: 'user', manages: tokenManages ? 'services' : 'own' }
}

const COMMON = { organisationId: DEFAULT_ORGANISATION, agentType: undefined, scopes: undefined } as const

const digest = async (text: string): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))

/** Constant time: every byte is looked at. */
function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0
  for (let at = 0; at < a.length; at++) difference |= (a[at] ?? 0) ^ (b[at] ?? 0)
  return difference === 0
}
