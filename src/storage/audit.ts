/** The audit log as it is read, newest first, and as what is too old leaves it. Absent: neither is done now. */
import { and, desc, eq, gte, lt, or, sql, type SQL } from 'drizzle-orm'
import type { Result } from '../platform/result.ts'
import type { Database, DatabaseFault } from './database.ts'
import { prune, type RetentionPorts } from './retention.ts'
import { auditLog } from './schema.ts'

/** A place in the log: nothing is newer than what comes before it. */
export type AuditPlace = { readonly micros: string; readonly id: string }

export type AuditQuery = {
  readonly from?: Date | undefined
  /** Not itself. */
  readonly to?: Date | undefined
  readonly actor?: string | undefined
  /** A whole action, or the beginning of several: `service.` */
  readonly action?: string | undefined
  readonly outcome?: string | undefined
  readonly target?: string | undefined
  readonly after?: AuditPlace | undefined
  readonly limit: number
}

export type AuditRow = AuditPlace & {
  readonly time: Date
  readonly actor: string
  readonly action: string
  readonly target: string
  readonly outcome: string
  readonly detail: unknown
}

type Ports = RetentionPorts & { readonly reads: Database }

export class AuditStore {
  readonly #ports: Ports

  constructor(ports: Ports) {
    this.#ports = ports
  }

  /** No more than `limit` rows of one organisation. */
  read(organisationId: string, query: AuditQuery): Promise<Result<AuditRow[], DatabaseFault>> {
    const { reads, patience } = this.#ports
    const { id, actor, action, target, outcome, detail, createdAt } = auditLog
    const micros = sql<string>`(extract(epoch from ${createdAt}) * 1000000)::bigint::text`
    const rows = reads
      .select({ id, micros, time: createdAt, actor, action, target, outcome, detail })
      .from(auditLog)
      .where(and(eq(auditLog.organisationId, organisationId), ...conditionsOf(query)))
      .orderBy(desc(createdAt), desc(id))
      .limit(query.limit)
    return patience.read(() => rows.execute())
  }

  prune(days: number): Promise<void> {
    return prune('audit_log', days, this.#ports)
  }
}

function conditionsOf({ from, to, actor, action, outcome, target, after }: AuditQuery): (SQL | undefined)[] {
  return [
    from && gte(auditLog.createdAt, from),
    to && lt(auditLog.createdAt, to),
    actor === undefined ? undefined : eq(auditLog.actor, actor),
    action === undefined ? undefined : beginsWith(action),
    outcome === undefined ? undefined : eq(auditLog.outcome, outcome),
    target === undefined ? undefined : eq(auditLog.target, target),
    after && isAfter(after),
  ]
}

const beginsWith = (action: string): SQL => sql`starts_with(${auditLog.action}, ${action})`

function isAfter({ micros, id }: AuditPlace): SQL | undefined {
  const time = sql`timestamptz 'epoch' + ${micros}::bigint * interval '1 microsecond'`
  return or(
    sql`${auditLog.createdAt} < ${time}`,
    and(sql`${auditLog.createdAt} = ${time}`, sql`${auditLog.id} < ${id}::uuid`),
  )
}
