/** What the management API accepts, as one schema each. Unknown fields are refused by name. */
import * as z from 'zod'
import { err, ok, type Result } from '../platform/result.ts'
import { readBody as readBytes } from '../protocol/body.ts'
import { HOPS_HEADER } from '../protocol/hops.ts'
import { cut, measureJson, membersOf } from '../protocol/json.ts'
import { LIMITS } from '../protocol/limits.ts'
import { checkSlug, SLUG_PATTERN } from '../registry/name.ts'
import { invalidBody, type Problem } from './problem.ts'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

// The edge forbids code from strings, which the library would otherwise try first.
z.config({ jitless: true })

export const slug = z.string().superRefine((value, context) => {
  const fault = checkSlug(value)
  if (fault === 'pattern') context.addIssue({ code: 'custom', message: `must match ${SLUG_PATTERN}` })
  if (fault === 'reserved') context.addIssue({ code: 'custom', message: `'${value}' is reserved` })
})

const url = z.string().min(1).max(2_048)
const headerName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'must be a header name')
const headerValue = z.string().regex(/^[\t\x20-\x7e]{0,4096}$/, 'must be printable ASCII')
const credential = headerValue.min(1)
const token = z.string().regex(/^[\x21-\x7e]{1,8192}$/, 'must be printable ASCII without spaces')
const instant = z.string().refine((text) => ISO_TIME.test(text) && !Number.isNaN(Date.parse(text)), {
  error: 'must be a time as in 2026-01-31T12:00:00Z',
})
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/

/** Headers that the gateway sets itself; one of them fixed by an operator would break every request. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'connection',
  'content-length',
  'content-type',
  'host',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'mcp-session-id',
  'transfer-encoding',
  HOPS_HEADER,
])
const foreignHeader = headerName.refine(
  (name) => !OWN_HEADERS.has(name.toLowerCase()),
  'is set by the gateway itself',
)

const auth = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  z.strictObject({ type: z.literal('bearer'), token: credential }),
  z.strictObject({
    type: z.literal('api-key'),
    apiKey: credential,
    header: foreignHeader.default('X-API-Key'),
  }),
  z.strictObject({
    type: z.literal('oauth2'),
    accessToken: token,
    refreshToken: token,
    tokenUrl: url,
    clientId: z.string().min(1).max(2_048),
    clientSecret: z.string().min(1).max(4_096).optional(),
    scope: headerValue.min(1).optional(),
    expiresAt: instant.optional(),
  }),
])

/** Every fault of a number names the whole range. */
export function whole(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`
  return z.number({ error }).refine((value) => Number.isInteger(value) && value >= min && value <= max, error)
}
const ms = (max: number) => whole(1, max)

export const instance = z.strictObject({ url, weight: whole(1, 100).default(1) })

const settings = {
  transport: z.enum(['http', 'sse']),
  instances: z.array(instance).max(50),
  loadBalancer: z.enum(['round_robin', 'least_connections', 'weighted', 'health_based', 'random']),
  auth,
  timeoutMs: ms(600_000),
  rateLimit: z.strictObject({
    requestsPerMinute: whole(1, 1_000_000),
    burstLimit: whole(1, 100_000),
  }),
  circuitBreaker: z.strictObject({
    failureThreshold: whole(1, 1_000),
    recoveryTimeout: ms(3_600_000),
    halfOpenMaxCalls: whole(1, 100),
    slowCallMs: ms(600_000).optional(),
  }),
  retry: z.strictObject({
    maxAttempts: whole(1, 10),
    backoffStrategy: z.enum(['linear', 'exponential']),
    initialDelay: ms(60_000),
    maxDelay: ms(600_000),
    jitter: z.boolean(),
  }),
  cacheTtlSeconds: whole(0, 86_400),
  trusted: z.boolean(),
  pinDefinitions: z.boolean(),
  fallbackTools: z
    .array(z.looseObject({ name: z.string().min(1).max(128), inputSchema: z.looseObject({}) }))
    .max(1_000),
  headers: z
    .record(foreignHeader, headerValue)
    .refine((headers) => Object.keys(headers).length <= 20, 'at most 20'),
}

const optional = z.strictObject(settings).partial()

export const registration = optional.extend({ name: slug, url })
export const change = optional.extend({ name: slug.optional(), url: url.optional() })

/** Which tools are approved, all by default; `digests`: as they were read. */
export const approval = z.strictObject({
  tools: z.array(z.string().min(1)).max(LIMITS.catalogueItems).optional(),
  digests: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/, 'must be a digest')).optional(),
})

export type Approved = z.infer<typeof approval>
export type Registration = z.infer<typeof registration>
export type Change = z.infer<typeof change>

/** The body of a request, read and checked; every fault names its field. An empty body is `{}`. */
export async function readBody<T>(request: Request, schema: z.ZodType<T>): Promise<Result<T, Problem>> {
  const read = await readJson(request)
  return read.ok ? check(read.value.value, schema) : read
}

/** The same as the raw texts of its members, which keep what no number here could hold. */
export async function readRawBody(
  request: Request,
  schema: z.ZodType<object>,
): Promise<Result<ReadonlyMap<string, string>, Problem>> {
  const read = await readJson(request)
  if (!read.ok) return read
  const { text, value } = read.value
  const checked = check(value, schema)
  if (!checked.ok) return checked
  return ok(new Map([...membersOf(text)].map(([key, span]) => [key, cut(text, span)])))
}

async function readJson(request: Request): Promise<Result<{ text: string; value: unknown }, Problem>> {
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

function check<T>(value: unknown, schema: z.ZodType<T>): Result<T, Problem> {
  const parsed = schema.safeParse(value)
  return parsed.success ? ok(parsed.data) : err(invalidBody(parsed.error.issues.flatMap(readIssue)))
}

/** One thing, or a list of up to `max`. */
export const oneOrMore = <T>(one: z.ZodType<T>, max: number): z.ZodType<T | T[]> =>
  z.union([one, z.array(one).min(1).max(max)])

function readIssue(issue: z.core.$ZodIssue): { field: string; message: string }[] {
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

const tooLarge: Problem = {
  status: 413,
  code: 'too_large',
  title: 'Request body too large',
  detail: `The body may have at most ${LIMITS.bodyBytes} bytes.`,
}
