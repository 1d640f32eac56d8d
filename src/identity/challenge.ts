/** How a caller who is not served is told so (RFC 6750, section 3; B25, B27, B35). */
import { type Refusal, refuse } from '../protocol/refusal.ts'
import type { Unidentified } from './identify.ts'
import { type Scope, scopesUpTo } from './scope.ts'

/** `needed`: the scope with which the caller would come in. */
export function challenge(unidentified: Unidentified, needed: Scope = 'mcp:write'): Response {
  const scope = `, scope="${scopesUpTo(needed)}"`
  switch (unidentified) {
    case 'missing':
      return unauthorized({ error: 'unauthorized', error_description: 'Bearer token required' }, scope)
    case 'invalid':
      return unauthorized(
        { error: 'invalid_token', error_description: INVALID },
        `, error="invalid_token", error_description="${INVALID}"${scope}`,
      )
    case 'suspended':
      return Response.json({ error: 'access_denied' }, { status: 403, headers: UNCACHED })
    case 'unavailable':
      return refuse(UNAVAILABLE)
  }
}

const INVALID = 'The access token is invalid'
const UNCACHED = { 'cache-control': 'no-store' } as const
const UNAVAILABLE: Refusal = { why: 'unavailable', retryAfterMs: 1_000 }

const unauthorized = (body: object, detail: string): Response =>
  Response.json(body, {
    status: 401,
    headers: { 'www-authenticate': `Bearer realm="switchyard"${detail}`, ...UNCACHED },
  })
