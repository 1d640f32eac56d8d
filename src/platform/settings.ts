/**
 * Settings and secrets from the environment, read and checked once. Every fault is named with what to set;
 * none shows a value.
 */
import { err, ok, type Result } from './result.ts'
import { decodeBase64 } from './base64.ts'
import { type ConfiguredService, readConfigured, splitList } from './configured.ts'
import type { SealingKeys } from './key.ts'
import { type Oidc, readOidc } from './oidc.ts'
import { Secret } from './secret.ts'

export type Environment = Readonly<Record<string, unknown>>

export type Settings = {
  readonly databaseUrl: Secret
  readonly redisUrl: string
  readonly redisToken: Secret
  readonly apiKey: Secret
  readonly bearerToken: Secret
  /** ENCRYPTION_KEY, which seals; then those of ENCRYPTION_KEY_PREVIOUS, which still open. */
  readonly encryptionKey: SealingKeys
  /** Signs the tokens that users log in for. */
  readonly jwtSecret: Secret
  readonly auth: 'required' | 'open'
  readonly tokenManages: boolean
  readonly allowPrivateUpstreams: boolean
  /** Where names are looked up before they are called; absent: nowhere. */
  readonly dohUrl: URL | undefined
  /** Where callers reach the gateway: `PUBLIC_URL`, or `MCP_GATEWAY_URL` as document 002 calls it. */
  readonly publicUrl: URL | undefined
  readonly allowedOrigins: readonly string[]
  /** In lower case; none: any. */
  readonly allowedHosts: readonly string[]
  readonly defaultTimeoutMs: number
  /** What `default` means where it is said for how long results are given again. */
  readonly cacheTtlSeconds: number
  /** Listening streams that one modern caller may hold open in one isolate. */
  readonly maxListensPerPrincipal: number
  /** Between two looks whether the instances of a service are there. */
  readonly healthIntervalMs: number
  /** Between two readings of the catalogue of a service that is in use. */
  readonly refreshIntervalMs: number
  readonly logLevel: LogLevel
  /** The issuer whose tokens are taken, where there is one. */
  readonly oidc: Oidc | undefined
  /** Whether calls go that may find no room for their records. */
  readonly audit: 'required' | 'best-effort'
  readonly auditRetentionDays: number
  /** What is recorded of calls: that they were, or also what they were given and answered. */
  readonly usageCapture: 'metadata' | 'full'
  readonly usageRetentionDays: number
  /** Services to register at start, not checked yet. */
  readonly configured: readonly ConfiguredService[]
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** A day. */
export const MAX_CACHE_TTL_SECONDS = 86_400

const DEVELOPMENT_VALUES: ReadonlySet<string> = new Set(['mcp-api-key-123', 'mcp-token-123'])
const DEFAULT_DOH_URL = 'https://cloudflare-dns.com/dns-query'
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost'])
const DEVELOPMENT_ORIGINS = 'http://localhost:*,http://127.0.0.1:*'

/** The settings, or every fault in them as one sentence each. */
export function readSettings(env: Environment): Result<Settings, readonly string[]> {
  const faults: string[] = []
  const text = (name: string): string => {
    const value = env[name]
    return typeof value === 'string' ? value.trim() : ''
  }
  const required = (name: string): string => {
    if (text(name) === '') faults.push(`Secret ${name} is not set: run \`wrangler secret put ${name}\`.`)
    return text(name)
  }
  const isDevelopment = text('DEVELOPMENT') === 'true'
  const credential = (name: string): Secret => {
    const value = required(name)
    if (!isDevelopment && DEVELOPMENT_VALUES.has(value)) {
      faults.push(
        `Secret ${name} has its development value: run \`wrangler secret put ${name}\` with one of your own.`,
      )
    }
    return new Secret(value)
  }
  const flag = (name: string): boolean => {
    const value = text(name).toLowerCase()
    if (!['', 'true', 'false'].includes(value)) faults.push(`Setting ${name} must be true or false.`)
    return value === 'true'
  }
  const oneOf = <T extends string>(name: string, choices: readonly T[], fallback: T): T => {
    const found = choices.find((choice) => choice === text(name))
    if (!found && text(name) !== '') faults.push(`Setting ${name} must be one of: ${choices.join(', ')}.`)
    return found ?? fallback
  }
  const wholeNumber = (name: string, fallback: number, max: number): number => {
    const value = text(name) === '' ? fallback : Number(text(name))
    if (Number.isInteger(value) && value >= 1 && value <= max) return value
    faults.push(`Setting ${name} must be a whole number from 1 to ${max}.`)
    return fallback
  }
  const address = (name: string, value = text(name)): URL | undefined => {
    if (value === '') return undefined
    const url = URL.canParse(value) ? new URL(value) : undefined
    const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.has(url.hostname))
    if (url && isSafe && url.username === '' && url.password === '') return url
    faults.push(
      `Setting ${name} must be an https:// URL (http:// on a loopback host only), without a user name.`,
    )
    return undefined
  }
  const publicUrl = address(text('PUBLIC_URL') === '' ? 'MCP_GATEWAY_URL' : 'PUBLIC_URL')
  const settings: Settings = {
    databaseUrl: new Secret(required('DATABASE_URL')),
    redisUrl: required('UPSTASH_REDIS_REST_URL'),
    redisToken: new Secret(required('UPSTASH_REDIS_REST_TOKEN')),
    apiKey: credential('API_KEY'),
    bearerToken: credential('MCP_BEARER_TOKEN'),
    encryptionKey: [
      readKey('ENCRYPTION_KEY', required('ENCRYPTION_KEY'), faults),
      ...splitList(text('ENCRYPTION_KEY_PREVIOUS')).map((key) =>
        readKey('ENCRYPTION_KEY_PREVIOUS', key, faults),
      ),
    ],
    jwtSecret: readJwtSecret(required('JWT_SECRET'), faults),
    auth: oneOf('MCP_AUTH', ['required', 'open'], 'required'),
    tokenManages: flag('MCP_TOKEN_MANAGES'),
    allowPrivateUpstreams: flag('ALLOW_PRIVATE_UPSTREAMS'),
    dohUrl: address('DOH_URL', readDohUrl(env)),
    publicUrl,
    allowedOrigins: splitList(text('ALLOWED_ORIGINS') || (isDevelopment ? DEVELOPMENT_ORIGINS : '')),
    allowedHosts: splitList(text('ALLOWED_HOSTS').toLowerCase()),
    defaultTimeoutMs: wholeNumber('DEFAULT_TIMEOUT_MS', 30_000, 600_000),
    cacheTtlSeconds: wholeNumber('CACHE_TTL_SECONDS', 300, MAX_CACHE_TTL_SECONDS),
    maxListensPerPrincipal: wholeNumber('MAX_LISTENS_PER_PRINCIPAL', 16, 1_024),
    healthIntervalMs: wholeNumber('HEALTH_INTERVAL_MS', 30_000, 3_600_000),
    refreshIntervalMs: wholeNumber('REFRESH_INTERVAL_MS', 900_000, 86_400_000),
    logLevel: oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
    oidc: readOidc(text, address('OIDC_ISSUER'), publicUrl, faults),
    audit: oneOf('AUDIT', ['required', 'best-effort'], 'best-effort'),
    auditRetentionDays: wholeNumber('AUDIT_RETENTION_DAYS', 90, 3_650),
    usageCapture: oneOf('USAGE_CAPTURE', ['metadata', 'full'], 'metadata'),
    usageRetentionDays: wholeNumber('USAGE_RETENTION_DAYS', 90, 3_650),
    configured: readConfigured(Object.keys(env), text, faults),
  }
  return faults.length === 0 ? ok(settings) : err(faults)
}

/** Empty, or `off`: nowhere. */
function readDohUrl({ DOH_URL: value = DEFAULT_DOH_URL }: Environment): string {
  const text = typeof value === 'string' ? value.trim() : ''
  return text === 'off' ? '' : text
}

function readKey(name: string, value: string, faults: string[]): Uint8Array {
  const bytes = decodeBase64(value) ?? new Uint8Array()
  if (value !== '' && bytes.length !== 32) {
    faults.push(`Secret ${name} must be 32 bytes in base64: make one with \`openssl rand -base64 32\`.`)
  }
  return bytes
}

/** What one who holds a token could try out is no secret. */
function readJwtSecret(value: string, faults: string[]): Secret {
  if (value !== '' && value.length < MIN_JWT_SECRET_CHARS) {
    faults.push(
      `Secret JWT_SECRET must have at least ${MIN_JWT_SECRET_CHARS} characters: make one with \`openssl rand -base64 32\`.`,
    )
  }
  return new Secret(value)
}

const MIN_JWT_SECRET_CHARS = 16
