/** Who there is: organisations, their users, their keys. */
import { sql } from 'drizzle-orm'
import { bigint, index, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { createdAt, instant, updatedAt } from './column.ts'

export const organisations = pgTable('organisations', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  /** Since when none of its callers is served. */
  suspendedAt: instant('suspended_at'),
  createdAt: createdAt(),
})

/** Every table but those of the directory itself is scoped by it. */
export const organisationId = () =>
  text('organisation_id')
    .notNull()
    .references(() => organisations.id)

export const users = pgTable(
  'users',
  {
    id: uuid('id').primaryKey(),
    organisationId: organisationId(),
    username: text('username').notNull(),
    passwordHash: text('password_hash').notNull(),
    role: text('role').notNull().default('user'),
    agentType: text('agent_type'),
    /** Tokens that were issued before count no more. */
    tokensSince: instant('tokens_since').notNull().defaultNow(),
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
    /** Null: everything that its role may. */
    scopes: text('scopes').array(),
    /** Whose it is; null: it stands for itself. */
    userId: uuid('user_id').references(() => users.id),
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

/** The version of what all organisations share: themselves, their users, their keys. One row. */
export const directoryVersion = pgTable('directory_version', {
  id: text('id').primaryKey(),
  version: bigint('version', { mode: 'number' }).notNull(),
  updatedAt: updatedAt(),
})
