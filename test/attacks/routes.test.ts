/** S20: a route that forgets to ask who comes in. Every route of the application is enumerated, so a new one counts. */
import { describe, expect, it } from 'vitest'
import { operations } from '../../src/admin/api/operations.ts'
import { ASSETS } from '../../src/admin/assets.ts'
import { createRoutes } from '../../src/routes.ts'
import type { McpPorts } from '../../src/flow.ts'
import { challenge } from '../../src/identity/challenge.ts'
import { Identity } from '../../src/identity/identify.ts'
import { METADATA_PATHS, ProtectedResource } from '../../src/identity/resource.ts'
import { Secret } from '../../src/platform/secret.ts'
import { openTraffic } from '../../src/traffic.ts'

/** The paths of the older transport say one sentence, the same to everyone. */
const OLDER = ['/sse', '/message', '/messages', '/mcp/sse', '/mcp/message']
/** Metadata of the resource is public by its nature (RFC 9728). */
const METADATA = METADATA_PATHS.map((path) => path.replace(':service', 'x'))
const PUBLIC = new Set([
  'GET /health',
  'GET /mcp/health',
  'GET /gateway/health',
  // They describe the software.
  'GET /openapi.json',
  'GET /docs',
  'GET /redoc',
  ...ASSETS.map(({ path }) => `GET ${path}`),
  'POST /api/v1/auth/login',
  ...OLDER.flatMap((path) => [`GET ${path}`, `POST ${path}`]),
  ...METADATA.flatMap((path) => [`GET ${path}`, `OPTIONS ${path}`]),
])

/** What is no operation: paths of MCP and of its authorization, and the description with its pages. */
const UNDESCRIBED = /^\/(sse|messages?|mcp\/(sse|message)|\.well-known\/.*|openapi\.json|docs|redoc)$/

/** Whatever a route would need behind the door; reaching for any of it fails the test. */
const unreachable = new Proxy(
  {},
  {
    get: (_, name) => {
      throw new Error(`a route without a caller reached ${String(name)}`)
    },
  },
) as never

const identity = new Identity({
  secrets: { apiKey: new Secret('key'), bearerToken: new Secret('token'), tokenManages: true },
  auth: 'required',
  verifiers: [],
  directory: unreachable,
  noteUse: () => undefined,
  clock: Date.now,
})

const mcp: McpPorts = {
  identity,
  registryOf: unreachable,
  allowedOrigins: [],
  trail: { hear: unreachable, turnAway: () => undefined },
  clientSessions: unreachable,
  dispatch: unreachable,
  parked: unreachable,
  listen: unreachable,
  listens: unreachable,
  clock: unreachable,
}

const app = createRoutes({
  mcp,
  admin: {
    registrarOf: unreachable,
    approverOf: unreachable,
    visibilityOf: unreachable,
    figures: unreachable,
    registryOf: unreachable,
    survey: unreachable,
    dependencies: unreachable,
    people: {} as never,
    allowedOrigins: [],
    noteRefusal: unreachable,
    turnAway: () => undefined,
    audit: unreachable,
    usage: unreachable,
    clock: Date.now,
    defaultTimeoutMs: 1,
    healthIntervalMs: 1,
    admitAgent: async ({ headers }, endpoint, background) => {
      const caller = await identity.identify(headers, background, endpoint)
      return caller.ok ? caller.value : challenge(caller.error)
    },
    admit: async ({ headers }, background) => {
      const caller = await identity.authenticate(headers, background)
      return caller.ok ? caller.value : challenge(caller.error)
    },
  },
  health: unreachable,
  resource: new ProtectedResource(undefined, undefined),
  upkeep: { tick: () => undefined } as never,
  files: undefined,
  traffic: openTraffic({ mcp, upkeep: { tick: () => undefined } }),
  isHostAllowed: undefined,
})

const routes = app.routes
  .filter(({ path }) => !path.includes('*'))
  .map(({ method, path }) => ({
    method: method === 'ALL' ? 'POST' : method,
    path: path.replace(/:\w+/g, 'x'),
  }))

describe('every route', () => {
  it('is found', () => {
    expect(routes.length).toBeGreaterThan(10)
    expect(routes.map(({ method, path }) => `${method} ${path}`)).toContain('POST /register')
  })

  it('of the management API is described, and nothing that there is not', () => {
    const mounted = app.routes
      .filter(
        ({ method, path }) =>
          method !== 'ALL' && !UNDESCRIBED.test(path) && !ASSETS.some((asset) => asset.path === path),
      )
      .map(({ method, path }) => `${method} ${path}`)
    const described = Object.values(operations).map(({ method, path }) => `${method.toUpperCase()} ${path}`)
    expect(mounted.toSorted()).toEqual(described.toSorted())
  })

  it.each(routes.filter(({ method, path }) => !PUBLIC.has(`${method} ${path}`)))(
    'S20 $method $path asks for a credential first',
    async ({ method, path }) => {
      const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} }
      for (const headers of [{}, { authorization: 'Bearer wrong' }, { 'x-api-key': 'wrong' }]) {
        const response = await app.request(
          path,
          { method, headers: new Headers(headers) },
          {},
          context as never,
        )
        expect(response.status).toBe(401)
        expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/)
      }
    },
  )
})
