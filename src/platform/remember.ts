import type { Clock } from './clock.ts'

/**
 * The same work, begun at most once in `lifetimeMs`; between, its last answer, or the wait for it. Whoever gets a
 * promise keeps it alive, since others may wait for it.
 */
export function remember<T>(work: () => Promise<T>, lifetimeMs: number, clock: Clock): () => Promise<T> {
  let last: { readonly at: number; readonly value: Promise<T> } | undefined
  return () => {
    if (last && clock() - last.at < lifetimeMs) return last.value
    last = { at: clock(), value: work() }
    return last.value
  }
}

/** The same work, done once for each object, for as long as the object lives. */
export function rememberFor<Key extends object, Value>(work: (key: Key) => Value): (key: Key) => Value {
  const known = new WeakMap<Key, { readonly value: Value }>()
  return (key) => {
    const found = known.get(key) ?? { value: work(key) }
    known.set(key, found)
    return found.value
  }
}
