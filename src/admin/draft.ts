/** What a service would be after a write: checked fields, ready to be tried and stored. Pure. */
import { err, ok, type Result } from '../platform/result.ts'
import { Secret } from '../platform/secret.ts'
import type { Transport } from '../protocol/transport.ts'
import type { ServiceConfig, ServiceInstance, ServiceRecord } from '../registry/image.ts'
import { type AddressPolicy, checkAddress } from '../upstream/address.ts'
import type { Destination, UpstreamAuth } from '../upstream/connection.ts'
import { addressRefused } from './address.ts'
import type * as api from './api/service.ts'
import { invalidBody, type Problem } from './problem.ts'

export type Draft = Destination & {
  readonly config: ServiceConfig
  /** `undefined`: as they are. */
  readonly instances: readonly ServiceInstance[] | undefined
  /** The credential is not the stored one. */
  readonly hasNewAuth: boolean
}

/** What only the gateway itself says of a service. */
type Own = { readonly environment?: string }

export type Registration = api.Registration & Own
export type Change = api.Change & Own

/** What decides about a write besides what it says. */
export type DraftRules = {
  readonly policy: AddressPolicy
  /** What `cacheTtlSeconds: "default"` means. */
  readonly defaultTtlSeconds: number
  readonly now: number
}

const CONFIG_FIELDS = [
  'timeoutMs',
  'headers',
  'loadBalancer',
  'rateLimit',
  'circuitBreaker',
  'retry',
  'cacheTtlSeconds',
  'cacheScope',
  'trusted',
  'pinDefinitions',
  'environment',
] as const

export function draftOf(body: Registration, rules: DraftRules): Result<Draft, Problem> {
  const nothing = { auth: { type: 'none' }, config: {}, known: [] } as const
  return build({ ...nothing, url: body.url, transport: body.transport }, body, rules)
}

/** The stored service with the fields of `body` laid over it. */
export function merge(
  service: ServiceRecord,
  auth: UpstreamAuth,
  body: Change,
  rules: DraftRules,
): Result<Draft, Problem> {
  if (body.name !== undefined && body.name !== service.name) {
    return err(
      invalidBody([{ field: 'name', message: 'cannot be changed; register the service under its new name' }]),
    )
  }
  const { url = service.url, transport = body.url === undefined ? knownTransport(service) : undefined } = body
  return build({ url, transport, auth, config: service.config, known: service.instances }, body, rules)
}

/** One that was never spoken to may have been guessed. */
const knownTransport = ({ transport, catalogue }: ServiceRecord): Transport | undefined =>
  catalogue || transport === 'sse' ? transport : undefined

type Base = Pick<Draft, 'url' | 'transport' | 'auth' | 'config'> & {
  /** The instances so far. */
  readonly known: readonly ServiceInstance[]
}

function build(
  { url, transport, auth, config: stored, known }: Base,
  body: Change,
  rules: DraftRules,
): Result<Draft, Problem> {
  const { policy } = rules
  const address = checkAddress(url, policy, transport === 'sse' ? '/sse' : '/mcp')
  if (!address.ok) return err(addressRefused('url', address.error))
  const instances =
    body.instances === undefined ? ok(undefined) : checkInstances(body.instances, known, policy)
  if (!instances.ok) return instances
  const given = body.auth === undefined ? ok(auth) : readAuth(body.auth, auth, rules)
  if (!given.ok) return given
  const config = configOf(stored, body, rules)
  return ok({
    url: address.value.href,
    transport,
    headers: config.headers ?? {},
    auth: given.value,
    hasNewAuth: body.auth !== undefined,
    config,
    instances: instances.value,
  })
}

function checkInstances(
  instances: NonNullable<Change['instances']>,
  known: readonly ServiceInstance[],
  policy: AddressPolicy,
): Result<ServiceInstance[], Problem> {
  const checked: ServiceInstance[] = []
  for (const [index, { url, weight }] of instances.entries()) {
    const address = checkAddress(url, policy)
    if (!address.ok) return err(addressRefused(`instances.${index}.url`, address.error))
    const { href } = address.value
    if (checked.some((instance) => instance.url === href)) {
      return err(invalidBody([{ field: `instances.${index}.url`, message: 'is listed already' }]))
    }
    // An instance keeps its id for as long as it keeps its address.
    const id = known.find((instance) => instance.url === href)?.id ?? crypto.randomUUID()
    checked.push({ id, url: href, weight })
  }
  return ok(checked)
}

/** What is null is taken away, and so are fallback tools by an empty list. */
function configOf(
  stored: ServiceConfig,
  body: Change,
  { now, defaultTtlSeconds }: DraftRules,
): ServiceConfig {
  const { fallbackTools: tools, cacheTtlSeconds } = body
  const texts = tools && tools.length > 0 ? JSON.stringify(tools) : null
  const given: Readonly<Record<string, unknown>> = {
    ...Object.fromEntries(CONFIG_FIELDS.map((field) => [field, body[field]])),
    ...(cacheTtlSeconds === 'default' && { cacheTtlSeconds: defaultTtlSeconds }),
    fallbackTools: tools === undefined ? undefined : texts,
    secretsSetAt: body.auth || body.headers !== undefined ? setAfter(stored.secretsSetAt, now) : undefined,
  }
  const changed = Object.entries(given).filter(([, value]) => value !== undefined)
  const merged = Object.entries({ ...stored, ...Object.fromEntries(changed) })
  return Object.fromEntries(merged.filter(([, value]) => value !== null))
}

/** Later than the time before, whichever clock that was set by. */
const setAfter = (before: string | undefined, now: number): string =>
  new Date(before === undefined ? now : Math.max(now, Date.parse(before) + 1)).toISOString()

function readAuth(
  auth: NonNullable<Change['auth']>,
  before: UpstreamAuth,
  rules: DraftRules,
): Result<UpstreamAuth, Problem> {
  switch (auth.type) {
    case 'none':
      return ok(auth)
    case 'bearer':
      return ok({ type: 'bearer', token: new Secret(auth.token) })
    case 'api-key':
      return ok({ type: 'api-key', apiKey: new Secret(auth.apiKey), header: auth.header })
    case 'oauth2':
      return readGrant(auth, before, rules)
  }
}

/** What is refreshed later is asked at an address that is checked like an upstream's. */
function readGrant(
  { accessToken, refreshToken, tokenUrl, clientId, clientSecret, scope, expiresAt }: GivenGrant,
  before: UpstreamAuth,
  { policy, now }: DraftRules,
): Result<UpstreamAuth, Problem> {
  const address = checkAddress(tokenUrl, policy, '/')
  if (!address.ok) return err(addressRefused('auth.tokenUrl', address.error))
  return ok({
    type: 'oauth2',
    accessToken: new Secret(accessToken),
    refreshToken: new Secret(refreshToken),
    tokenUrl: address.value.href,
    clientId,
    clientSecret: clientSecret === undefined ? undefined : new Secret(clientSecret),
    scope,
    receivedAt: now,
    expiresAt: expiresAt === undefined ? undefined : Date.parse(expiresAt),
    // Later than the one before, whichever clock that was set by.
    setAt: before.type === 'oauth2' ? Math.max(now, before.setAt + 1) : now,
    turn: 0,
  })
}

type GivenGrant = Extract<NonNullable<Change['auth']>, { type: 'oauth2' }>
