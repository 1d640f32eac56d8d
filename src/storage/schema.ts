/**
 * The tables. Every table is scoped by organisation. What an upstream said (tools, resources, prompts)
 * is kept in `json`, not `jsonb`: `json` keeps the text byte for byte (docs/decisions/0003).
 */
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'

/** A `json` column handled as its raw text. Read it with `::text`, or the driver parses it. */
const rawJson = customType<{ data: string; driverData: string }>({ dataType: () => 'json' })

const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
const createdAt = () => instant('created_at').notNull().defaultNow()
const updatedAt = () => instant('updated_at').notNull().defaultNow()
const organisationId = () =>
  text('organisation_id')
    .notNull()
    .references(() => organisations.id)

export const organisations = pgTable('organisations', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  createdAt: createdAt(),
})

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

const serviceId = () =>
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
  createdAt: createdAt(),
  updatedAt: updatedAt(),
  deletedAt: instant('deleted_at'),
})

/** Who holds which bare public name. First come, first served, and kept until the service is deleted. */
export const publicNames = pgTable(
  'public_names',
  {
    organisationId: organisationId(),
    kind: text('kind').notNull(),
    name: text('name').notNull(),
    serviceId: serviceId(),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({ columns: [table.organisationId, table.kind, table.name] }),
    index('public_names_service').on(table.serviceId),
  ],
)

export const toolSettings = pgTable(
  'tool_settings',
  {
    organisationId: organisationId(),
    serviceId: serviceId(),
    tool: text('tool').notNull(),
    isEnabled: boolean('is_enabled').notNull().default(true),
    cacheTtlSeconds: integer('cache_ttl_seconds'),
    timeoutMs: integer('timeout_ms'),
    alias: text('alias'),
    description: text('description'),
    updatedAt: updatedAt(),
  },
  (table) => [primaryKey({ columns: [table.serviceId, table.tool] })],
)

export const toolsets = pgTable(
  'toolsets',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId(),
    slug: text('slug').notNull(),
    tools: text('tools').array().notNull(),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
    deletedAt: instant('deleted_at'),
  },
  (table) => [
    uniqueIndex('toolsets_slug_unique')
      .on(table.organisationId, table.slug)
      .where(sql`${table.deletedAt} is null`),
  ],
)

export const users = pgTable(
  'users',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId(),
    username: text('username').notNull(),
    passwordHash: text('password_hash').notNull(),
    role: text('role').notNull().default('user'),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
    deletedAt: instant('deleted_at'),
  },
  (table) => [
    uniqueIndex('users_username_unique')
      .on(table.organisationId, table.username)
      .where(sql`${table.deletedAt} is null`),
  ],
)

export const apiKeys = pgTable(
  'api_keys',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId(),
    name: text('name').notNull(),
    prefix: text('prefix').notNull(),
    keyHash: text('key_hash').notNull(),
    role: text('role').notNull().default('user'),
    agentType: text('agent_type'),
    scopes: text('scopes').array(),
    createdBy: text('created_by'),
    createdAt: createdAt(),
    expiresAt: instant('expires_at'),
    lastUsedAt: instant('last_used_at'),
    revokedAt: instant('revoked_at'),
  },
  (table) => [
    uniqueIndex('api_keys_hash_unique').on(table.keyHash),
    index('api_keys_prefix').on(table.organisationId, table.prefix),
  ],
)

export const toolPermissions = pgTable(
  'tool_permissions',
  {
    organisationId: organisationId(),
    agentType: text('agent_type').notNull(),
    tool: text('tool').notNull(),
    isAllowed: boolean('is_allowed').notNull(),
    updatedAt: updatedAt(),
  },
  (table) => [primaryKey({ columns: [table.organisationId, table.agentType, table.tool] })],
)

export const toolUsage = pgTable(
  'tool_usage',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId(),
    serviceId: uuid('service_id'),
    tool: text('tool').notNull(),
    callerId: text('caller_id').notNull(),
    callerType: text('caller_type').notNull(),
    input: rawJson('input'),
    output: rawJson('output'),
    durationMs: integer('duration_ms'),
    status: text('status').notNull(),
    isCached: boolean('is_cached').notNull().default(false),
    requestBytes: integer('request_bytes'),
    responseBytes: integer('response_bytes'),
    correlationId: text('correlation_id'),
    createdAt: createdAt(),
  },
  (table) => [
    index('tool_usage_time').on(table.organisationId, table.createdAt),
    index('tool_usage_tool').on(table.organisationId, table.tool, table.createdAt),
  ],
)

export const auditLog = pgTable(
  'audit_log',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId(),
    actor: text('actor').notNull(),
    action: text('action').notNull(),
    target: text('target').notNull(),
    outcome: text('outcome').notNull(),
    detail: jsonb('detail'),
    createdAt: createdAt(),
  },
  (table) => [index('audit_log_time').on(table.organisationId, table.createdAt)],
)

/** Advances with every write, in the same transaction. Milliseconds since the epoch; never goes back. */
export const registryVersions = pgTable('registry_versions', {
  organisationId: organisationId().primaryKey(),
  version: bigint('version', { mode: 'number' }).notNull(),
  updatedAt: updatedAt(),
})
