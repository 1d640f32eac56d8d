/** The definitions of tools that operators approved, whole, so that what changed since can be shown. */
import { and, eq, sql } from 'drizzle-orm'
import type { BatchItem } from 'drizzle-orm/batch'
import type { Result } from '../platform/result.ts'
import { type Act, RegistryStore, subjectOf } from './commit.ts'
import type { Database, DatabaseFault } from './database.ts'
import { approvedTools } from './schema.ts'

export type Approval = {
  readonly tool: string
  readonly digest: string
  /** The raw tool. */
  readonly definition: string
}

export type ApprovedTool = Approval & { readonly approvedBy: string; readonly approvedAt: Date }

type Owner = { readonly organisationId: string; readonly serviceId: string }

/** The rows of a write that approves these tools; each takes the place of an earlier approval. */
export function writeApprovals(
  database: Database,
  owner: Owner,
  approvals: readonly Approval[],
  approvedBy: string,
): BatchItem<'pg'>[] {
  if (approvals.length === 0) return []
  const excluded = {
    digest: sql`excluded.digest`,
    definition: sql`excluded.definition`,
    approvedBy: sql`excluded.approved_by`,
    createdAt: sql`now()`,
  }
  const insert = database
    .insert(approvedTools)
    .values(approvals.map((approval) => ({ ...owner, ...approval, approvedBy })))
    .onConflictDoUpdate({ target: [approvedTools.serviceId, approvedTools.tool], set: excluded })
  return [insert]
}

export class ApprovalStore extends RegistryStore {
  /** What was approved of a service, in order of names. */
  read(serviceId: string): Promise<Result<ApprovedTool[], DatabaseFault>> {
    const { tool, digest, approvedBy, createdAt } = approvedTools
    const definition = sql<string>`${approvedTools.definition}::text`
    return this.patience.read(() =>
      this.database
        .select({ tool, digest, definition, approvedBy, approvedAt: createdAt })
        .from(approvedTools)
        .where(
          and(eq(approvedTools.serviceId, serviceId), eq(approvedTools.organisationId, this.organisationId)),
        )
        .orderBy(tool),
    )
  }

  /** What changed since it was read stays as withheld as it is: an approval counts for its digest alone. */
  write(
    serviceId: string,
    approvals: readonly Approval[],
    act: Act,
  ): Promise<Result<unknown, DatabaseFault>> {
    const owner = { organisationId: this.organisationId, serviceId }
    return this.commit(writeApprovals(this.database, owner, approvals, subjectOf(act.actor)), act)
  }
}
