/** A service as it is registered and changed. */
import * as z from 'zod'
import { CORRELATION_HEADER } from '../../protocol/context.ts'
import { HOPS_HEADER } from '../../protocol/hops.ts'
import { TRACE_KEYS } from '../../protocol/trace.ts'
import { cacheScope, cacheTtl, slug, whole } from './shape.ts'

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
  CORRELATION_HEADER,
  ...TRACE_KEYS,
])
const foreignHeader = headerName.refine(
  (name) => !OWN_HEADERS.has(name.toLowerCase()),
  'is set by the gateway itself',
)

const AUTH_TYPES = 'must be none, bearer, api-key or oauth2'

const auth = z.discriminatedUnion(
  'type',
  [
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
  ],
  { error: ({ code }) => (code === 'invalid_union' ? AUTH_TYPES : undefined) },
)

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
  cacheTtlSeconds: cacheTtl,
  cacheScope,
  trusted: z.boolean(),
  pinDefinitions: z.boolean(),
  fallbackTools: z
    .array(z.looseObject({ name: z.string().min(1).max(128), inputSchema: z.looseObject({}) }))
    .max(1_000),
  headers: z
    .record(foreignHeader, headerValue)
    .refine((headers) => Object.keys(headers).length <= 20, 'at most 20'),
}

/** Everything that a service can have beside its name and its address. */
export const config = z.strictObject(settings).partial()

/** One that is null is taken away: what holds then is the gateway's default. */
const removable = {
  loadBalancer: settings.loadBalancer.nullable(),
  timeoutMs: settings.timeoutMs.nullable(),
  rateLimit: settings.rateLimit.nullable(),
  circuitBreaker: settings.circuitBreaker.nullable(),
  retry: settings.retry.nullable(),
  cacheTtlSeconds: settings.cacheTtlSeconds.nullable(),
  trusted: settings.trusted.nullable(),
  pinDefinitions: settings.pinDefinitions.nullable(),
  fallbackTools: settings.fallbackTools.nullable(),
  headers: settings.headers.nullable(),
}

export const registration = config.extend({ name: slug, url }).meta({ id: 'Registration' })
export const change = z
  .strictObject({ ...settings, ...removable, name: slug, url })
  .partial()
  .meta({ id: 'ServerChange' })

export type Registration = z.infer<typeof registration>
export type Change = z.infer<typeof change>
