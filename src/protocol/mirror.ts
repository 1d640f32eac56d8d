/**
 * Arguments that a tool wants repeated in headers: `x-mcp-header` in its input schema, `Mcp-Param-<name>` on
 * the wire (2026-07-28, "Custom headers from tool parameters"). Only simple values reachable through
 * `properties` alone can be mirrored; a mark anywhere else spoils the tool for modern callers (S46).
 */
import { err, ok, type Result } from '../platform/result.ts'
import { decodeHeader, describeMismatch, encodeHeader } from './header.ts'
import { measureJson } from './json.ts'
import { LIMITS } from './limits.ts'
import { isObject } from './message.ts'
import type { Refusal } from './refusal.ts'

export type Mirror = {
  readonly header: string
  readonly path: readonly string[]
  readonly isInteger: boolean
}

const MARK = 'x-mcp-header'
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$/
const SIMPLE_TYPES: ReadonlySet<unknown> = new Set(['string', 'integer', 'boolean'])
const DECIMAL = /^-?\d+(\.\d+)?$/
const NONE: Result<readonly Mirror[], string> = ok([])

/** The mirrors that a tool declares, or what is wrong with its marks. `toolText` is the raw tool. */
export function readMirrors(toolText: string): Result<readonly Mirror[], string> {
  if (!toolText.includes(MARK)) return NONE
  if (measureJson(toolText).depth > LIMITS.jsonDepth)
    return err(`${MARK} in a tool that is nested too deeply`)
  const tool: unknown = JSON.parse(toolText)
  const mirrors: Mirror[] = []
  const fault = collect(isObject(tool) ? tool['inputSchema'] : undefined, [], mirrors)
  if (fault !== undefined) return err(fault)
  const names = new Set(mirrors.map(({ header }) => header.toLowerCase()))
  return names.size === mirrors.length ? ok(mirrors) : err(`${MARK} names one header twice`)
}

function collect(schema: unknown, path: readonly string[], mirrors: Mirror[]): string | undefined {
  if (!isObject(schema)) return undefined
  if (MARK in schema) {
    const name = schema[MARK]
    if (path.length === 0 || typeof name !== 'string' || !TOKEN.test(name))
      return `${MARK} of ${at(path)} is no header name`
    if (!SIMPLE_TYPES.has(schema['type']))
      return `${MARK} of ${at(path)} is not on a string, integer or boolean`
    mirrors.push({ header: `Mcp-Param-${name}`, path, isInteger: schema['type'] === 'integer' })
  }
  for (const [keyword, part] of Object.entries(schema)) {
    if (keyword === 'properties' && isObject(part)) {
      for (const [name, property] of Object.entries(part)) {
        const fault = collect(property, [...path, name], mirrors)
        if (fault !== undefined) return fault
      }
    } else if (VALUES.has(keyword)) continue
    else if (isMarked(part)) return `${MARK} under ${keyword} of ${at(path)} cannot be reached`
  }
  return undefined
}

/** Keywords that hold values, not schemas: a mark in an example is no mark. */
const VALUES: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'examples', MARK])

function isMarked(part: unknown): boolean {
  if (Array.isArray(part)) return part.some(isMarked)
  return isObject(part) && (MARK in part || Object.values(part).some(isMarked))
}

const at = (path: readonly string[]): string => (path.length === 0 ? 'the schema' : `'${path.join('.')}'`)

/** Whether the headers repeat the arguments; a value that is absent or null needs no header (B81–B84). */
export function checkMirrors(
  mirrors: readonly Mirror[],
  args: unknown,
  headers: Headers,
): Refusal | undefined {
  for (const { header, path, isInteger } of mirrors) {
    const body = textOf(valueAt(args, path))
    if (body === undefined) continue
    const value = headers.get(header)
    if (value === null) return { why: 'header_mismatch', detail: `${header} header is missing` }
    const decoded = decodeHeader(value.trim())
    if (!decoded.ok) return { why: 'header_mismatch', detail: `${header} header is ${decoded.error}` }
    const isSame = decoded.value === body || (isInteger && isSameNumber(decoded.value, body))
    if (isSame) continue
    return { why: 'header_mismatch', detail: describeMismatch(header, decoded.value, body) }
  }
  return undefined
}

/** The headers to send with these arguments. */
export function mirrorHeaders(mirrors: readonly Mirror[], args: unknown): [name: string, value: string][] {
  return mirrors.flatMap(({ header, path }): [string, string][] => {
    const text = textOf(valueAt(args, path))
    return text === undefined ? [] : [[header, encodeHeader(text)]]
  })
}

function valueAt(args: unknown, path: readonly string[]): unknown {
  let value = args
  for (const key of path) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
  return value
}

/** Numbers beyond what JavaScript can tell apart are not mirrored; nobody could compare them. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  const isExact = typeof value === 'number' && (!Number.isInteger(value) || Number.isSafeInteger(value))
  return isExact ? String(value) : undefined
}

const isSameNumber = (a: string, b: string): boolean => DECIMAL.test(a) && Number(a) === Number(b)
