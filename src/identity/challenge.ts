/** How a caller without a valid credential is told so (RFC 6750, section 3; B25, B27). */
import type { Unidentified } from './identify.ts'

export function challenge(unidentified: Unidentified): Response {
  const isMissing = unidentified === 'missing'
  const body = isMissing
    ? { error: 'unauthorized', error_description: 'Bearer token required' }
    : { error: 'invalid_token', error_description: 'The access token is invalid' }
  const detail = isMissing ? '' : ', error="invalid_token", error_description="The access token is invalid"'
  return Response.json(body, {
    status: 401,
    headers: { 'www-authenticate': `Bearer realm="switchyard"${detail}`, 'cache-control': 'no-store' },
  })
}
