/**
 * The body of `POST /sql`, decoded: one statement, or `{queries}`. Parameters become Postgres text
 * exactly as Neon makes them. Knows the wire's shape; knows no engine.
 */
import type { Statement } from './engine.ts'

/** A statement, and whether its rows come as arrays; undefined leaves it to the header. */
export interface Query {
  readonly statement: Statement
  readonly arrayMode: boolean | undefined
}

export type Payload =
  | { readonly is: 'single'; readonly query: Query }
  | { readonly is: 'batch'; readonly queries: readonly Query[] }
  | { readonly is: 'malformed'; readonly message: string }

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** An element of an array parameter; strings are quoted, so that `NULL` and `{` stay text. */
const encodeElement = (value: unknown): string => {
  if (value === null) return 'NULL'
  if (Array.isArray(value)) return `{${value.map(encodeElement).join(',')}}`
  return JSON.stringify(isRecord(value) ? JSON.stringify(value) : value)
}

const encodeParameter = (value: unknown): string | null => {
  if (value === null) return null
  if (typeof value === 'string') return value
  return Array.isArray(value) ? encodeElement(value) : JSON.stringify(value)
}

const readQuery = (value: unknown): Query | undefined => {
  if (!isRecord(value)) return undefined
  const { query, params = [], arrayMode } = value
  if (typeof query !== 'string' || !Array.isArray(params)) return undefined
  return {
    statement: { query, params: params.map(encodeParameter) },
    arrayMode: typeof arrayMode === 'boolean' ? arrayMode : undefined,
  }
}

const malformed = (reason: string): Payload => ({
  is: 'malformed',
  message: `could not parse the HTTP request body: ${reason}`,
})

/** Decodes a body; whatever is not UTF-8, not JSON or not of either shape is `malformed`. */
export const decodePayload = (body: Uint8Array): Payload => {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(body))
  } catch (error) {
    return malformed(error instanceof Error ? error.message : 'not JSON')
  }
  if (isRecord(value) && Array.isArray(value['queries'])) {
    const queries = value['queries'].map(readQuery)
    const whole = queries.filter((query) => query !== undefined)
    return whole.length === queries.length
      ? { is: 'batch', queries: whole }
      : malformed('each of "queries" needs a string "query" and a list "params"')
  }
  const query = readQuery(value)
  return query ? { is: 'single', query } : malformed('expected {"query", "params"} or {"queries": [...]}')
}
