/** Where a page of usage ends, as the text that leads to the next one: in which window, and after which group. */
import * as z from 'zod'

export type UsagePage = {
  /** Epoch ms. */
  readonly from: number
  readonly to: number
  readonly calls: number
  readonly key: string
}

const CURSOR = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})\.([\w%.~!*'()-]{0,8192})$/

const YEAR_10000_MS = 253_402_300_800_000

/** Postgres and ISO 8601 write such a time alike. */
export const isWritable = (ms: number): boolean => ms >= 0 && ms < YEAR_10000_MS

export const writePlace = ({ from, to, calls, key }: UsagePage): string =>
  `${from}.${to}.${calls}.${encodeURIComponent(key)}`

/** `undefined`: nobody wrote it. */
function readPlace(text: string): UsagePage | undefined {
  const [, from, to, calls, written = ''] = CURSOR.exec(text) ?? []
  const window = { from: Number(from), to: Number(to) }
  const key = decode(written)
  // No text of Postgres holds a NUL.
  if (key === undefined || key.includes('\0')) return undefined
  const isRead = isWritable(window.from) && isWritable(window.to)
  return isRead ? { ...window, calls: Number(calls), key } : undefined
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

export const usagePlace = z.string().transform((text, context): UsagePage => {
  const place = readPlace(text)
  if (place) return place
  context.addIssue({ code: 'custom', message: 'must be one that a list gave as nextCursor' })
  return z.NEVER
})
