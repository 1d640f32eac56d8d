/** What a caller wants of the result cache: `Cache-Control` as of HTTP (RFC 9111, section 5.2.1), or a word in `_meta`. */
import { readText } from '../protocol/edit.ts'
import { CACHE_META } from './result-key.ts'

export type CacheWish = {
  /** A result may be so old; 0: none is good enough. */
  readonly maxAgeMs: number
  /** What comes of the call may be given again. */
  readonly mayKeep: boolean
}

export function wishOf(header: string | null, meta: string | undefined): CacheWish {
  const hint = meta?.startsWith('{') ? readText(meta, [CACHE_META]) : undefined
  if (header === null && hint === undefined) return ANY
  const words = `${header ?? ''},${hint ?? ''}`.toLowerCase().split(',')
  const said = new Set(words.map((word) => word.trim()))
  const mayKeep = !said.has('no-store')
  if (!mayKeep || said.has('no-cache')) return { maxAgeMs: 0, mayKeep }
  const ages = [...said].flatMap((word) => /^max-age=(\d{1,9})$/.exec(word)?.[1] ?? [])
  return { maxAgeMs: Math.min(Number.POSITIVE_INFINITY, ...ages.map((age) => Number(age) * 1_000)), mayKeep }
}

const ANY: CacheWish = { maxAgeMs: Number.POSITIVE_INFINITY, mayKeep: true }
