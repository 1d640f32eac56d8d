/** Whom tokens are for: the names under which this gateway, or one endpoint of it, is a resource (RFC 8707; S16). */
import type { Oidc } from '../platform/oidc.ts'

/** `everywhere`, or the names of the endpoints that a token is for. */
export type Places = 'everywhere' | readonly string[]

/** What a token with this `aud` is for here; `undefined`: it is for somebody else. */
export type ReadAudience = (aud: unknown) => Places | undefined

export function readAudience({ audiences }: Oidc, publicUrl = ''): ReadAudience {
  const own = audiences ?? [publicUrl, `${publicUrl}/`, `${publicUrl}/mcp`]
  const endpoint = `${publicUrl}/mcp/`
  return (aud) => {
    const named = (Array.isArray(aud) ? aud : [aud]).filter((each) => typeof each === 'string')
    if (named.some((each) => own.includes(each))) return 'everywhere'
    if (audiences) return undefined
    const endpoints = named.filter((each) => each.startsWith(endpoint))
    return endpoints.length > 0 ? endpoints.map((each) => each.slice(endpoint.length)) : undefined
  }
}
