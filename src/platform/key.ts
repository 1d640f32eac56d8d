/** 32 bytes; or several such keys, the present one first: that one seals, each of them opens what it sealed. */
export type SealingKeys = Uint8Array | readonly [Uint8Array, ...Uint8Array[]]

/** What is made of each key, the present one's first. */
export function forEachKey<T>(keys: SealingKeys, derive: (secret: Uint8Array) => T): readonly [T, ...T[]] {
  const [present, ...previous] = keys instanceof Uint8Array ? [keys] : keys
  return [derive(present), ...previous.map(derive)]
}

/** What the first key that opens it makes of a text; a present text costs one try. */
export async function openWith<Key, T>(
  keys: readonly Promise<Key>[],
  open: (key: Key) => Promise<T | undefined>,
): Promise<T | undefined> {
  for (const key of keys) {
    const opened = await open(await key)
    if (opened !== undefined) return opened
  }
  return undefined
}
