/** Rows → the registry image. One batch; the version is read first, so the rest is never older than it says. */
import { and, asc, eq, isNull, sql, type SQLWrapper } from 'drizzle-orm'
import type { Catalogue } from '../protocol/catalogue.ts'
import type {
  CacheScope,
  Digests,
  RegistryImage,
  ServiceConfig,
  ServiceRecord,
  ServiceStatus,
  Toolset,
  ToolSetting,
} from '../registry/image.ts'
import { isOfferKind } from '../registry/kind.ts'
import type { Database } from './database.ts'
import type { Loader } from './source.ts'
import {
  approvedTools,
  publicNames,
  registryVersions,
  serviceInstances,
  services,
  serviceTools,
  toolPermissions,
  toolSettings,
  toolsets,
} from './schema.ts'

const raw = (column: SQLWrapper) => sql<string>`${column}::text`

export async function loadImage(database: Database, organisationId: string): Promise<RegistryImage> {
  const [
    versions,
    serviceRows,
    catalogueRows,
    instanceRows,
    nameRows,
    approvedRows,
    permissionRows,
    settingRows,
    toolsetRows,
  ] = await database.batch([
    versionQuery(database, organisationId),
    database
      .select()
      .from(services)
      .where(and(eq(services.organisationId, organisationId), isNull(services.deletedAt)))
      .orderBy(asc(services.createdAt), asc(services.id)),
    catalogueQuery(database, organisationId),
    database
      .select()
      .from(serviceInstances)
      .where(and(eq(serviceInstances.organisationId, organisationId), isNull(serviceInstances.deletedAt)))
      .orderBy(asc(serviceInstances.createdAt), asc(serviceInstances.id)),
    database
      .select({ kind: publicNames.kind, name: publicNames.name, serviceId: publicNames.serviceId })
      .from(publicNames)
      .where(eq(publicNames.organisationId, organisationId))
      .orderBy(asc(publicNames.createdAt), asc(publicNames.kind), asc(publicNames.name)),
    database
      .select({
        serviceId: approvedTools.serviceId,
        tool: approvedTools.tool,
        digest: approvedTools.digest,
      })
      .from(approvedTools)
      .where(eq(approvedTools.organisationId, organisationId)),
    permissionQuery(database, organisationId),
    database.select().from(toolSettings).where(eq(toolSettings.organisationId, organisationId)),
    database
      .select()
      .from(toolsets)
      .where(and(eq(toolsets.organisationId, organisationId), isNull(toolsets.deletedAt)))
      .orderBy(asc(toolsets.createdAt), asc(toolsets.id)),
  ])
  const catalogues = new Map(catalogueRows.map((row) => [row.serviceId, row]))
  const instances = Map.groupBy(instanceRows, (row) => row.serviceId)
  const approved = Map.groupBy(approvedRows, (row) => row.serviceId)
  return {
    organisationId,
    version: versions[0]?.version ?? 0,
    services: serviceRows.map((row) =>
      readService(row, {
        catalogue: catalogues.get(row.id),
        instances: instances.get(row.id) ?? [],
        approved: Object.fromEntries((approved.get(row.id) ?? []).map(({ tool, digest }) => [tool, digest])),
      }),
    ),
    names: nameRows.flatMap(({ kind, ...row }) => (isOfferKind(kind) ? [{ kind, ...row }] : [])),
    permissions: permissionRows,
    toolSettings: settingRows.map(readSetting),
    toolsets: toolsetRows.map(readToolset),
  }
}

export const registryLoader = (organisationId: string): Loader<RegistryImage> => ({
  version: (database) => loadVersion(database, organisationId),
  image: (database) => loadImage(database, organisationId),
})

export async function loadVersion(database: Database, organisationId: string): Promise<number> {
  return (await versionQuery(database, organisationId))[0]?.version ?? 0
}

const versionQuery = (database: Database, organisationId: string) =>
  database
    .select({ version: registryVersions.version })
    .from(registryVersions)
    .where(eq(registryVersions.organisationId, organisationId))

const permissionQuery = (database: Database, organisationId: string) =>
  database
    .select({
      agentType: toolPermissions.agentType,
      tool: toolPermissions.tool,
      isAllowed: toolPermissions.isAllowed,
    })
    .from(toolPermissions)
    .where(eq(toolPermissions.organisationId, organisationId))

const catalogueQuery = (database: Database, organisationId: string) =>
  database
    .select({
      serviceId: serviceTools.serviceId,
      tools: raw(serviceTools.tools),
      resources: raw(serviceTools.resources),
      resourceTemplates: raw(serviceTools.resourceTemplates),
      prompts: raw(serviceTools.prompts),
      serverInfo: raw(serviceTools.serverInfo),
      capabilities: raw(serviceTools.capabilities),
      instructions: serviceTools.instructions,
      era: serviceTools.era,
      protocolVersion: serviceTools.protocolVersion,
      legacyVersion: serviceTools.legacyVersion,
      legacyCapabilities: sql<string | null>`${serviceTools.legacyCapabilities}::text`,
      isStateful: serviceTools.isStateful,
      fingerprint: serviceTools.fingerprint,
      digests: serviceTools.digests,
    })
    .from(serviceTools)
    .where(and(eq(serviceTools.organisationId, organisationId), isNull(serviceTools.deletedAt)))

type CatalogueRow = Awaited<ReturnType<typeof catalogueQuery>>[number]

type Details = {
  readonly catalogue: CatalogueRow | undefined
  readonly instances: readonly (typeof serviceInstances.$inferSelect)[]
  readonly approved: Digests
}

function readService(
  row: typeof services.$inferSelect,
  { catalogue, instances, approved }: Details,
): ServiceRecord {
  return {
    id: row.id,
    organisationId: row.organisationId,
    name: row.name,
    url: row.url,
    transport: row.transport === 'sse' ? 'sse' : 'http',
    config: readConfig(row.config),
    sealedAuth: row.sealedAuth ?? undefined,
    isEnabled: row.isEnabled,
    cacheEpoch: row.cacheEpoch,
    status: readStatus(row.status),
    statusReason: row.statusReason ?? undefined,
    lastPingAt: row.lastPingAt?.toISOString(),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    instances: instances.map(({ id, url, weight }) => ({ id, url, weight })),
    catalogue: catalogue && readCatalogue(catalogue),
    digests: catalogue?.digests ?? {},
    approved,
  }
}

const readSetting = (row: typeof toolSettings.$inferSelect): ToolSetting => ({
  serviceId: row.serviceId,
  tool: row.tool,
  isEnabled: row.isEnabled,
  ...(row.cacheTtlSeconds !== null && { cacheTtlSeconds: row.cacheTtlSeconds }),
  ...(row.cacheScope !== null && { cacheScope: readScope(row.cacheScope) }),
  ...(row.cacheEpoch > 0 && { cacheEpoch: row.cacheEpoch }),
  ...(row.timeoutMs !== null && { timeoutMs: row.timeoutMs }),
  ...(row.alias !== null && { alias: row.alias }),
  ...(row.description !== null && { description: row.description }),
})

const readToolset = (row: typeof toolsets.$inferSelect): Toolset => ({
  id: row.id,
  slug: row.slug,
  tools: row.tools,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
})

const readCatalogue = (row: CatalogueRow): Catalogue => ({
  tools: row.tools,
  resources: row.resources,
  resourceTemplates: row.resourceTemplates,
  prompts: row.prompts,
  serverInfo: row.serverInfo,
  capabilities: row.capabilities,
  instructions: row.instructions ?? undefined,
  era: row.era === 'modern' ? 'modern' : 'legacy',
  protocolVersion: row.protocolVersion,
  legacyVersion: row.legacyVersion ?? (row.era === 'modern' ? undefined : row.protocolVersion),
  legacyCapabilities: row.legacyCapabilities ?? (row.era === 'modern' ? '{}' : row.capabilities),
  isStateful: row.isStateful,
  fingerprint: row.fingerprint,
})

/** Named parser of a column that only this project writes, through a checked schema. */
const readConfig = (value: unknown): ServiceConfig => value as ServiceConfig

/** What this release does not know is the narrower one. */
const readScope = (scope: string): CacheScope => (scope === 'shared' ? 'shared' : 'caller')

const readStatus = (status: string): ServiceStatus =>
  status === 'error' || status === 'disconnected' ? status : 'connected'
