/** Registry images for tests of what stands on them: only what a test cares about has to be said. */
import type { Catalogue } from '../../src/protocol/catalogue.ts'
import type { NameGrant, RegistryImage, ServiceRecord } from '../../src/registry/image.ts'
import { fitName, mayBeBare } from '../../src/registry/name.ts'

export const catalogueOf = (tools: readonly unknown[], fingerprint = JSON.stringify(tools)): Catalogue => ({
  tools: JSON.stringify(tools),
  resources: '[]',
  resourceTemplates: '[]',
  prompts: '[]',
  serverInfo: '{}',
  capabilities: '{}',
  instructions: undefined,
  era: 'legacy',
  protocolVersion: '2025-11-25',
  isStateful: false,
  fingerprint,
})

export const serviceOf = (
  name: string,
  tools: readonly string[],
  rest: Partial<ServiceRecord> = {},
): ServiceRecord => ({
  id: `id-${name}`,
  name,
  url: `https://${name}.example/mcp`,
  transport: 'http',
  config: {},
  sealedAuth: undefined,
  isEnabled: true,
  status: 'connected',
  statusReason: undefined,
  lastPingAt: undefined,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  instances: [],
  catalogue: catalogueOf(tools.map((tool) => ({ name: tool, inputSchema: { type: 'object' } }))),
  ...rest,
})

/** An image in which bare names went to the services in the order given. */
export function imageOf(version: number, services: readonly ServiceRecord[]): RegistryImage {
  const names = new Map<string, NameGrant>()
  for (const service of services) {
    const tools: unknown = JSON.parse(service.catalogue?.tools ?? service.config.fallbackTools ?? '[]')
    for (const tool of Array.isArray(tools) ? tools : []) {
      const local = String(tool?.name)
      const name = fitName(local)
      if (mayBeBare(local) && !names.has(name)) names.set(name, { kind: 'tool', name, serviceId: service.id })
    }
  }
  return { organisationId: 'default', version, services, names: [...names.values()] }
}
