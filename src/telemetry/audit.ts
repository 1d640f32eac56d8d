/**
 * What is written down of every call, refusal and failed authentication: who, what, with what outcome, when. Of
 * arguments only their digest, unless an operator wants them kept (capture.ts). On its way to the tables it is JSON text.
 */
import { editMember, readMember } from '../protocol/edit.ts'
import { cut, elementsOf } from '../protocol/json.ts'
import { withoutRoom } from './capture.ts'

export type AuditRecord = {
  /** A record that arrives twice is stored once. */
  readonly id: string
  readonly organisationId: string
  readonly actor: string
  /** `<thing>.<verb>`. */
  readonly action: string
  readonly target: string
  /** `done`, `error` (of the upstream's own), `cancelled`, or why not. */
  readonly outcome: string
  readonly detail: AuditDetail
  /** Epoch ms. */
  readonly createdAt: number
  /** Of calls of tools. */
  readonly usage?: Usage
}

export type AuditDetail = {
  readonly correlationId?: string
  readonly agentType?: string | undefined
  readonly durationMs?: number
  /** SHA-256 of the raw text of the arguments, its first 128 bits in hexadecimal. */
  readonly argsHash?: string
  /** The code of the upstream's error. */
  readonly code?: number | undefined
  /** HTTP. */
  readonly status?: number
  /** Where callers connected from whom nobody knows, as the platform tells it. */
  readonly source?: string
  /** What a caller says of its request; nothing is decided on it. */
  readonly agentId?: string | undefined
  readonly priority?: string | undefined
  /** How often; of a record that stands for several. One that arrives later and counts more takes its place. */
  readonly count?: number
}

/** What a caller says of its request for the record alone. */
export type Remarks = Pick<AuditDetail, 'agentId' | 'priority'>

export type Usage = {
  readonly serviceId: string
  /** The service's own name for it. */
  readonly tool: string
  readonly callerType: CallerType
  /** Absent: it was refused before its time began. */
  readonly durationMs?: number
  readonly status: UsageStatus
  /** Answered from the result cache. */
  readonly isCached?: boolean
  /** What its service sent, decoded. */
  readonly responseBytes?: number | undefined
}

export const USAGE_STATUSES = ['success', 'error', 'timeout', 'refused'] as const
export type UsageStatus = (typeof USAGE_STATUSES)[number]

export type CallerType = 'agent' | 'skill' | 'user'

/** What is found out when a record is written, since it costs more than a call has time for. */
export type Particulars = {
  readonly argsHash?: string
  /** Of the arguments. */
  readonly requestBytes?: number
  /** Raw JSON. */
  readonly input?: string | undefined
  readonly output?: string | undefined
}

/** Somebody who is known was told no by the management API. */
export type ManagementRefusal = Pick<AuditRecord, 'organisationId' | 'actor' | 'target' | 'outcome'> & {
  readonly detail: AuditDetail
}

export function auditText(record: AuditRecord, { argsHash, ...given }: Particulars = {}): string {
  const detail = { ...record.detail, argsHash }
  return JSON.stringify({ ...record, detail, ...(record.usage && { usage: { ...record.usage, ...given } }) })
}

/** The same record without input and output, where it has them. */
export function withoutCapture(text: string): string {
  const read = readMember(text, ['usage'])
  if (read === undefined) return text
  const emptied = (usage: string, member: 'input' | 'output'): string =>
    editMember(usage, [member], (raw) => raw && JSON.stringify(withoutRoom(raw)))
  return editMember(text, ['usage'], () => emptied(emptied(read, 'input'), 'output'))
}

/** The texts of the records of an array. */
export const splitRecords = (records: string): readonly string[] =>
  elementsOf(records).map((element) => cut(records, element))
