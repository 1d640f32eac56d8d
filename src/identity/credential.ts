/** The credential of a request, as it was sent. Query strings are never looked at (B24). */
import { LIMITS } from '../protocol/limits.ts'

export type Credential =
  | { readonly is: 'none' }
  /** Something was sent that can not be a credential; it is refused without any work (B27, B36). */
  | { readonly is: 'malformed' }
  | { readonly is: 'bearer'; readonly value: string }
  | { readonly is: 'api-key'; readonly value: string }

const BEARER = /^bearer ([A-Za-z0-9\-._~+/]+=*)$/i

/** `X-API-Key` speaks for itself; otherwise `Authorization: Bearer`. Other schemes count as none (B26). */
export function readCredential(headers: Headers): Credential {
  const apiKey = headers.get('x-api-key')
  if (apiKey !== null) {
    return apiKey.length <= LIMITS.authorizationChars ? { is: 'api-key', value: apiKey } : { is: 'malformed' }
  }
  const authorization = headers.get('authorization')
  if (authorization === null || !/^bearer\b/i.test(authorization)) return { is: 'none' }
  if (authorization.length > LIMITS.authorizationChars) return { is: 'malformed' }
  const value = BEARER.exec(authorization.trim())?.[1]
  return value === undefined ? { is: 'malformed' } : { is: 'bearer', value }
}
