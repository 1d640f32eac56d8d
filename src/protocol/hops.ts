/**
 * How often a request has gone through gateways like this one, in a header that each of them counts up. An upstream may
 * be such a gateway, and may lead back here; no address shows that (S10).
 */
import { LIMITS } from './limits.ts'
import type { Refusal } from './refusal.ts'

export const HOPS_HEADER = 'x-switchyard-hops'

/** The gateways before this one. What is no count is more than any may be. */
export function hopsOf(headers: Headers): number {
  const text = headers.get(HOPS_HEADER)
  if (text === null) return 0
  return /^\d{1,3}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY
}

export function requireFewHops({ headers }: { readonly headers: Headers }): Refusal | undefined {
  return hopsOf(headers) > LIMITS.hops ? { why: 'loop' } : undefined
}
