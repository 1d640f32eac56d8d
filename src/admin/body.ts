/** Bodies and queries of the management API, read and checked by their schema; every fault names its field. */
import type * as z from 'zod'
import { err, ok, type Result } from '../platform/result.ts'
import { readBody as readBytes } from '../protocol/body.ts'
import { echo } from '../protocol/echo.ts'
import { cut, measureJson, membersOf } from '../protocol/json.ts'
import { LIMITS } from '../protocol/limits.ts'
import { type Expected, readExpected } from './etag.ts'
import { type FieldFault, invalidBody, invalidQuery, type Problem } from './problem.ts'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

/** An empty body is `{}`. */
export async function readBody<T>(request: Request, schema: z.ZodType<T>): Promise<Result<T, Problem>> {
  const read = await readJson(request)
  return read.ok ? check(read.value.value, schema) : read
}

/** A body, and what is expected of that which it changes. */
export async function readWrite<T>(
  request: Request,
  schema: z.ZodType<T>,
): Promise<Result<{ readonly body: T; readonly expected: Expected }, Problem>> {
  const expected = readExpected(request.headers)
  if (!expected.ok) return expected
  const body = await readBody(request, schema)
  return body.ok ? ok({ body: body.value, expected: expected.value }) : body
}

/** A body, and the raw texts of its members, which keep what no number here could hold. */
export type RawBody<T> = { readonly value: T; readonly raw: ReadonlyMap<string, string> }

export async function readRawBody<T>(
  request: Request,
  schema: z.ZodType<T>,
): Promise<Result<RawBody<T>, Problem>> {
  const read = await readJson(request)
  if (!read.ok) return read
  const { text } = read.value
  const checked = check(read.value.value, schema)
  if (!checked.ok) return checked
  const raw = new Map([...membersOf(text)].map(([key, span]) => [key, cut(text, span)]))
  return ok({ value: checked.value, raw })
}

async function readJson(request: Request): Promise<Result<{ text: string; value: unknown }, Problem>> {
  const encoding = request.headers.get('content-encoding') ?? IDENTITY
  if (encoding.toLowerCase() !== IDENTITY) return err(encoded)
  const bytes = await readBytes(request)
  if (!bytes.ok) return err(bytes.error.why === 'too_large' ? tooLarge : brokenOff)
  try {
    const text = decoder.decode(bytes.value)
    if (measureJson(text).depth > LIMITS.jsonDepth) return err(tooDeep)
    return ok({ text, value: text.trim() === '' ? {} : JSON.parse(text) })
  } catch {
    return err(invalidBody([{ field: '', message: 'is not valid JSON' }]))
  }
}

/** What stands after the `?`, one value a name. */
export function readQuery<T>(
  given: Readonly<Record<string, string>>,
  schema: z.ZodType<T>,
): Result<T, Problem> {
  const parsed = schema.safeParse(given)
  return parsed.success ? ok(parsed.data) : err(invalidQuery(faultsIn(parsed.error)))
}

function check<T>(value: unknown, schema: z.ZodType<T>): Result<T, Problem> {
  const checked = readValue(value, schema)
  return checked.ok ? checked : err(invalidBody(checked.error))
}

/** The value as its schema has it, or what is wrong with which fields. */
export function readValue<T>(value: unknown, schema: z.ZodType<T>): Result<T, readonly FieldFault[]> {
  const parsed = schema.safeParse(value)
  return parsed.success ? ok(parsed.data) : err(faultsIn(parsed.error))
}

/** So many are told at once. */
const MAX_FAULTS = 50

/** Names of fields may be of the caller's making (B97). */
const faultsIn = ({ issues }: z.core.$ZodError): readonly FieldFault[] =>
  issues
    .slice(0, MAX_FAULTS)
    .flatMap(readIssue)
    .slice(0, MAX_FAULTS)
    .map(({ field, message }) => ({ field: echo(field), message }))

function readIssue(issue: z.core.$ZodIssue): FieldFault[] {
  const field = issue.path.join('.')
  if (issue.code === 'invalid_union') {
    // What was meant is what got further than the kind of the value.
    const meant = issue.errors.find(
      (branch) => !branch.some(({ code, path }) => code === 'invalid_type' && path.length === 0),
    )
    if (meant) return meant.flatMap((each) => readIssue({ ...each, path: [...issue.path, ...each.path] }))
  }
  if (issue.code !== 'unrecognized_keys') return [{ field, message: issue.message }]
  return issue.keys.map((key) => ({
    field: field === '' ? key : `${field}.${key}`,
    message: 'is not a known field',
  }))
}

const tooDeep = invalidBody([{ field: '', message: 'is nested too deeply' }])
const brokenOff = invalidBody([{ field: '', message: 'broke off or took too long' }])

const IDENTITY = 'identity'

const encoded: Problem = {
  status: 415,
  code: 'unsupported_encoding',
  title: 'Encoded request body',
  detail: 'Send the body as it is, without Content-Encoding.',
}

const tooLarge: Problem = {
  status: 413,
  code: 'too_large',
  title: 'Request body too large',
  detail: `The body may have at most ${LIMITS.bodyBytes} bytes.`,
}
