/**
 * Services that the environment names: `MCP_SERVICES`, and `MCP_SERVICE_<NAME>_*` for what else is to be said of each.
 * Knows which variable says what; whether it may be said is decided where services are registered.
 */
export type ConfiguredService = {
  /** As a registration has it, unchecked. */
  readonly registration: Readonly<Record<string, unknown>>
  /** The variable that says this of the service: `rateLimit.burstLimit`, say. */
  readonly variableOf: (field: string) => string
}

type Text = (name: string) => string
type Fields = { [field: string]: unknown; auth?: Fields }
type Kind = 'text' | 'number' | 'flag' | 'json'

/** What follows `MCP_SERVICE_<NAME>_`, the field that it is, and how its text is read. */
const VARIABLES: readonly (readonly [suffix: string, field: string, kind: Kind])[] = [
  ['TRANSPORT', 'transport', 'text'],
  ['INSTANCES', 'instances', 'json'],
  ['LOAD_BALANCER', 'loadBalancer', 'text'],
  ['TIMEOUT_MS', 'timeoutMs', 'number'],
  ['TIMEOUT', 'timeoutMs', 'number'],
  ['RATE_LIMIT_REQUESTS_PER_MINUTE', 'rateLimit.requestsPerMinute', 'number'],
  ['RATE_LIMIT_BURST_LIMIT', 'rateLimit.burstLimit', 'number'],
  ['CIRCUIT_BREAKER_FAILURE_THRESHOLD', 'circuitBreaker.failureThreshold', 'number'],
  ['CIRCUIT_BREAKER_RECOVERY_TIMEOUT', 'circuitBreaker.recoveryTimeout', 'number'],
  ['CIRCUIT_BREAKER_HALF_OPEN_MAX_CALLS', 'circuitBreaker.halfOpenMaxCalls', 'number'],
  ['CIRCUIT_BREAKER_SLOW_CALL_MS', 'circuitBreaker.slowCallMs', 'number'],
  ['RETRY_MAX_ATTEMPTS', 'retry.maxAttempts', 'number'],
  ['RETRY_BACKOFF_STRATEGY', 'retry.backoffStrategy', 'text'],
  ['RETRY_INITIAL_DELAY', 'retry.initialDelay', 'number'],
  ['RETRY_MAX_DELAY', 'retry.maxDelay', 'number'],
  ['RETRY_JITTER', 'retry.jitter', 'flag'],
  ['CACHE_TTL_SECONDS', 'cacheTtlSeconds', 'number'],
  ['CACHE_SCOPE', 'cacheScope', 'text'],
  ['TRUSTED', 'trusted', 'flag'],
  ['PIN_DEFINITIONS', 'pinDefinitions', 'flag'],
  ['FALLBACK_TOOLS', 'fallbackTools', 'json'],
  ['HEADERS', 'headers', 'json'],
  ['AUTH_TYPE', 'auth.type', 'text'],
  ['TOKEN', 'auth.token', 'text'],
  ['API_KEY', 'auth.apiKey', 'text'],
  ['API_KEY_HEADER', 'auth.header', 'text'],
  ['ACCESS_TOKEN', 'auth.accessToken', 'text'],
  ['REFRESH_TOKEN', 'auth.refreshToken', 'text'],
  ['TOKEN_URL', 'auth.tokenUrl', 'text'],
  ['CLIENT_ID', 'auth.clientId', 'text'],
  ['CLIENT_SECRET', 'auth.clientSecret', 'text'],
  ['SCOPE', 'auth.scope', 'text'],
  ['URL', 'url', 'text'],
]

const prefixOf = (name: string): string => `MCP_SERVICE_${name.toUpperCase().replaceAll('-', '_')}_`

/** `MCP_SERVICES` is a list of `name=url`, or of names whose url stands in `MCP_SERVICE_<NAME>_URL`. */
export function readConfigured(
  variables: readonly string[],
  text: Text,
  faults: string[],
): readonly ConfiguredService[] {
  const entries = splitList(text('MCP_SERVICES')).map((entry) => {
    const [name = '', ...rest] = entry.split('=')
    return { name: name.trim(), url: rest.join('=').trim() }
  })
  const names = entries.map(({ name }) => name)
  faults.push(...twice(names), ...unknown(names, variables))
  return entries.flatMap(({ name, url }) => readService(name, url, text, faults))
}

function readService(name: string, url: string, text: Text, faults: string[]): readonly ConfiguredService[] {
  const prefix = prefixOf(name)
  if (url === '' && text(`${prefix}URL`) === '') {
    faults.push(
      `Setting MCP_SERVICES names '${name}' without an address: set ${prefix}URL or write ${name}=<url>.`,
    )
    return []
  }
  const registration: Fields = { name }
  for (const [suffix, field, kind] of VARIABLES) {
    const given = text(prefix + suffix)
    if (given !== '') put(registration, field, readAs(kind, given))
  }
  if (url !== '') registration['url'] = url
  const variableOf = (field: string): string => {
    if (field === 'name' || (field === 'url' && url !== '')) return 'MCP_SERVICES'
    return prefix + suffixOf(field, (suffix) => text(prefix + suffix) !== '')
  }
  return [{ registration: withBareToken(registration), variableOf }]
}

/** Without a token endpoint nothing can be refreshed: the access token is sent for as long as it is good. */
function withBareToken({ auth, ...rest }: Fields): Fields {
  if (typeof auth !== 'object' || !auth) return rest
  const { type, accessToken, tokenUrl, clientId } = auth
  const isBare =
    type === 'oauth2' && accessToken !== undefined && tokenUrl === undefined && clientId === undefined
  return { ...rest, auth: isBare ? { type: 'bearer', token: accessToken } : auth }
}

/** Of a field inside a JSON text, the variable of the whole; of two spellings, the one that is set. */
function suffixOf(field: string, isSet: (suffix: string) => boolean): string {
  const fitting = VARIABLES.filter(
    ([, known]) => known === field || field.startsWith(`${known}.`) || known.startsWith(`${field}.`),
  )
  const [suffix = ''] = fitting.find(([each]) => isSet(each)) ?? fitting[0] ?? []
  return suffix
}

function put(fields: Fields, field: string, value: unknown): void {
  const [outer = '', inner] = field.split('.')
  if (inner === undefined) fields[outer] = value
  else fields[outer] = { ...Object(fields[outer]), [inner]: value }
}

function twice(names: readonly string[]): readonly string[] {
  const repeated = names.filter((name, at) => names.indexOf(name) !== at)
  return [...new Set(repeated)].map((name) => `Setting MCP_SERVICES names '${name}' twice.`)
}

/** A variable may begin like those of several services; it is known where one of them knows it. */
function unknown(names: readonly string[], variables: readonly string[]): readonly string[] {
  const prefixes = names.map(prefixOf)
  const known = new Set(prefixes.flatMap((prefix) => VARIABLES.map(([suffix]) => prefix + suffix)))
  return variables
    .filter((variable) => prefixes.some((prefix) => variable.startsWith(prefix)) && !known.has(variable))
    .map((variable) => `Setting ${variable} is not known; docs/operations.md lists those that there are.`)
}

/** What cannot be read stays a text, which is then refused with what there should be. */
function readAs(kind: Kind, text: string): unknown {
  if (kind === 'number') return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
  if (kind === 'flag') return text === 'true' || text === 'false' ? text === 'true' : text
  return kind === 'json' ? readJson(text) : text
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export const splitList = (text: string): string[] =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
