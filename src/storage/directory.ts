/** Rows → the directory image. One batch; the version is read first, so the rest is never older than it says. */
import { asc, isNull } from 'drizzle-orm'
import type { DirectoryImage, KeyRecord, UserRecord } from '../identity/directory.ts'
import type { Role } from '../identity/principal.ts'
import { readScope } from '../identity/scope.ts'
import type { Database } from './database.ts'
import { apiKeys, directoryVersion, organisations, users } from './schema.ts'
import type { Loader } from './source.ts'

export const directoryLoader: Loader<DirectoryImage> = {
  version: async (database) => (await versionQuery(database))[0]?.version ?? 0,
  image: loadDirectory,
}

async function loadDirectory(database: Database): Promise<DirectoryImage> {
  const [versions, organisationRows, keyRows, userRows] = await database.batch([
    versionQuery(database),
    database.select().from(organisations).orderBy(asc(organisations.createdAt), asc(organisations.id)),
    database
      .select()
      .from(apiKeys)
      .where(isNull(apiKeys.revokedAt))
      .orderBy(asc(apiKeys.createdAt), asc(apiKeys.id)),
    database.select().from(users).where(isNull(users.deletedAt)).orderBy(asc(users.createdAt), asc(users.id)),
  ])
  return {
    version: versions[0]?.version ?? 0,
    organisations: organisationRows.map(({ id, name, suspendedAt }) => ({
      id,
      name,
      isSuspended: suspendedAt !== null,
    })),
    keys: keyRows.map(readKey),
    users: userRows.map(readUser),
  }
}

const versionQuery = (database: Database) =>
  database.select({ version: directoryVersion.version }).from(directoryVersion)

const readRole = (role: string): Role => (role === 'admin' ? 'admin' : 'user')

const readKey = (row: typeof apiKeys.$inferSelect): KeyRecord => ({
  id: row.id,
  organisationId: row.organisationId,
  name: row.name,
  prefix: row.prefix,
  hash: row.keyHash,
  role: readRole(row.role),
  agentType: row.agentType ?? undefined,
  // A scope that is no longer known grants nothing; it does not set the key free.
  scopes: row.scopes?.flatMap((scope) => readScope(scope) ?? []),
  userId: row.userId ?? undefined,
  createdAt: row.createdAt.toISOString(),
  expiresAt: row.expiresAt?.toISOString(),
})

const readUser = (row: typeof users.$inferSelect): UserRecord => ({
  id: row.id,
  organisationId: row.organisationId,
  username: row.username,
  role: readRole(row.role),
  agentType: row.agentType ?? undefined,
  tokensSince: row.tokensSince.getTime(),
  createdAt: row.createdAt.toISOString(),
})
