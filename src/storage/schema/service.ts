/** The services of an organisation, and what they offer. What an upstream said is kept in `json`, not `jsonb`: `json` keeps the text byte for byte (docs/decisions/0003). */
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { createdAt, instant, rawJson, updatedAt } from './column.ts'
import { organisationId } from './identity.ts'

export const services = pgTable(
  'services',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId(),
    name: text('name').notNull(),
    url: text('url').notNull(),
    transport: text('transport').notNull().default('http'),
    config: jsonb('config').notNull().default({}),
    sealedAuth: text('sealed_auth'),
    isEnabled: boolean('is_enabled').notNull().default(true),
    /** How often the results of its tools were thrown away. */
    cacheEpoch: bigint('cache_epoch', { mode: 'number' }).notNull().default(0),
    status: text('status').notNull().default('connected'),
    statusReason: text('status_reason'),
    lastPingAt: instant('last_ping_at'),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
    deletedAt: instant('deleted_at'),
  },
  (table) => [
    uniqueIndex('services_name_unique')
      .on(table.organisationId, table.name)
      .where(sql`${table.deletedAt} is null`),
  ],
)

export const serviceId = () =>
  uuid('service_id')
    .notNull()
    .references(() => services.id)

export const serviceInstances = pgTable(
  'service_instances',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId(),
    serviceId: serviceId(),
    url: text('url').notNull(),
    weight: integer('weight').notNull().default(1),
    createdAt: createdAt(),
    deletedAt: instant('deleted_at'),
  },
  (table) => [index('service_instances_service').on(table.serviceId)],
)

export const serviceTools = pgTable('service_tools', {
  serviceId: serviceId().primaryKey(),
  organisationId: organisationId(),
  tools: rawJson('tools').notNull(),
  resources: rawJson('resources').notNull(),
  resourceTemplates: rawJson('resource_templates').notNull(),
  prompts: rawJson('prompts').notNull(),
  serverInfo: rawJson('server_info').notNull(),
  capabilities: rawJson('capabilities').notNull(),
  instructions: text('instructions'),
  era: text('era').notNull(),
  protocolVersion: text('protocol_version').notNull(),
  /** Null in rows from before both eras were asked: `era` then says what holds. */
  legacyVersion: text('legacy_version'),
  legacyCapabilities: rawJson('legacy_capabilities'),
  isStateful: boolean('is_stateful').notNull().default(false),
  fingerprint: text('fingerprint').notNull(),
  /** The SHA-256 of each tool as it is offered now, by its own name. */
  digests: jsonb('digests').$type<Readonly<Record<string, string>>>().notNull().default({}),
  createdAt: createdAt(),
  updatedAt: updatedAt(),
  deletedAt: instant('deleted_at'),
})

/** Tools of services that pin their definitions, as an operator approved them last. */
export const approvedTools = pgTable(
  'approved_tools',
  {
    organisationId: organisationId(),
    serviceId: serviceId(),
    tool: text('tool').notNull(),
    digest: text('digest').notNull(),
    definition: rawJson('definition').notNull(),
    approvedBy: text('approved_by').notNull(),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.serviceId, table.tool] })],
)

/** Advances with every write, in the same transaction. Milliseconds since the epoch; never goes back. */
export const registryVersions = pgTable('registry_versions', {
  organisationId: organisationId().primaryKey(),
  version: bigint('version', { mode: 'number' }).notNull(),
  updatedAt: updatedAt(),
})
