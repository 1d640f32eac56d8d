/** How long to wait before asking again; doubles with each refusal, up to `longestMs`. */
export type Backoff = { readonly firstMs: number; readonly longestMs: number }

/**
 * Milliseconds of rest after so many refusals in a row, from 1. Full jitter: anything from nothing to all of it, so
 * that many who were refused together do not come back together. `random`: from 0 to 1.
 */
export const restMs = ({ firstMs, longestMs }: Backoff, refusals: number, random: number): number =>
  random * Math.min(longestMs, firstMs * 2 ** (refusals - 1))
