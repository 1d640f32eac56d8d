/**
 * A good request for every operation of the management API. A new operation needs one here: its body with as many fields
 * as may stand beside each other, and what must be there before. The tests of `operations.test.ts` and `fields.test.ts`
 * do the rest.
 */
import type { operations } from '../../src/admin/api/operations.ts'
import type { Gateway } from './gateway.ts'
import { makeOrganisation, makeUser, passwordOf } from './people.ts'
import type { Upstream } from './upstream.ts'

export type OperationId = keyof typeof operations

export type Example = {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** Where an example is tried. */
export type Yard = { readonly gateway: Gateway; readonly upstream: Upstream }

let made = 0
const fresh = (what: string): string => `${what}-${++made}`

/** The id or the slug of one of its own. */
async function makeServer({ gateway, upstream }: Yard, rest: object = {}): Promise<string> {
  const name = fresh('service')
  await gateway.registerAnew(name, upstream.url, rest)
  return name
}

const ofServer = async (yard: Yard): Promise<Example> => ({ params: { id: await makeServer(yard) } })

const ofTemplate = async (yard: Yard): Promise<Example> => ({ params: { template: await makeServer(yard) } })

async function ofToolset({ gateway }: Yard): Promise<Example> {
  const slug = fresh('toolset')
  await gateway.manage('POST', '/api/v1/toolsets', { slug, tools: ['buy'] })
  return { params: { slug } }
}

const ofUser = async ({ gateway }: Yard): Promise<Example> => ({
  params: { id: await makeUser(gateway, fresh('user')) },
})

async function ofOrganisation({ gateway }: Yard): Promise<Example> {
  const id = fresh('org')
  await makeOrganisation(gateway, id)
  return { params: { id } }
}

const SETTINGS = {
  loadBalancer: 'weighted',
  timeoutMs: 30_000,
  rateLimit: { requestsPerMinute: 1_000, burstLimit: 200 },
  circuitBreaker: { failureThreshold: 5, recoveryTimeout: 30_000, halfOpenMaxCalls: 3, slowCallMs: 900 },
  retry: {
    maxAttempts: 3,
    backoffStrategy: 'exponential',
    initialDelay: 1_000,
    maxDelay: 10_000,
    jitter: true,
  },
  cacheTtlSeconds: 0,
  cacheScope: 'caller',
  trusted: false,
  pinDefinitions: true,
  fallbackTools: [{ name: 'spare', inputSchema: { type: 'object' } }],
  headers: { 'x-team': 'a' },
} as const

const settingsFor = ({ upstream }: Yard) => ({
  ...SETTINGS,
  transport: 'http',
  auth: { type: 'api-key', apiKey: 'secret', header: 'x-key' },
  instances: [{ url: `${upstream.url}?two`, weight: 3 }],
})

const PAGE = { query: { limit: '2', cursor: '0' } } as const

export const examples: Readonly<Record<OperationId, (yard: Yard) => Example | Promise<Example>>> = {
  listServers: () => PAGE,
  registerServer: (yard) => ({
    body: { name: fresh('service'), url: yard.upstream.url, ...settingsFor(yard) },
  }),
  showServer: async (yard) => ({ params: { id: await makeServer(yard, settingsFor(yard)) } }),
  updateServer: async (yard) => ({ ...(await ofServer(yard)), body: settingsFor(yard) }),
  removeServer: ofServer,
  connectServer: ofServer,
  disconnectServer: ofServer,
  refreshServer: ofServer,
  showDefinition: ofServer,
  showMetrics: ofServer,
  showHealth: ofServer,
  listInstances: ofServer,
  addInstance: async (yard) => ({
    ...(await ofServer(yard)),
    body: { url: `${yard.upstream.url}?added`, weight: 2 },
  }),
  removeInstance: async (yard) => {
    const { params } = await ofServer(yard)
    const path = `/api/v1/servers/${params?.['id']}/instances`
    const { body } = await yard.gateway.manage('POST', path, { url: `${yard.upstream.url}?gone` })
    return { params: { ...params, instanceId: body.id } }
  },
  inspectDefinitions: ofServer,
  approveDefinitions: async (yard) => ({ ...(await ofServer(yard)), body: { tools: ['buy'] } }),
  listTools: () => PAGE,
  showTool: async (yard) => ({ params: { service: await makeServer(yard), tool: 'buy' } }),
  callTool: async (yard) => ({
    body: { name: `${await makeServer(yard)}__buy`, arguments: { text: 'hello' } },
  }),
  updateTool: async (yard) => ({
    params: { service: await makeServer(yard), tool: 'buy' },
    body: {
      isEnabled: true,
      cacheTtlSeconds: 5,
      cacheScope: 'caller',
      timeoutMs: 900,
      alias: fresh('alias'),
      description: 'Buys.',
    },
  }),
  discardServerResults: ofServer,
  discardToolResults: async (yard) => ({ params: { service: await makeServer(yard), tool: 'buy' } }),
  listPermissions: () => PAGE,
  listPermissionsOf: () => ({ params: { agentType: 'coder' }, ...PAGE }),
  putPermissions: () => ({ body: { agentType: fresh('coder'), tool: 'shop/*', allowed: true } }),
  removePermission: async ({ gateway }) => {
    const query = { agentType: fresh('coder'), tool: '*' }
    await gateway.manage('PUT', '/api/v1/permissions', { ...query, allowed: false })
    return { query }
  },
  listToolsets: () => PAGE,
  createToolset: () => ({ body: { slug: fresh('toolset'), tools: ['buy', 'shop/*'] } }),
  showToolset: ofToolset,
  updateToolset: async (yard) => {
    const { params } = await ofToolset(yard)
    return { params: { ...params }, body: { slug: params?.['slug'], tools: ['shop/*'] } }
  },
  removeToolset: ofToolset,
  listUsers: () => PAGE,
  createUser: () => ({
    body: { username: fresh('user'), password: passwordOf('any'), role: 'admin', agentType: 'coder' },
  }),
  showUser: ofUser,
  updateUser: async (yard) => ({
    ...(await ofUser(yard)),
    body: { password: passwordOf('another'), role: 'user', agentType: 'coder' },
  }),
  removeUser: ofUser,
  logIn: async ({ gateway }) => {
    const username = fresh('user')
    await makeUser(gateway, username)
    return { body: { username, password: passwordOf(username), organisation: 'default' } }
  },
  listKeys: () => ({ query: { ...PAGE.query, prefix: 'sy_' } }),
  createKey: () => ({
    body: {
      name: 'Robot',
      role: 'user',
      agentType: 'coder',
      scopes: ['mcp:read', 'write'],
      expiresAt: '2099-01-31T12:00:00Z',
    },
  }),
  revokeKey: async ({ gateway }) => {
    const { body } = await gateway.manage('POST', '/api/v1/keys', { name: 'Robot' })
    return { params: { id: body.id } }
  },
  listOrganisations: () => PAGE,
  createOrganisation: () => ({ body: { id: fresh('org'), name: 'An organisation' } }),
  showOrganisation: ofOrganisation,
  updateOrganisation: async (yard) => ({
    ...(await ofOrganisation(yard)),
    body: { name: 'Another', isSuspended: true },
  }),
  listActs: () => ({
    query: {
      from: '2020-01-01T00:00:00Z',
      to: '2099-01-01T00:00:00Z',
      actor: 'api-key',
      action: 'service.',
      outcome: 'done',
      target: 'shop',
      limit: '5',
    },
  }),
  countUsage: () => ({
    query: {
      from: '2020-01-01T00:00:00Z',
      to: '2099-01-01T00:00:00Z',
      groupBy: 'caller',
      tool: 'buy',
      service: 'shop',
      caller: 'somebody',
      status: 'success',
      limit: '5',
    },
  }),
  health: () => ({}),
  checkServices: () => ({}),
  scrapeMetrics: () => ({}),

  // The older paths.
  olderRegister: (yard) => ({
    body: { name: fresh('service'), url: yard.upstream.url, ...settingsFor(yard) },
  }),
  olderList: () => PAGE,
  olderUpdate: async (yard) => ({ ...(await ofServer(yard)), body: settingsFor(yard) }),
  olderRemove: ofServer,
  listMcpServices: () => PAGE,
  showMcpDefinition: ofServer,
  showMcpMetrics: ofServer,
  sendRequest: async (yard) => ({
    body: {
      id: 'request-123',
      timestamp: '2025-01-21T10:30:00Z',
      service: await makeServer(yard),
      operation: 'buy',
      parameters: { text: 'hello' },
      metadata: { correlationId: 'corr-123', timeout: 30_000, priority: 'normal', agentId: 'chatbot-agent' },
    },
  }),
  listTemplateTools: ofTemplate,
  callTemplateTool: async (yard) => ({
    ...(await ofTemplate(yard)),
    body: { name: 'buy', arguments: { text: 'hello' } },
  }),
  listTemplateResources: ofTemplate,
  readTemplateResource: async (yard) => ({ ...(await ofTemplate(yard)), body: { uri: 'file:///a' } }),
  showTemplateHealth: ofTemplate,
  gatewayHealth: () => ({}),
  showStats: () => PAGE,
  showRegistry: () => PAGE,
  registerInstance: (yard) => ({
    body: { template: fresh('service'), endpoint: yard.upstream.url, weight: 2 },
  }),
  deregisterInstance: async ({ gateway, upstream }) => {
    const template = fresh('service')
    const { body } = await gateway.manage('POST', '/gateway/register', { template, endpoint: upstream.url })
    return { params: { template, instanceId: body.instanceId } }
  },
}
