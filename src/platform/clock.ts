/** Milliseconds since the epoch. Passed as an argument wherever time matters, so that tests own it. */
export type Clock = () => number

/** The one place that reads the machine's clock. */
export const systemClock: Clock = () => Date.now()
