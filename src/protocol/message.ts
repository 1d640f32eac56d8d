/**
 * Bytes → what a client sent: a request or notification, an answer to one of our requests, or a batch of them.
 * A `Message` exists only if it was made here, so nobody behind it checks a shape again. The raw text stays with
 * it: parts that need no change are passed on from there.
 */
import { err, ok, type Result } from '../platform/result.ts'
import { cut, elementsOf, type Ends, measureJson, membersOf, type Span } from './json.ts'
import { LIMITS } from './limits.ts'
import type { Refusal } from './refusal.ts'

export type JsonObject = Readonly<Record<string, unknown>>

export type RawMembers = readonly (readonly [key: string, raw: string])[]

export type Message = {
  readonly method: string
  /** The id as JSON text, ready to be echoed with its type; absent: a notification. */
  readonly idText: string | undefined
  readonly params: JsonObject | undefined
  /** The raw texts of the members of `params`, last of each name. */
  readonly rawParams: ReadonlyMap<string, string>
  /** `params._meta`; `undefined` where there is none or it is no object. */
  readonly meta: JsonObject | undefined
  /** Members that no version knows, raw. */
  readonly rest?: RawMembers
}

/** What a client answers to a request that it was sent. */
export type Reply = {
  /** The id of the request, as it was sent; ours are strings. */
  readonly id: string
  /** `result` or `error`, and its raw text. */
  readonly member: 'result' | 'error'
  readonly outcome: string
  /** Members that no version knows, raw. */
  readonly rest?: RawMembers
}

export type Decoded =
  | { readonly is: 'message'; readonly message: Message }
  | { readonly is: 'reply'; readonly reply: Reply }
  /** The raw texts of a batch, at least one. */
  | { readonly is: 'batch'; readonly texts: readonly string[] }

/** Why there is no message, and the id to echo if it could be told. */
export type Undecoded = { readonly refusal: Refusal; readonly idText?: string }

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })
const NO_PARAMS: ReadonlyMap<string, string> = new Map()

/** Decodes one body. Rows B37–B60 of reliability.md: UTF-8 and JSON, then depth, then shape. */
export function decodeBody(bytes: Uint8Array): Result<Decoded, Undecoded> {
  let text: string
  let value: unknown
  try {
    text = decoder.decode(bytes)
    value = JSON.parse(text)
  } catch {
    return err({ refusal: { why: 'parse_error' } })
  }
  const { depth, nodes, ends } = measureJson(text)
  if (depth > LIMITS.jsonDepth) return invalid('too deeply nested')
  if (nodes > LIMITS.jsonNodes) return invalid('too many values')
  if (!Array.isArray(value)) return readOne(text, value, ends)
  if (value.length === 0) return invalid('batches are not supported')
  return ok({ is: 'batch', texts: elementsOf(text).map((element) => cut(text, element)) })
}

/** One element of a batch, whose size and depth were checked with the whole. */
export function decodeElement(text: string): Result<Decoded, Undecoded> {
  const value: unknown = JSON.parse(text)
  return Array.isArray(value) ? invalid() : readOne(text, value)
}

function readOne(text: string, value: unknown, ends?: Ends): Result<Decoded, Undecoded> {
  if (!isObject(value)) return invalid()
  const { method, id, params } = value
  if (typeof method !== 'string' || method === '') {
    const isReply = method === undefined && ('result' in value || 'error' in value)
    return isReply ? readReply(text, value) : invalid()
  }
  const idText = readId(id)
  if (id !== undefined && idText === undefined) return invalid('id must be a string or integer')
  const echo = idText === undefined ? {} : { idText }
  if (value['jsonrpc'] !== '2.0') return err({ refusal: { why: 'invalid_request' }, ...echo })
  if (params !== undefined && !isObject(params)) {
    return err({ refusal: { why: 'invalid_params', detail: 'expected an object', status: 400 }, ...echo })
  }
  const meta = params?.['_meta']
  const members = membersOf(text, 0, ends)
  const message = {
    method,
    idText,
    params,
    rawParams: params === undefined ? NO_PARAMS : rawMembers(text, members.get('params'), ends),
    meta: isObject(meta) ? meta : undefined,
    ...unknownMembers(text, members),
  }
  return ok({ is: 'message', message })
}

const KNOWN: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error'])

/** What travels with a message that is written anew. */
export function unknownMembers(
  text: string,
  members: ReadonlyMap<string, Span>,
): { readonly rest?: RawMembers } {
  let rest: [string, string][] | undefined
  for (const [key, span] of members) if (!KNOWN.has(key)) (rest ??= []).push([key, cut(text, span)])
  return rest ? { rest } : {}
}

/** Only our own ids are ever answered, and ours are strings (B60). */
function readReply(text: string, { id, jsonrpc, error }: JsonObject): Result<Decoded, Undecoded> {
  const member = isObject(error) ? 'error' : 'result'
  const members = membersOf(text)
  const span = members.get(member)
  if (jsonrpc !== '2.0' || typeof id !== 'string' || !span) return err({ refusal: UNASKED })
  return ok({
    is: 'reply',
    reply: { id, member, outcome: cut(text, span), ...unknownMembers(text, members) },
  })
}

/** An answer to nothing that was asked. */
export const UNASKED: Refusal = { why: 'invalid_request', detail: 'responses are not accepted' }

function rawMembers(text: string, span: Span | undefined, ends?: Ends): ReadonlyMap<string, string> {
  const raw = new Map<string, string>()
  if (span) for (const [key, value] of membersOf(text, span.start, ends)) raw.set(key, cut(text, value))
  return raw
}

/** Ids are echoed with their type, so only those are taken that survive it: B54–B58. */
function readId(id: unknown): string | undefined {
  if (typeof id === 'string' && id.length <= LIMITS.idChars) return JSON.stringify(id)
  return Number.isSafeInteger(id) ? String(id) : undefined
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const invalid = (detail?: string): Result<never, Undecoded> =>
  err({ refusal: detail === undefined ? { why: 'invalid_request' } : { why: 'invalid_request', detail } })
