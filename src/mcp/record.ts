/** What is written down of a tool call. */
import { type UsageRecord, usageText } from '../telemetry/usage.ts'
import type { ServiceRecord } from '../registry/image.ts'
import type { Verdict } from '../upstream/conversation.ts'
import type { Forward } from './forward.ts'

type Course = {
  /** `undefined`: it was never sent. */
  readonly verdict: Verdict | undefined
  readonly status: 'refused' | undefined
  readonly startedAt: number
  readonly now: number
}

/** One record as JSON text. */
export function recordCall(
  { principal, localName = '', correlationId }: Forward,
  service: ServiceRecord,
  { verdict, status, startedAt, now }: Course,
): string {
  const id = crypto.randomUUID()
  return usageText({
    id,
    organisationId: principal.organisationId,
    serviceId: service.id,
    tool: localName,
    callerId: principal.subject,
    callerType: principal.role,
    durationMs: now - startedAt,
    status: status ?? statusOf(verdict),
    correlationId: correlationId ?? id,
    createdAt: now,
  })
}

function statusOf(verdict: Verdict | undefined): UsageRecord['status'] {
  if (verdict?.fault?.is === 'timeout') return 'timeout'
  return verdict?.fault || verdict?.errorCode !== undefined ? 'error' : 'success'
}
