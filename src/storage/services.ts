/**
 * Writes on services. Each is one transaction that also writes the audit row and advances the registry
 * version; a failed one leaves nothing. Deletion is soft: rows stay, names become free.
 */
import { and, eq, isNull, sql } from 'drizzle-orm'
import type { BatchItem } from 'drizzle-orm/batch'
import { ok, type Result } from '../platform/result.ts'
import type { Catalogue } from '../protocol/catalogue.ts'
import type { Transport } from '../protocol/transport.ts'
import type { NameClaim } from '../registry/claim.ts'
import type { Digests, ServiceConfig, ServiceInstance, ServiceStatus } from '../registry/image.ts'
import { type Approval, writeApprovals } from './approvals.ts'
import { type Act, RegistryStore } from './commit.ts'
import type { DatabaseFault } from './database.ts'
import { approvedTools, publicNames, serviceInstances, services, serviceTools } from './schema.ts'

export type ServiceFields = {
  readonly url: string
  readonly transport: Transport
  /** `undefined`: keep what is stored. */
  readonly config: ServiceConfig | undefined
  /** `undefined`: keep what is stored, which may have been refreshed meanwhile; `null`: none. */
  readonly sealedAuth: string | null | undefined
  /** While it is enabled. */
  readonly status: Exclude<ServiceStatus, 'disconnected'>
  readonly statusReason: string | undefined
  /** Epoch ms of the last successful contact. */
  readonly lastPingAt: number | undefined
}

/** A catalogue, and the SHA-256 of each of its tools. */
export type Offered = { readonly catalogue: Catalogue; readonly digests: Digests }

/** One sealed credential in the place of another. */
export type AuthChange = {
  readonly from: string
  readonly to: string
  /** Why the service cannot be used with it; absent: its status stays. */
  readonly fault?: string | undefined
}

export type ServiceWrite = {
  readonly id: string
  readonly fields: ServiceFields
  /** `undefined`: keep what is stored. */
  readonly catalogue: Offered | undefined
  /** Tools that are approved with this write. */
  readonly approvals: readonly Approval[]
  /** Bare names and URIs that the service asks for; those already given to another are left alone. */
  readonly names: readonly NameClaim[]
  /** `undefined`: keep what is stored. */
  readonly instances: readonly ServiceInstance[] | undefined
}

export class ServiceStore extends RegistryStore {
  insert(name: string, write: ServiceWrite, act: Act): Promise<Result<unknown, DatabaseFault>> {
    const row = {
      id: write.id,
      organisationId: this.organisationId,
      name,
      ...columnsOf(write.fields),
    }
    return this.commit([this.database.insert(services).values(row), ...this.#details(write, act)], act)
  }

  /** Whether it is enabled stays as it is: what is written may have been read before an operator decided that. */
  update(write: ServiceWrite, act: Act): Promise<Result<unknown, DatabaseFault>> {
    const status = sql`case when ${services.isEnabled} then ${write.fields.status} else 'disconnected' end`
    const row = { ...columnsOf(write.fields), status, updatedAt: sql`now()` }
    const update = this.database.update(services).set(row).where(this.#living(write.id))
    return this.commit([update, ...this.#details(write, act)], act)
  }

  setEnabled(id: string, isEnabled: boolean, act: Act): Promise<Result<unknown, DatabaseFault>> {
    const reached = sql`case when ${services.statusReason} is null then 'connected' else 'error' end`
    const row = { isEnabled, status: isEnabled ? reached : 'disconnected', updatedAt: sql`now()` }
    return this.commit([this.database.update(services).set(row).where(this.#living(id))], act)
  }

  /** What is committed, past every snapshot; `null`: no credential, or no such service any more. */
  async storedAuth(id: string): Promise<Result<string | null, DatabaseFault>> {
    const query = (): Promise<{ sealed: string | null }[]> =>
      this.database.select({ sealed: services.sealedAuth }).from(services).where(this.#living(id))
    const read = await this.patience.read(query)
    return read.ok ? ok(read.value[0]?.sealed ?? null) : read
  }

  /** False: it is not there any more, and nothing was put in its place. */
  async replaceAuth(
    id: string,
    { from, to, fault }: AuthChange,
    act: Act,
  ): Promise<Result<boolean, DatabaseFault>> {
    const status = sql`case when ${services.isEnabled} then 'error' else 'disconnected' end`
    const row = fault === undefined ? {} : { status, statusReason: fault, updatedAt: sql`now()` }
    const update = this.database
      .update(services)
      .set({ ...row, sealedAuth: to })
      .where(and(this.#living(id), eq(services.sealedAuth, from)))
      .returning({ id: services.id })
    const written = await this.commit([update], act)
    return written.ok ? ok(hasRows(written.value.at(-1))) : written
  }

  remove(id: string, act: Act): Promise<Result<unknown, DatabaseFault>> {
    const deleted = { deletedAt: sql`now()` }
    return this.commit(
      [
        this.database.update(services).set(deleted).where(this.#living(id)),
        this.database.update(serviceTools).set(deleted).where(eq(serviceTools.serviceId, id)),
        this.database.update(serviceInstances).set(deleted).where(eq(serviceInstances.serviceId, id)),
        this.database.delete(publicNames).where(eq(publicNames.serviceId, id)),
        this.database.delete(approvedTools).where(eq(approvedTools.serviceId, id)),
      ],
      act,
    )
  }

  #details(write: ServiceWrite, { actor }: Act): BatchItem<'pg'>[] {
    const key = { organisationId: this.organisationId, serviceId: write.id }
    return [
      ...this.#writeCatalogue(write.id, write.catalogue),
      ...writeApprovals(this.database, key, write.approvals, actor),
      ...this.#grantNames(write.id, write.names),
      ...this.#replaceInstances(write.id, write.instances),
    ]
  }

  #writeCatalogue(serviceId: string, offered: Offered | undefined): BatchItem<'pg'>[] {
    if (!offered) return []
    const { catalogue, digests } = offered
    // Drizzle leaves an undefined column as it was.
    const { instructions = null, legacyVersion = null } = catalogue
    const row = { ...catalogue, instructions, legacyVersion, digests }
    const insert = this.database
      .insert(serviceTools)
      .values({ serviceId, organisationId: this.organisationId, ...row })
      .onConflictDoUpdate({ target: serviceTools.serviceId, set: { ...row, updatedAt: sql`now()` } })
    return [insert]
  }

  #grantNames(serviceId: string, names: readonly NameClaim[]): BatchItem<'pg'>[] {
    if (names.length === 0) return []
    const rows = names.map((name) => ({ organisationId: this.organisationId, ...name, serviceId }))
    return [this.#freeOrphanedNames(), this.database.insert(publicNames).values(rows).onConflictDoNothing()]
  }

  /** An update that raced a deletion may have left names with a service that is gone. */
  #freeOrphanedNames(): BatchItem<'pg'> {
    const gone = sql`(select id from services where organisation_id = ${this.organisationId} and deleted_at is not null)`
    return this.database.delete(publicNames).where(sql`${publicNames.serviceId} in ${gone}`)
  }

  #replaceInstances(serviceId: string, instances: readonly ServiceInstance[] | undefined): BatchItem<'pg'>[] {
    if (!instances) return []
    const rows = instances.map((instance) => ({
      ...instance,
      serviceId,
      organisationId: this.organisationId,
    }))
    const living = and(eq(serviceInstances.serviceId, serviceId), isNull(serviceInstances.deletedAt))
    const clear = this.database
      .update(serviceInstances)
      .set({ deletedAt: sql`now()` })
      .where(living)
    if (rows.length === 0) return [clear]
    // One that stays keeps its row.
    const kept = { weight: sql`excluded.weight`, deletedAt: null }
    const insert = this.database
      .insert(serviceInstances)
      .values(rows)
      .onConflictDoUpdate({ target: serviceInstances.id, set: kept })
    return [clear, insert]
  }

  #living(id: string) {
    return and(
      eq(services.id, id),
      eq(services.organisationId, this.organisationId),
      isNull(services.deletedAt),
    )
  }
}

const hasRows = (result: unknown): boolean => Array.isArray(result) && result.length > 0

const columnsOf = (fields: ServiceFields) => ({
  url: fields.url,
  transport: fields.transport,
  config: fields.config,
  // Drizzle leaves an undefined column as it was.
  sealedAuth: fields.sealedAuth,
  status: fields.status,
  statusReason: fields.statusReason ?? null,
  lastPingAt: fields.lastPingAt === undefined ? null : new Date(fields.lastPingAt),
})
