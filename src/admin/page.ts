/** Lists of the management API: `{ items, nextCursor? }`, a page at a time. */
import type { Page } from './api/shape.ts'

/** One page of ready JSON texts as JSON text. */
export function pageOf(items: readonly string[], { cursor, limit }: Page): string {
  const end = cursor + limit
  const next = end < items.length ? `,"nextCursor":"${end}"` : ''
  return `{"items":[${items.slice(cursor, end).join(',')}]${next}}`
}
