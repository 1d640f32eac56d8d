/** Lists of the management API: `{ items, nextCursor? }`, a page at a time. */
import { err, ok, type Result } from '../platform/result.ts'
import { type Problem } from './problem.ts'

const DEFAULT_ITEMS = 100
const MAX_ITEMS = 1_000
const NUMBER = /^\d{1,9}$/

/** One page of ready JSON texts as JSON text. `cursor` goes on where the last page ended, `limit` is 1 to 1,000. */
export function pageOf(
  items: readonly string[],
  query: Readonly<Record<string, string>>,
): Result<string, Problem> {
  const { cursor = '0', limit = String(DEFAULT_ITEMS) } = query
  if (!NUMBER.test(cursor)) return err(invalidQuery('cursor must be one that a list gave as nextCursor'))
  const size = Number(limit)
  if (!NUMBER.test(limit) || size < 1 || size > MAX_ITEMS) {
    return err(invalidQuery(`limit must be a whole number from 1 to ${MAX_ITEMS}`))
  }
  const end = Number(cursor) + size
  const next = end < items.length ? `,"nextCursor":"${end}"` : ''
  return ok(`{"items":[${items.slice(Number(cursor), end).join(',')}]${next}}`)
}

const invalidQuery = (detail: string): Problem => ({
  status: 400,
  code: 'invalid_query',
  title: 'Invalid query',
  detail,
})
