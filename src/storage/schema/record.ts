/** What is written down of calls and of everything else that is decided. */
import { boolean, index, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { createdAt, rawJson } from './column.ts'

/** No reference: Postgres would look up the organisation of each row, which the statement that stores many does once. */
const organisationId = () => text('organisation_id').notNull()

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
