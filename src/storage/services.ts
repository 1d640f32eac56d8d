/**
 * Writes on services. Each is one transaction that also writes the audit row and advances the registry
 * version; a failed one leaves nothing. Deletion is soft: rows stay, names become free.
 */
import { and, eq, isNull, sql, type SQL } from 'drizzle-orm'
import type { BatchItem } from 'drizzle-orm/batch'
import { ok, type Result } from '../platform/result.ts'
import type { Transport } from '../protocol/transport.ts'
import type { ServiceConfig, ServiceRecord, ServiceStatus } from '../registry/image.ts'
import { type Act, isAsOf, later, RegistryStore, subjectOf } from './commit.ts'
import type { DatabaseFault } from './database.ts'
import { type ServiceDetails, writeDetails } from './details.ts'
import { approvedTools, publicNames, serviceInstances, services, serviceTools, toolsets } from './schema.ts'

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

/** One sealed credential in the place of another. */
export type AuthChange = {
  readonly from: string
  readonly to: string
  /** Why the service cannot be used with it; absent: its status stays. */
  readonly fault?: string | undefined
}

export type ServiceWrite = ServiceDetails & { readonly id: string; readonly fields: ServiceFields }

export class ServiceStore extends RegistryStore {
  /** `moved`: a toolset has this name. */
  insert(name: string, write: ServiceWrite, act: Act): Promise<Result<unknown, DatabaseFault>> {
    const row = {
      id: write.id,
      organisationId: this.organisationId,
      name,
      ...columnsOf(write.fields),
    }
    const insert = this.database.insert(services).values(row)
    return this.commit([insert, ...this.#details(write, act)], act, this.#isNoToolset(name))
  }

  /** What an operator decided on `before`. */
  update(before: ServiceRecord, write: ServiceWrite, act: Act): Promise<Result<unknown, DatabaseFault>> {
    return this.#update(columnsOf(write.fields), write, act, this.#isAsRead(before))
  }

  /** What was found out unasked, on the way to `before`: what operators set stays as it is. */
  refresh(before: ServiceRecord, write: ServiceWrite, act: Act): Promise<Result<unknown, DatabaseFault>> {
    const { transport, statusReason, lastPingAt } = columnsOf(write.fields)
    const row = { transport, statusReason, lastPingAt }
    return this.#update(row, { ...write, instances: undefined }, act, this.#isReachedAs(before))
  }

  setEnabled(before: ServiceRecord, isEnabled: boolean, act: Act): Promise<Result<unknown, DatabaseFault>> {
    const reached = sql`case when ${services.statusReason} is null then 'connected' else 'error' end`
    const row = {
      isEnabled,
      status: isEnabled ? reached : 'disconnected',
      updatedAt: later(services.updatedAt),
    }
    const update = this.database.update(services).set(row).where(this.#living(before.id))
    return this.commit([update], act, this.#isAsRead(before))
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
    const row =
      fault === undefined ? {} : { status, statusReason: fault, updatedAt: later(services.updatedAt) }
    const update = this.database
      .update(services)
      .set({ ...row, sealedAuth: to })
      .where(and(this.#living(id), eq(services.sealedAuth, from)))
      .returning({ id: services.id })
    const written = await this.commit([update], act)
    return written.ok ? ok(hasRows(written.value.at(-1))) : written
  }

  remove(before: ServiceRecord, act: Act): Promise<Result<unknown, DatabaseFault>> {
    const { id } = before
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
      this.#isAsRead(before),
    )
  }

  /** Whether it is enabled stays as it is: what is written may have been read before an operator decided that. */
  #update(
    columns: Partial<typeof services.$inferInsert>,
    write: ServiceWrite,
    act: Act,
    basis: SQL,
  ): Promise<Result<unknown, DatabaseFault>> {
    const status = sql`case when ${services.isEnabled} then ${write.fields.status} else 'disconnected' end`
    const row = { ...columns, status, updatedAt: later(services.updatedAt) }
    const update = this.database.update(services).set(row).where(this.#living(write.id))
    return this.commit([update, ...this.#details(write, act)], act, basis)
  }

  #isNoToolset(slug: string): SQL {
    const { organisationId, deletedAt } = toolsets
    const toolset = and(eq(organisationId, this.organisationId), eq(toolsets.slug, slug), isNull(deletedAt))
    return sql`not exists (select 1 from ${toolsets} where ${toolset})`
  }

  #isAsRead({ id, updatedAt }: ServiceRecord): SQL {
    const row = and(this.#living(id), isAsOf(services.updatedAt, updatedAt))
    return sql`exists (select 1 from ${services} where ${row})`
  }

  /** At the same address, with the credential and the headers that an operator set then. */
  #isReachedAs({ id, url, config: { secretsSetAt } }: ServiceRecord): SQL {
    const setAt = sql`${services.config} ->> 'secretsSetAt'`
    const isSame = sql`${setAt} is not distinct from ${secretsSetAt ?? null}::text`
    const row = and(this.#living(id), eq(services.url, url), isSame)
    return sql`exists (select 1 from ${services} where ${row})`
  }

  #details(write: ServiceWrite, { actor }: Act): BatchItem<'pg'>[] {
    const owner = { organisationId: this.organisationId, serviceId: write.id }
    return writeDetails(this.database, owner, write, subjectOf(actor))
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
