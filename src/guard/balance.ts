/** Which instance the next call goes to: the five strategies. Pure: whose turn it is and chance are arguments. */
export type Strategy = 'round_robin' | 'least_connections' | 'weighted' | 'health_based' | 'random'

export type Candidate = {
  readonly url: string
  readonly weight: number
  /** Calls that it works on now. */
  readonly inFlight: number
  /** The share of its recent calls that went well, from 0 to 1. */
  readonly score: number
}

/** `turn` counts the choices so far; `random`: from 0 to 1. There is at least one candidate. */
export function choose<T extends Candidate>(
  strategy: Strategy,
  candidates: readonly [T, ...T[]],
  turn: number,
  random: number,
): T {
  switch (strategy) {
    case 'round_robin':
      return at(candidates, turn)
    case 'random':
      return at(candidates, Math.floor(random * candidates.length))
    case 'weighted':
      return weighted(candidates, turn)
    case 'least_connections':
      return least(candidates, turn, ({ inFlight }) => inFlight)
    case 'health_based':
      return least(candidates, turn, ({ score }) => -score)
  }
}

const at = <T>(items: readonly [T, ...T[]], index: number): T => items[index % items.length] ?? items[0]

/** Of equals the one whose turn it is. */
function least<T>(candidates: readonly [T, ...T[]], turn: number, measure: (candidate: T) => number): T {
  const lowest = Math.min(...candidates.map(measure))
  const [first = candidates[0], ...others] = candidates.filter((candidate) => measure(candidate) === lowest)
  return at([first, ...others], turn)
}

/** Each as often as its weight in a round of all weights, spread over the round instead of in a row. */
function weighted<T extends Candidate>(candidates: readonly [T, ...T[]], turn: number): T {
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0)
  let place = ((turn % total) * strideFor(total)) % total
  return candidates.find(({ weight }) => (place -= weight) < 0) ?? candidates[0]
}

/** Near the golden section and without a common divisor, so that a round visits every place once and none in a row. */
function strideFor(total: number): number {
  let stride = Math.max(1, Math.round(total * 0.618))
  while (divisor(stride, total) !== 1) stride++
  return stride
}

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b))
