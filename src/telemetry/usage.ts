/** What is written down of each tool call; on its way to the table it is JSON text. */
import { cut, elementsOf } from '../protocol/json.ts'

export type UsageRecord = {
  /** A record that arrives twice is stored once. */
  readonly id: string
  readonly organisationId: string
  readonly serviceId: string
  /** The service's own name for it. */
  readonly tool: string
  readonly callerId: string
  readonly callerType: string
  readonly durationMs: number
  readonly status: 'success' | 'error' | 'timeout' | 'refused'
  readonly correlationId: string
  /** Epoch ms. */
  readonly createdAt: number
}

export const usageText = (record: UsageRecord): string => JSON.stringify(record)

/** The texts of the records of an array. */
export const splitUsage = (records: string): readonly string[] =>
  elementsOf(records).map((element) => cut(records, element))
