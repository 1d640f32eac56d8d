/** Rows → the registry image. One batch; the version is read first, so the rest is never older than it says. */
import { and, asc, eq, isNull, sql, type SQLWrapper } from 'drizzle-orm'
import type { Catalogue } from '../protocol/catalogue.ts'
import type { RegistryImage, ServiceConfig, ServiceRecord, ServiceStatus } from '../registry/image.ts'
import { isOfferKind } from '../registry/kind.ts'
import type { Database } from './database.ts'
import { publicNames, registryVersions, serviceInstances, services, serviceTools } from './schema.ts'

const raw = (column: SQLWrapper) => sql<string>`${column}::text`

export async function loadImage(database: Database, organisationId: string): Promise<RegistryImage> {
  const [versions, serviceRows, catalogueRows, instanceRows, nameRows] = await database.batch([
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
  ])
  const catalogues = new Map(catalogueRows.map((row) => [row.serviceId, row]))
  const instances = Map.groupBy(instanceRows, (row) => row.serviceId)
  return {
    organisationId,
    version: versions[0]?.version ?? 0,
    services: serviceRows.map((row) => readService(row, catalogues.get(row.id), instances.get(row.id) ?? [])),
    names: nameRows.flatMap(({ kind, ...row }) => (isOfferKind(kind) ? [{ kind, ...row }] : [])),
  }
}

export async function loadVersion(database: Database, organisationId: string): Promise<number> {
  return (await versionQuery(database, organisationId))[0]?.version ?? 0
}

const versionQuery = (database: Database, organisationId: string) =>
  database
    .select({ version: registryVersions.version })
    .from(registryVersions)
    .where(eq(registryVersions.organisationId, organisationId))

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
    })
    .from(serviceTools)
    .where(and(eq(serviceTools.organisationId, organisationId), isNull(serviceTools.deletedAt)))

type CatalogueRow = Awaited<ReturnType<typeof catalogueQuery>>[number]
type InstanceRow = typeof serviceInstances.$inferSelect

function readService(
  row: typeof services.$inferSelect,
  catalogue: CatalogueRow | undefined,
  instances: readonly InstanceRow[],
): ServiceRecord {
  return {
    id: row.id,
    name: row.name,
    url: row.url,
    transport: row.transport === 'sse' ? 'sse' : 'http',
    config: readConfig(row.config),
    sealedAuth: row.sealedAuth ?? undefined,
    isEnabled: row.isEnabled,
    status: readStatus(row.status),
    statusReason: row.statusReason ?? undefined,
    lastPingAt: row.lastPingAt?.toISOString(),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    instances: instances.map(({ id, url, weight }) => ({ id, url, weight })),
    catalogue: catalogue && readCatalogue(catalogue),
  }
}

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

const readStatus = (status: string): ServiceStatus =>
  status === 'error' || status === 'disconnected' ? status : 'connected'
