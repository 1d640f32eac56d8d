/** Which of its instances a service's next call goes to, after what is known of them. Pure. */
import type { InstanceView } from './admission.ts'
import { type Candidate, choose, type Strategy } from './balance.ts'

export type Instance = { readonly url: string; readonly weight: number }

/** At least one. */
export type Instances = readonly [Instance, ...Instance[]]

/** Which instance a call would like to go to, and which it has tried already. */
export type Wish = {
  readonly prefers?: string | undefined
  readonly avoids?: ReadonlySet<string>
  /** The same call was sent before. */
  readonly isRetry?: boolean
}

export type Known = {
  readonly views: readonly InstanceView[]
  /** Calls of this isolate that an instance works on. */
  readonly inFlightAt: (url: string) => number
  readonly turn: number
  readonly random: number
}

export function chooseInstance(strategy: Strategy, instances: Instances, wish: Wish, known: Known): string {
  const [only] = instances
  if (instances.length === 1) return only.url
  const views = new Map(known.views.map((view) => [view.url, view]))
  const isUp = ({ url }: Instance): boolean => views.get(url)?.isDown !== true
  const isUntried = ({ url }: Instance): boolean => wish.avoids?.has(url) !== true
  const preferred = instances.find((each) => each.url === wish.prefers && isUp(each) && isUntried(each))
  if (preferred) return preferred.url
  const candidateOf = ({ url, weight }: Instance): Candidate => {
    const { inFlight = 0, score = 1 } = views.get(url) ?? {}
    return { url, weight, inFlight: inFlight + known.inFlightAt(url), score }
  }
  // Rather one that is said to be down, or was tried, than none.
  const groups = [
    instances.filter((each) => isUp(each) && isUntried(each)),
    instances.filter(isUntried),
    instances.filter(isUp),
  ]
  const [first = only, ...others] = groups.find((group) => group.length > 0) ?? instances
  return choose(strategy, [candidateOf(first), ...others.map(candidateOf)], known.turn, known.random).url
}
