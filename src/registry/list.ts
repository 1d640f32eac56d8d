/**
 * Lists as ready bytes, a page at a time. A cursor names the kind, the version and the view it was cut for, so a
 * page of another kind, version, view or caller is refused, never mixed in (F38, B102, B103).
 */
import { LIMITS } from '../protocol/limits.ts'
import { VIEW_TTL_MS } from '../protocol/result.ts'
import type { Era } from '../protocol/version.ts'
import { type OfferKind, WORDS } from './kind.ts'

const encoder = new TextEncoder()

export class PagedList {
  readonly #pages: ReadonlyMap<string | undefined, Uint8Array>

  /** `items` are raw; `view` names version, endpoint and era, and makes the cursors this list's own. */
  constructor(
    kind: OfferKind,
    items: readonly string[],
    era: Era,
    view: string,
    pageItems: number = LIMITS.listPageItems,
  ) {
    const pages = new Map<string | undefined, Uint8Array>()
    const cursorAt = (start: number) => (start === 0 ? undefined : writeCursor(`${kind}.${view}`, start))
    for (let start = 0; start === 0 || start < items.length; start += pageItems) {
      const end = start + pageItems
      const next = end < items.length ? `,"nextCursor":"${cursorAt(end)}"` : ''
      const list = `"${WORDS[kind].list}":[${items.slice(start, end).join(',')}]`
      pages.set(cursorAt(start), encoder.encode(`{${eraMembers(era)}${list}${next}}`))
    }
    this.#pages = pages
  }

  /** The result for this cursor as JSON bytes; no cursor: the first page; `undefined`: not one of our cursors. */
  page(cursor: unknown): Uint8Array | undefined {
    return cursor === undefined || typeof cursor === 'string' ? this.#pages.get(cursor) : undefined
  }
}

const eraMembers = (era: Era): string =>
  era === 'modern' ? `"resultType":"complete","ttlMs":${VIEW_TTL_MS},"cacheScope":"private",` : ''

const writeCursor = (view: string, start: number): string =>
  btoa(`${view}.${start}`).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
