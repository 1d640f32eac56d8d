/**
 * What can be refused before the body is read. `ENTRY` stands before the caller is identified, `BODY` after.
 * The order is data: the first rung that finds a fault answers (reliability.md, "Precedence"). Path and
 * credentials have their place around these two tables, in app.ts, routes.ts and flow.ts.
 */
import { requireFewHops } from './hops.ts'
import { LIMITS } from './limits.ts'
import type { Refusal } from './refusal.ts'
import { isModernVersion } from './version.ts'

export type Door = {
  readonly httpMethod: string
  readonly headers: Headers
  /** Exact origins, or `scheme://host:*` for any port. */
  readonly allowedOrigins: readonly string[]
}

export type Rung<Subject> = {
  readonly rung: string
  /** Rows of reliability.md that this rung answers. */
  readonly cells: string
  readonly check: (subject: Subject) => Refusal | undefined
}

export const ENTRY: readonly Rung<Door>[] = [
  { rung: 'method', cells: 'B01-B04', check: requireMethod },
  { rung: 'origin', cells: 'B07-B12', check: requireKnownOrigin },
  { rung: 'loop', cells: 'S10', check: requireFewHops },
]

export const BODY: readonly Rung<Door>[] = [
  { rung: 'media', cells: 'B13-B17', check: requireJson },
  { rung: 'accept', cells: 'B18-B20', check: requireAccept },
  { rung: 'size', cells: 'B22', check: requireSize },
]

/** The fault of the first rung that finds one. */
export function climb<Subject>(rungs: readonly Rung<Subject>[], subject: Subject): Refusal | undefined {
  for (const { check } of rungs) {
    const refusal = check(subject)
    if (refusal) return refusal
  }
  return undefined
}

export const isAllowedOrigin = (origin: string, allowed: readonly string[]): boolean =>
  isListed(origin, allowed)

/** `allowed`: in lower case; exact hosts, or `host:*` for any port (S32). */
export const isAllowedHost = (host: string, allowed: readonly string[]): boolean =>
  isListed(host.toLowerCase(), allowed)

const isListed = (text: string, allowed: readonly string[]): boolean =>
  allowed.includes(text) || allowed.includes(text.replace(/:\d+$/, ':*')) || allowed.includes(`${text}:*`)

/** GET and DELETE are for who names a legacy session; modern clients have none (B01, B02). */
function requireMethod({ httpMethod, headers }: Door): Refusal | undefined {
  if (httpMethod === 'POST') return undefined
  const isModern = isModernVersion(headers.get('mcp-protocol-version') ?? '')
  const mayUseSession = (httpMethod === 'GET' || httpMethod === 'DELETE') && !isModern
  if (mayUseSession && headers.has('mcp-session-id')) return undefined
  return { why: 'method_not_allowed', allow: 'POST, OPTIONS' }
}

function requireKnownOrigin({ headers, allowedOrigins }: Door): Refusal | undefined {
  const origin = headers.get('origin')
  return origin === null || isAllowedOrigin(origin, allowedOrigins) ? undefined : { why: 'origin_refused' }
}

function requireJson({ headers }: Door): Refusal | undefined {
  const encoding = headers.get('content-encoding')
  if (encoding !== null && encoding.toLowerCase() !== 'identity') return { why: 'media' }
  const type = headers.get('content-type')
  if (type === 'application/json') return undefined
  const [media = '', ...parameters] = (type ?? '').toLowerCase().split(';')
  const isUtf8 = parameters.every((parameter) => /^(charset=("?)utf-?8\2)?$/.test(parameter.trim()))
  return media.trim() === 'application/json' && isUtf8 ? undefined : { why: 'media' }
}

/** Loose on what clients say, since many say too little (field.md, want 26). */
function requireAccept({ headers }: Door): Refusal | undefined {
  const accept = headers.get('accept')
  return acceptsJson(accept) || acceptsStream(accept) ? undefined : { why: 'not_acceptable' }
}

export const acceptsJson = (accept: string | null): boolean =>
  accept === null || accept.trim() === '' || /(?:application\/json|application\/\*|\*\/\*)/i.test(accept)

export const acceptsStream = (accept: string | null): boolean =>
  accept !== null && /text\/event-stream/i.test(accept)

function requireSize({ headers }: Door): Refusal | undefined {
  return Number(headers.get('content-length') ?? 0) > LIMITS.bodyBytes ? { why: 'too_large' } : undefined
}
