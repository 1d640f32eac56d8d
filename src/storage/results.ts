/**
 * Results of tools in the quick store, for all isolates. Compressed and sealed, each for its own key: who can read Redis
 * learns nothing, who can write to it can plant nothing, and what is truncated, moved or foreign is a miss.
 */
import type { Sealer } from '../platform/seal.ts'
import type { Kept, SharedResults } from '../registry/caching.ts'
import { pack, unpack } from './pack.ts'
import type { QuickStore } from './quick.ts'

const PLACE = 'mcp:result:'
/** Upstash takes commands of 1 MB. */
const MAX_SEALED_CHARS = 900_000

export class StoredResults implements SharedResults {
  readonly #store: QuickStore
  readonly #sealer: Sealer

  constructor(store: QuickStore, sealer: Sealer) {
    this.#store = store
    this.#sealer = sealer
  }

  async find(key: string): Promise<Kept | undefined> {
    const place = PLACE + key
    const sealed = await this.#store.get(place)
    const packed = sealed === undefined ? undefined : await this.#sealer.open(sealed, place)
    return packed && readKept(await unpack(packed))
  }

  async keep(key: string, kept: Kept): Promise<void> {
    const place = PLACE + key
    const sealed = await this.#sealer.seal(await pack(writeKept(kept)), place)
    if (sealed.length <= MAX_SEALED_CHARS) await this.#store.set(place, sealed, kept.ttlSeconds)
  }
}

const writeKept = ({ keptAt, ttlSeconds, result }: Kept): string => `${keptAt} ${ttlSeconds} ${result}`

function readKept(text: string): Kept | undefined {
  const [head, keptAt, ttlSeconds] = /^(\d+) (\d+) /.exec(text) ?? []
  if (head === undefined) return undefined
  return { keptAt: Number(keptAt), ttlSeconds: Number(ttlSeconds), result: text.slice(head.length) }
}
