/**
 * What is written down of every call, refusal and failed authentication: who, what, with what outcome, when. Never
 * arguments, only their digest. On its way to the tables it is JSON text.
 */
import { cut, elementsOf } from '../protocol/json.ts'

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
  /** How often; of a record that stands for several. One that arrives later and counts more takes its place. */
  readonly count?: number
}

export type Usage = {
  readonly serviceId: string
  /** The service's own name for it. */
  readonly tool: string
  readonly callerType: string
  readonly durationMs: number
  readonly status: 'success' | 'error' | 'timeout' | 'refused'
}

/** Somebody who is known was told no by the management API. */
export type ManagementRefusal = Pick<AuditRecord, 'organisationId' | 'actor' | 'target' | 'outcome'> & {
  readonly detail: AuditDetail
}

export const auditText = (record: AuditRecord, argsHash?: string): string =>
  JSON.stringify(argsHash === undefined ? record : { ...record, detail: { ...record.detail, argsHash } })

/** The texts of the records of an array. */
export const splitRecords = (records: string): readonly string[] =>
  elementsOf(records).map((element) => cut(records, element))
