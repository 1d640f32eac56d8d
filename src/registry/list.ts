/**
 * Lists as ready bytes, a page at a time. A cursor names the version and the view it was cut for, so a page
 * of another version, view or caller is refused, never mixed in (F38, B102, B103).
 */
import { LIMITS } from '../protocol/limits.ts'
import type { Era } from '../protocol/version.ts'
import { type NamedOffer, renamed } from './offer.ts'

/** How long a modern client may keep a list: the bound within which a change of the registry is seen here. */
export const LIST_TTL_MS = 5_000

const encoder = new TextEncoder()

export class PagedList {
  readonly #pages: ReadonlyMap<string | undefined, Uint8Array>

  /** `view` names version, endpoint and era; it makes the cursors its own. */
  constructor(
    offers: readonly NamedOffer[],
    era: Era,
    view: string,
    pageItems: number = LIMITS.listPageItems,
  ) {
    const pages = new Map<string | undefined, Uint8Array>()
    const cursorAt = (start: number) => (start === 0 ? undefined : writeCursor(view, start))
    for (let start = 0; start === 0 || start < offers.length; start += pageItems) {
      const end = start + pageItems
      const items = offers.slice(start, end).map(({ offer, publicName }) => renamed(offer, publicName))
      const next = end < offers.length ? `,"nextCursor":"${cursorAt(end)}"` : ''
      const text = `{${eraMembers(era)}"tools":[${items.join(',')}]${next}}`
      pages.set(cursorAt(start), encoder.encode(text))
    }
    this.#pages = pages
  }

  /** The result for this cursor as JSON bytes; no cursor: the first page; `undefined`: not one of our cursors. */
  page(cursor: unknown): Uint8Array | undefined {
    return cursor === undefined || typeof cursor === 'string' ? this.#pages.get(cursor) : undefined
  }
}

const eraMembers = (era: Era): string =>
  era === 'modern' ? `"resultType":"complete","ttlMs":${LIST_TTL_MS},"cacheScope":"private",` : ''

const writeCursor = (view: string, start: number): string =>
  btoa(`${view}.${start}`).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
