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

/**
 * Each as often as its weight in a round of all weights, spread evenly: the n-th call of each is due in the middle of
 * its n-th share of the round.
 */
function weighted<T extends Candidate>(candidates: readonly [T, ...T[]], turn: number): T {
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0)
  const place = turn % total
  // What is due so early has been given by now, in whichever order.
  const past = Math.max(0, place - candidates.length) / total
  const given = candidates.map(({ weight }) => Math.max(0, Math.ceil(weight * past - 0.5)))
  const dueAt = ({ weight }: T, at: number): number => ((given[at] ?? 0) + 0.5) / weight
  for (let left = place - given.reduce((sum, each) => sum + each, 0); ; left--) {
    const due = candidates.map(dueAt)
    const next = due.indexOf(Math.min(...due))
    if (left <= 0) return candidates[next] ?? candidates[0]
    given[next] = (given[next] ?? 0) + 1
  }
}
