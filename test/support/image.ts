/** Registry images for tests of what stands on them: only what a test cares about has to be said. */
import type { Catalogue } from '../../src/protocol/catalogue.ts'
import { claimsOf } from '../../src/registry/claim.ts'
import type { NameGrant, RegistryImage, ServiceRecord } from '../../src/registry/image.ts'

const base = {
  resources: '[]',
  resourceTemplates: '[]',
  prompts: '[]',
  serverInfo: '{}',
  capabilities: '{}',
  instructions: undefined,
  era: 'legacy',
  protocolVersion: '2025-11-25',
  legacyVersion: '2025-11-25',
  legacyCapabilities: '{}',
  isStateful: false,
} as const

export const catalogueOf = (tools: readonly unknown[], fingerprint = JSON.stringify(tools)): Catalogue => ({
  ...base,
  tools: JSON.stringify(tools),
  fingerprint,
})

/** What a service offers: names and URIs, or whole objects. */
export type Offering = {
  readonly tools?: readonly (string | object)[]
  readonly prompts?: readonly (string | object)[]
  readonly resources?: readonly (string | object)[]
  readonly templates?: readonly (string | object)[]
}

const listOf = (member: string, items: Offering['tools'] = []): string =>
  JSON.stringify(items.map((item) => (typeof item === 'string' ? { [member]: item } : item)))

/** A service that offers all kinds; `rest` may say more of its catalogue, its era and its capabilities, say. */
export function offering(
  name: string,
  offered: Offering,
  rest: Partial<Catalogue> = {},
  record: Partial<ServiceRecord> = {},
): ServiceRecord {
  const lists = {
    tools: listOf('name', offered.tools),
    prompts: listOf('name', offered.prompts),
    resources: listOf('uri', offered.resources),
    resourceTemplates: listOf('uriTemplate', offered.templates),
  }
  const catalogue = { ...base, ...lists, ...rest, fingerprint: JSON.stringify([lists, rest]) }
  return serviceOf(name, [], { catalogue, ...record })
}

export const serviceOf = (
  name: string,
  tools: readonly string[],
  rest: Partial<ServiceRecord> = {},
): ServiceRecord => ({
  id: `id-${name}`,
  organisationId: 'default',
  name,
  url: `https://${name}.example/mcp`,
  transport: 'http',
  config: {},
  sealedAuth: undefined,
  isEnabled: true,
  cacheEpoch: 0,
  status: 'connected',
  statusReason: undefined,
  lastPingAt: undefined,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  instances: [],
  catalogue: catalogueOf(tools.map((tool) => ({ name: tool, inputSchema: { type: 'object' } }))),
  digests: {},
  approved: {},
  ...rest,
})

/** An image in which bare names and URIs went to the services in the order given. */
export function imageOf(version: number, services: readonly ServiceRecord[]): RegistryImage {
  const names = new Map<string, NameGrant>()
  for (const service of services) {
    for (const claim of claimsOf(service.catalogue ?? { tools: service.config.fallbackTools ?? '[]' })) {
      const key = `${claim.kind} ${claim.name}`
      if (!names.has(key)) names.set(key, { ...claim, serviceId: service.id })
    }
  }
  return {
    organisationId: 'default',
    version,
    services,
    names: [...names.values()],
    permissions: [],
    toolSettings: [],
    toolsets: [],
  }
}
