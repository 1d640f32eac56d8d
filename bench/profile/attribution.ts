/** Whose time it was: a profile of V8 by the functions of the bundle. Pure. */

/** Chrome's format, as far as it is needed. Lines and columns count from 0. */
export type Profile = {
  readonly nodes: readonly ProfileNode[]
  /** The nodes that were at work. */
  readonly samples: readonly number[]
  /** Before each sample, in µs. */
  readonly timeDeltas: readonly number[]
}

export type ProfileNode = {
  readonly id: number
  readonly callFrame: Frame
  readonly children?: readonly number[]
}

export type Frame = {
  readonly functionName: string
  /** Empty: what the engine brings. */
  readonly url: string
  readonly lineNumber: number
  readonly columnNumber: number
}

/** One function of the bundle, and what the engine did at its call: that is part of its time. */
export type Cost = {
  readonly frame: Frame
  readonly ownUs: number
  readonly natives: readonly Native[]
}

export type Native = { readonly name: string; readonly us: number }

export type Attribution = {
  /** Those that take most first. */
  readonly costs: readonly Cost[]
  /** What no function of the bundle asked for: the collector, waiting, what the runtime does by itself. */
  readonly apart: readonly Native[]
}

type Owner = { readonly frame: Frame; ownUs: number; readonly natives: Map<string, number> }

/** Time in a function that `isOfBundle` denies belongs to the nearest one of the bundle that led to it. */
export function attribute(profile: Profile, isOfBundle: (frame: Frame) => boolean): Attribution {
  const parents = parentsOf(profile.nodes)
  const owners = new Map<string, Owner>()
  const apart = new Map<string, number>()
  const timesUs = timesOf(profile)
  for (const node of profile.nodes) {
    const us = timesUs.get(node.id) ?? 0
    if (us === 0) continue
    const caller = callerOf(node, parents, isOfBundle)
    const { functionName } = node.callFrame
    if (!caller) add(apart, functionName, us)
    else {
      const owner = ownerOf(owners, caller.callFrame)
      if (caller === node) owner.ownUs += us
      else add(owner.natives, functionName, us)
    }
  }
  const costs = [...owners.values()].map(({ frame, ownUs, natives }) => {
    return { frame, ownUs, natives: nativesOf(natives) }
  })
  return { costs: costs.toSorted((one, other) => usOf(other) - usOf(one)), apart: nativesOf(apart) }
}

/** All that a function took, without the functions of the bundle that it called. */
export const usOf = ({ ownUs, natives }: Cost): number => natives.reduce((sum, { us }) => sum + us, ownUs)

function parentsOf(nodes: readonly ProfileNode[]): ReadonlyMap<number, ProfileNode> {
  return new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node] as const)))
}

function timesOf({ samples, timeDeltas }: Profile): ReadonlyMap<number, number> {
  const times = new Map<number, number>()
  for (const [at, node] of samples.entries()) add(times, node, timeDeltas[at] ?? 0)
  return times
}

/** The node itself, if it is of the bundle. */
function callerOf(
  node: ProfileNode,
  parents: ReadonlyMap<number, ProfileNode>,
  isOfBundle: (frame: Frame) => boolean,
): ProfileNode | undefined {
  let caller: ProfileNode | undefined = node
  // What collects is not asked to by whoever happens to be at work.
  if (node.callFrame.functionName === '(garbage collector)') return undefined
  while (caller && !isOfBundle(caller.callFrame)) caller = parents.get(caller.id)
  return caller
}

/** A function has a node for each way that led to it. */
function ownerOf(owners: Map<string, Owner>, frame: Frame): Owner {
  const key = `${frame.url}:${frame.lineNumber}:${frame.columnNumber}`
  const owner = owners.get(key) ?? { frame, ownUs: 0, natives: new Map() }
  owners.set(key, owner)
  return owner
}

const add = <Key>(sums: Map<Key, number>, key: Key, more: number): void =>
  void sums.set(key, (sums.get(key) ?? 0) + more)

const nativesOf = (sums: ReadonlyMap<string, number>): Native[] =>
  [...sums].map(([name, us]) => ({ name, us })).toSorted((one, other) => other.us - one.us)
