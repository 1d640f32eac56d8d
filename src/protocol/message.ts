/**
 * Bytes → one JSON-RPC message. A `Message` exists only if `decodeMessage` made it, so nobody behind it
 * checks a shape again. The raw text stays with it: parts that need no change are passed on from there.
 */
import { err, ok, type Result } from '../platform/result.ts'
import { cut, measureJson, membersOf, type Span } from './json.ts'
import { LIMITS } from './limits.ts'
import type { Refusal } from './refusal.ts'

type JsonObject = Readonly<Record<string, unknown>>

export type Message = {
  readonly method: string
  /** The id as JSON text, ready to be echoed with its type; absent: a notification. */
  readonly idText: string | undefined
  readonly params: JsonObject | undefined
  /** The raw texts of the members of `params`, last of each name. */
  readonly rawParams: ReadonlyMap<string, string>
  /** `params._meta`; `undefined` where there is none or it is no object. */
  readonly meta: JsonObject | undefined
}

/** Why there is no message, and the id to echo if it could be told. */
export type Undecoded = { readonly refusal: Refusal; readonly idText?: string }

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })
const NO_PARAMS: ReadonlyMap<string, string> = new Map()

/** Decodes one message. Rows B37–B60 of reliability.md: UTF-8 and JSON, then depth, then shape. */
export function decodeMessage(bytes: Uint8Array): Result<Message, Undecoded> {
  let text: string
  let value: unknown
  try {
    text = decoder.decode(bytes)
    value = JSON.parse(text)
  } catch {
    return err({ refusal: { why: 'parse_error' } })
  }
  const { depth, nodes } = measureJson(text)
  if (depth > LIMITS.jsonDepth) return invalid('too deeply nested')
  if (nodes > LIMITS.jsonNodes) return invalid('too many values')
  if (Array.isArray(value)) return invalid('batches are not supported')
  if (!isObject(value)) return invalid()
  return readMessage(text, value)
}

function readMessage(text: string, value: JsonObject): Result<Message, Undecoded> {
  const { method, id, params } = value
  if (typeof method !== 'string' || method === '') {
    const isResponse = method === undefined && ('result' in value || 'error' in value)
    return invalid(isResponse ? 'responses are not accepted' : undefined)
  }
  const idText = readId(id)
  if (id !== undefined && idText === undefined) return invalid('id must be a string or integer')
  const echo = idText === undefined ? {} : { idText }
  if (value['jsonrpc'] !== '2.0') return err({ refusal: { why: 'invalid_request' }, ...echo })
  if (params !== undefined && !isObject(params)) {
    return err({ refusal: { why: 'invalid_params', detail: 'expected an object', status: 400 }, ...echo })
  }
  const meta = params?.['_meta']
  return ok({
    method,
    idText,
    params,
    rawParams: params === undefined ? NO_PARAMS : rawMembers(text, membersOf(text).get('params')),
    meta: isObject(meta) ? meta : undefined,
  })
}

function rawMembers(text: string, span: Span | undefined): ReadonlyMap<string, string> {
  const raw = new Map<string, string>()
  if (span) for (const [key, value] of membersOf(text, span.start)) raw.set(key, cut(text, value))
  return raw
}

/** Ids are echoed with their type, so only those are taken that survive it: B54–B58. */
function readId(id: unknown): string | undefined {
  if (typeof id === 'string' && id.length <= LIMITS.idChars) return JSON.stringify(id)
  return Number.isSafeInteger(id) ? String(id) : undefined
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const invalid = (detail?: string): Result<Message, Undecoded> =>
  err({ refusal: detail === undefined ? { why: 'invalid_request' } : { why: 'invalid_request', detail } })
