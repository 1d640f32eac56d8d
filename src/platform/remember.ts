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

/** The same work, done once for each object, for as long as the object lives and `generation` stays the same. */
export function rememberFor<Key extends object, Value>(
  work: (key: Key) => Value,
  generation: () => number = () => 0,
): (key: Key) => Value {
  const known = new WeakMap<Key, { readonly value: Value; readonly generation: number }>()
  return (key) => {
    const found = known.get(key)
    if (found?.generation === generation()) return found.value
    const made = { value: work(key), generation: generation() }
    known.set(key, made)
    return made.value
  }
}
