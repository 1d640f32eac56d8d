/**
 * The token bucket of a service as GCRA: one number says everything. Tokens come back one by one over the minute, and
 * as many as `burstLimit` can wait there. Pure: the time is an argument, in epoch ms.
 */
export type RateLimit = { readonly requestsPerMinute: number; readonly burstLimit: number }

export type Bucket = {
  /** When no token will be missing any more (the "theoretical arrival time"). */
  readonly fullAt: number
}

export const FULL: Bucket = { fullAt: 0 }

/** Times are so many ms since 1970 that their last digits are lost; no token may get lost with them. */
const ROUNDING = 1e-3

const intervalMs = ({ requestsPerMinute }: RateLimit): number => 60_000 / requestsPerMinute

/** Whole tokens that could be taken now. */
export function tokensIn({ fullAt }: Bucket, limit: RateLimit, now: number): number {
  const missing = Math.max(0, fullAt - now) / intervalMs(limit)
  return Math.max(0, Math.floor(limit.burstLimit - missing + ROUNDING))
}

/** The bucket without `count` tokens, which must be there. */
export const takeFrom = ({ fullAt }: Bucket, limit: RateLimit, count: number, now: number): Bucket => ({
  fullAt: Math.max(fullAt, now) + count * intervalMs(limit),
})

/** The bucket with `count` tokens that were taken and not used. It never holds more than its burst. */
export const giveBackTo = ({ fullAt }: Bucket, limit: RateLimit, count: number): Bucket => ({
  fullAt: fullAt - count * intervalMs(limit),
})

/** How long until there is a token. */
export const nextTokenMs = ({ fullAt }: Bucket, limit: RateLimit, now: number): number =>
  Math.max(0, fullAt - now - (limit.burstLimit - 1) * intervalMs(limit))

/** A bucket that was filled under other limits owes no more than these can. */
export const fitted = ({ fullAt }: Bucket, limit: RateLimit, now: number): Bucket => ({
  fullAt: Math.min(fullAt, now + limit.burstLimit * intervalMs(limit)),
})
