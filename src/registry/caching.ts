/**
 * Whether results of a tool are given again: only where an operator says so. What a tool says for itself counts over
 * what its service says for all, and the service's word leaves out tools that say that they change something.
 */
import { digestIn } from './digest.ts'
import { changingTools } from './hint.ts'
import type { CacheScope } from './image.ts'
import type { Target } from './target.ts'

/** Plain data. */
export type Caching = {
  readonly ttlSeconds: number
  readonly scope: CacheScope
  /**
   * Another one once the tool is another, its service is reached otherwise, or its results are thrown away: older ones
   * are found no more.
   */
  readonly edition: string
}

/** `undefined`: they are not. Costs others one look at a number. */
export function cachingOf({ service, localName, setting }: Target): Caching | undefined {
  const { cacheTtlSeconds, cacheScope = 'shared' } = service.config
  const ttlSeconds = setting?.cacheTtlSeconds ?? cacheTtlSeconds
  if (!ttlSeconds) return undefined
  if (setting?.cacheTtlSeconds === undefined && changingTools(service).has(localName)) return undefined
  // Of fallback tools, and of what was read by an older release, it is not known what they are.
  const digest = digestIn(service.digests, localName)
  if (digest === undefined) return undefined
  const { url, instances, cacheEpoch, config } = service
  const way = [url, config.secretsSetAt ?? null, instances.map((instance) => instance.url)]
  const edition = JSON.stringify([digest, cacheEpoch, setting?.cacheEpoch ?? 0, ...way])
  return { ttlSeconds, scope: setting?.cacheScope ?? cacheScope, edition }
}

/** One result as it came, to be told in the words of whoever is given it. */
export type Kept = {
  /** The upstream's own `result`, raw. */
  readonly result: string
  /** Epoch ms. */
  readonly keptAt: number
  readonly ttlSeconds: number
}

/** Where results are kept for all isolates. `undefined`: not there, or out of reach; never thrown. */
export interface SharedResults {
  find(key: string): Promise<Kept | undefined>
  /** May fail unseen. */
  keep(key: string, kept: Kept): Promise<void>
}
