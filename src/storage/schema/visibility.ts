/** Under which names things are offered, how, and to whom. */
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { createdAt, instant, updatedAt } from './column.ts'
import { organisationId } from './identity.ts'
import { serviceId } from './service.ts'

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
    cacheScope: text('cache_scope'),
    /** How often its results were thrown away. */
    cacheEpoch: bigint('cache_epoch', { mode: 'number' }).notNull().default(0),
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
