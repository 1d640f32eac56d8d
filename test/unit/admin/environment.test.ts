/** Services of the environment: what variables say of them, and what is said of variables that say it wrong. */
import { describe, expect, it } from 'vitest'
import type { Registration } from '../../../src/admin/api/service.ts'
import { checkConfigured } from '../../../src/admin/configured.ts'
import { Environment } from '../../../src/admin/environment.ts'
import { readConfigured } from '../../../src/platform/configured.ts'
import { err, ok } from '../../../src/platform/result.ts'
import { Sealer } from '../../../src/platform/seal.ts'
import { Snapshot } from '../../../src/registry/snapshot.ts'
import { duplicateName } from '../../../src/admin/problem.ts'
import { imageOf, serviceOf } from '../../support/image.ts'

type Env = Readonly<Record<string, string>>

function read(env: Env): { readonly services: readonly Registration[]; readonly faults: readonly string[] } {
  const faults: string[] = []
  const configured = readConfigured(Object.keys(env), (name) => env[name] ?? '', faults)
  const checked = checkConfigured(configured)
  return checked.ok
    ? { services: checked.value, faults }
    : { services: [], faults: [...faults, ...checked.error] }
}

/** Variables of one service, without their prefix. */
const odd = (own: Env): Env => ({
  MCP_SERVICES: 'odd-one=https://odd.example',
  ...Object.fromEntries(Object.entries(own).map(([name, value]) => [`MCP_SERVICE_ODD_ONE_${name}`, value])),
})

describe('a service of the environment', () => {
  it('has everything that a registration can have, as document 002 names it', () => {
    const { services, faults } = read(
      odd({
        TRANSPORT: 'http',
        INSTANCES: '[{"url":"https://b.example","weight":3}]',
        LOAD_BALANCER: 'weighted',
        TIMEOUT: '30000',
        RATE_LIMIT_REQUESTS_PER_MINUTE: '100',
        RATE_LIMIT_BURST_LIMIT: '20',
        CIRCUIT_BREAKER_FAILURE_THRESHOLD: '5',
        CIRCUIT_BREAKER_RECOVERY_TIMEOUT: '30000',
        CIRCUIT_BREAKER_HALF_OPEN_MAX_CALLS: '3',
        RETRY_MAX_ATTEMPTS: '3',
        RETRY_BACKOFF_STRATEGY: 'exponential',
        RETRY_INITIAL_DELAY: '1000',
        RETRY_MAX_DELAY: '10000',
        RETRY_JITTER: 'true',
        CACHE_TTL_SECONDS: '60',
        TRUSTED: 'false',
        PIN_DEFINITIONS: 'true',
        HEADERS: '{"X-Team":"a"}',
        FALLBACK_TOOLS: '[{"name":"a","inputSchema":{}}]',
        AUTH_TYPE: 'api-key',
        API_KEY: 'k',
        API_KEY_HEADER: 'X-Key',
      }),
    )
    expect(faults).toEqual([])
    expect(services).toEqual([
      {
        name: 'odd-one',
        url: 'https://odd.example',
        transport: 'http',
        instances: [{ url: 'https://b.example', weight: 3 }],
        loadBalancer: 'weighted',
        timeoutMs: 30_000,
        rateLimit: { requestsPerMinute: 100, burstLimit: 20 },
        circuitBreaker: { failureThreshold: 5, recoveryTimeout: 30_000, halfOpenMaxCalls: 3 },
        retry: {
          maxAttempts: 3,
          backoffStrategy: 'exponential',
          initialDelay: 1_000,
          maxDelay: 10_000,
          jitter: true,
        },
        cacheTtlSeconds: 60,
        trusted: false,
        pinDefinitions: true,
        headers: { 'X-Team': 'a' },
        fallbackTools: [{ name: 'a', inputSchema: {} }],
        auth: { type: 'api-key', apiKey: 'k', header: 'X-Key' },
      },
    ])
  })

  it.each<[string, Env, object]>([
    ['bearer', { AUTH_TYPE: 'bearer', TOKEN: 't' }, { type: 'bearer', token: 't' }],
    ['none', { AUTH_TYPE: 'none' }, { type: 'none' }],
    [
      'oauth2 without a token endpoint',
      { AUTH_TYPE: 'oauth2', ACCESS_TOKEN: 'a', REFRESH_TOKEN: 'r' },
      { type: 'bearer', token: 'a' },
    ],
    [
      'oauth2',
      {
        AUTH_TYPE: 'oauth2',
        ACCESS_TOKEN: 'a',
        REFRESH_TOKEN: 'r',
        TOKEN_URL: 'https://as.example',
        CLIENT_ID: 'c',
        CLIENT_SECRET: 's',
        SCOPE: 'x',
      },
      {
        type: 'oauth2',
        accessToken: 'a',
        refreshToken: 'r',
        tokenUrl: 'https://as.example',
        clientId: 'c',
        clientSecret: 's',
        scope: 'x',
      },
    ],
  ])('signs in by %s', (_, own, auth) => expect(read(odd(own)).services).toMatchObject([{ auth }]))

  it.each<[string, Env, string]>([
    ['TIMEOUT', { TIMEOUT: 'long' }, 'must be a whole number from 1 to 600000'],
    ['TIMEOUT_MS', { TIMEOUT_MS: '0' }, 'must be a whole number from 1 to 600000'],
    ['RATE_LIMIT_BURST_LIMIT', { RATE_LIMIT_REQUESTS_PER_MINUTE: '5' }, 'is needed'],
    ['RETRY_JITTER', { ...RETRY(), RETRY_JITTER: 'perhaps' }, ''],
    ['LOAD_BALANCER', { LOAD_BALANCER: 'luck' }, ''],
    ['INSTANCES', { INSTANCES: 'https://b.example' }, ''],
    ['HEADERS', { HEADERS: '{"Host":"a"}' }, ''],
    ['AUTH_TYPE', { AUTH_TYPE: 'basic' }, 'must be none, bearer, api-key or oauth2'],
    ['AUTH_TYPE', { TOKEN: 's3cret' }, 'is needed'],
    ['TOKEN', { AUTH_TYPE: 'bearer' }, 'is needed'],
    ['API_KEY', { AUTH_TYPE: 'bearer', TOKEN: 's3cret', API_KEY: 's3cret' }, 'is not a known field'],
    [
      'CLIENT_ID',
      { AUTH_TYPE: 'oauth2', ACCESS_TOKEN: 'a', REFRESH_TOKEN: 'r', TOKEN_URL: 's3cret' },
      'is needed',
    ],
    ['TIMEOT', { TIMEOT: '5' }, 'is not known'],
  ])('a bad %s is named, and no value shown', (suffix, own, message) => {
    const { services, faults } = read(odd(own))
    expect(faults).toHaveLength(1)
    expect(faults[0]).toContain(`Setting MCP_SERVICE_ODD_ONE_${suffix} ${message}`)
    expect(faults[0]).not.toMatch(/long|perhaps|luck|s3cret/)
    expect(services.length === 0 || suffix === 'TIMEOT').toBe(true)
  })

  it.each<[string, Env, string]>([
    ['has no address', { MCP_SERVICES: 'a' }, "names 'a' without an address: set MCP_SERVICE_A_URL"],
    ['is named twice', { MCP_SERVICES: 'a=https://a.example,a=https://b.example' }, "names 'a' twice"],
    ['has a bad name', { MCP_SERVICES: 'A B=https://a.example' }, 'must match'],
    ['has a reserved name', { MCP_SERVICES: 'health=https://a.example' }, 'is reserved'],
  ])('that %s is a fault of MCP_SERVICES', (_, env, message) => {
    expect(read(env).faults).toEqual([expect.stringMatching(/^Setting MCP_SERVICES /)])
    expect(read(env).faults[0]).toContain(message)
  })

  it('has variables of its own, however others are called', () => {
    const { services, faults } = read({
      MCP_SERVICES: 'a,a-api,other=https://o.example',
      MCP_SERVICE_A_URL: 'https://a.example',
      MCP_SERVICE_A_API_KEY: 'k',
      MCP_SERVICE_A_AUTH_TYPE: 'api-key',
      MCP_SERVICE_A_API_URL: 'https://api.example',
      MCP_SERVICE_UNUSED_ODD: 'left from a service that is not listed now',
    })
    expect(faults).toEqual([])
    expect(services.map(({ name, url }) => [name, url])).toEqual([
      ['a', 'https://a.example'],
      ['a-api', 'https://api.example'],
      ['other', 'https://o.example'],
    ])
  })
})

function RETRY(): Env {
  return {
    RETRY_MAX_ATTEMPTS: '3',
    RETRY_BACKOFF_STRATEGY: 'linear',
    RETRY_INITIAL_DELAY: '1',
    RETRY_MAX_DELAY: '1',
  }
}

describe('what the environment says', () => {
  const KEYS = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] as const
  const service: Registration = {
    name: 'shop',
    url: 'https://shop.example',
    auth: { type: 'bearer', token: 't' },
  }
  const none = (): undefined => undefined

  /** A registry that holds the service as it was written last, or as another wrote it. */
  function start(sealer = new Sealer(KEYS[0], 'credential'), environment?: string, isUnseen = false) {
    let stored = environment
    let isThere = environment !== undefined || isUnseen
    const writes: object[] = []
    const record = () =>
      serviceOf('shop', [], { config: stored === undefined ? {} : { environment: stored } })
    const world = new Environment({
      organisationId: 'default',
      registry: {
        get held() {
          return { snapshot: new Snapshot(imageOf(1, isThere && !isUnseen ? [record()] : [])), ageMs: 0 }
        },
      },
      registrar: {
        register: async (body) => {
          if (isThere) return err(duplicateName('shop'))
          isThere = true
          stored = body.environment
          writes.push(body)
          return ok(record())
        },
        change: async (_, body) => {
          if (typeof body === 'function') throw new Error('decided on what there is')
          stored = body.environment
          writes.push(body)
          return ok(record())
        },
      },
      ledger: { findCommitted: async () => ok(record()) },
      sealer,
    })
    return { world, writes, mark: () => stored }
  }

  it('is applied once, and again when it says something else', async () => {
    const { world, writes } = start()
    await world.apply(service, none)
    await world.apply(service, none)
    expect(writes).toEqual([{ ...service, environment: expect.any(String) }])
    await world.apply({ ...service, timeoutMs: 5 }, none)
    expect(writes).toHaveLength(2)
    expect(writes[1]).toMatchObject({ ...service, timeoutMs: 5 })
  })

  it('is laid over a service that was registered otherwise, seen or not', async () => {
    const other = start(undefined, 'said by nobody')
    await other.world.apply(service, none)
    expect(other.writes).toMatchObject([service])
    const unseen = start(undefined, undefined, true)
    expect((await unseen.world.apply(service, none)).ok).toBe(true)
    expect(unseen.writes).toMatchObject([service])
  })

  it('is not applied anew when the key is another, only marked', async () => {
    const before = start()
    await before.world.apply(service, none)
    const mark = before.mark()
    const after = start(new Sealer([KEYS[1], KEYS[0]], 'credential'), mark)
    await after.world.apply(service, none)
    expect(after.writes).toEqual([{ environment: expect.any(String) }])
    const later = start(new Sealer(KEYS[1], 'credential'), after.mark())
    await later.world.apply(service, none)
    expect(later.writes).toEqual([])
  })

  it('is kept so that nobody can try out its credential', async () => {
    const [one, other] = [start(), start()]
    await one.world.apply(service, none)
    await other.world.apply(service, none)
    expect(one.mark()).not.toBe(other.mark())
  })
})
