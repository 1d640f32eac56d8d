/** What hangs on a service: its catalogue, approvals of its tools, the names that it is granted, its instances. */
import { and, eq, isNull, sql } from 'drizzle-orm'
import type { BatchItem } from 'drizzle-orm/batch'
import type { Catalogue } from '../protocol/catalogue.ts'
import type { NameClaim } from '../registry/claim.ts'
import type { Digests, ServiceInstance } from '../registry/image.ts'
import { type Approval, writeApprovals } from './approvals.ts'
import type { Database } from './database.ts'
import { publicNames, serviceInstances, serviceTools } from './schema.ts'

/** A catalogue, and the SHA-256 of each of its tools. */
export type Offered = { readonly catalogue: Catalogue; readonly digests: Digests }

export type ServiceDetails = {
  /** `undefined`: keep what is stored. */
  readonly catalogue: Offered | undefined
  /** Tools that are approved with this write. */
  readonly approvals: readonly Approval[]
  /** Bare names and URIs that the service asks for; those already given to another are left alone. */
  readonly names: readonly NameClaim[]
  /** `undefined`: keep what is stored. */
  readonly instances: readonly ServiceInstance[] | undefined
}

type Owner = { readonly organisationId: string; readonly serviceId: string }

export const writeDetails = (
  database: Database,
  owner: Owner,
  { catalogue, approvals, names, instances }: ServiceDetails,
  actor: string,
): BatchItem<'pg'>[] => [
  ...writeCatalogue(database, owner, catalogue),
  ...writeApprovals(database, owner, approvals, actor),
  ...grantNames(database, owner, names),
  ...replaceInstances(database, owner, instances),
]

function writeCatalogue(database: Database, owner: Owner, offered: Offered | undefined): BatchItem<'pg'>[] {
  if (!offered) return []
  const { catalogue, digests } = offered
  // Drizzle leaves an undefined column as it was.
  const { instructions = null, legacyVersion = null } = catalogue
  const row = { ...catalogue, instructions, legacyVersion, digests }
  const insert = database
    .insert(serviceTools)
    .values({ ...owner, ...row })
    .onConflictDoUpdate({ target: serviceTools.serviceId, set: { ...row, updatedAt: sql`now()` } })
  return [insert]
}

function grantNames(database: Database, owner: Owner, names: readonly NameClaim[]): BatchItem<'pg'>[] {
  if (names.length === 0) return []
  const rows = names.map((name) => ({ ...owner, ...name }))
  return [freeOrphanedNames(database, owner), database.insert(publicNames).values(rows).onConflictDoNothing()]
}

/** An update that raced a deletion may have left names with a service that is gone. */
function freeOrphanedNames(database: Database, { organisationId }: Owner): BatchItem<'pg'> {
  const gone = sql`(select id from services where organisation_id = ${organisationId} and deleted_at is not null)`
  return database.delete(publicNames).where(sql`${publicNames.serviceId} in ${gone}`)
}

function replaceInstances(
  database: Database,
  owner: Owner,
  instances: readonly ServiceInstance[] | undefined,
): BatchItem<'pg'>[] {
  if (!instances) return []
  const rows = instances.map((instance) => ({ ...instance, ...owner }))
  const living = and(eq(serviceInstances.serviceId, owner.serviceId), isNull(serviceInstances.deletedAt))
  const clear = database
    .update(serviceInstances)
    .set({ deletedAt: sql`now()` })
    .where(living)
  if (rows.length === 0) return [clear]
  // One that stays keeps its row.
  const kept = { weight: sql`excluded.weight`, deletedAt: null }
  const insert = database
    .insert(serviceInstances)
    .values(rows)
    .onConflictDoUpdate({ target: serviceInstances.id, set: kept })
  return [clear, insert]
}
