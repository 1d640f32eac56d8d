/**
 * An upstream's answer in the words of the caller: its id, its era, and a body that it accepts. Where nothing
 * needs to change, the bytes pass untouched.
 */
import { cut, isObjectAt, membersOf } from '../protocol/json.ts'
import { errorText } from '../protocol/refusal.ts'
import { STREAM_HEADERS, writeEvent } from '../protocol/sse.ts'
import type { Era } from '../protocol/version.ts'
import type { Answer } from './answer.ts'

export type Delivery = {
  /** The id as the caller wrote it, and as the upstream was asked. */
  readonly idText: string
  readonly upstreamIdText: string
  readonly era: Era
  readonly upstreamEra: Era
  readonly acceptsJson: boolean
  readonly acceptsStream: boolean
}

const MISSING_CAPABILITY = -32021

/** Whether an answer can leave as it came. */
export const isUntouched = (delivery: Delivery): boolean =>
  delivery.idText === delivery.upstreamIdText &&
  !(delivery.era === 'modern' && delivery.upstreamEra === 'legacy')

/** The answer's text for the caller. */
export function rewriteAnswer(answer: Answer, delivery: Delivery): string {
  if (isUntouched(delivery) && answer.members.has('id')) return answer.text
  const body = answer.isError ? 'error' : 'result'
  const span = answer.members.get(body)
  if (!span) return answer.text
  const raw = cut(answer.text, span)
  const needsType =
    !answer.isError && delivery.era === 'modern' && isObjectAt(answer.text, span) && !hasType(raw)
  return `{"jsonrpc":"2.0","id":${delivery.idText},"${body}":${needsType ? withType(raw) : raw}}`
}

/** The whole answer as a response, in the form that the caller accepts. */
export function respondWith(answer: Answer, delivery: Delivery): Response {
  return respondWithText(rewriteAnswer(answer, delivery), delivery, statusOf(answer, delivery))
}

export const respondWithText = (text: string, delivery: Delivery, status = 200): Response =>
  delivery.acceptsJson
    ? new Response(text, { status, headers: { 'content-type': 'application/json' } })
    : new Response(writeEvent(text), { status, headers: STREAM_HEADERS })

/** A modern caller learns of a missing capability by status as well (B113). */
function statusOf(answer: Answer, { era }: Delivery): number {
  const error = era === 'modern' && answer.isError ? answer.members.get('error') : undefined
  if (!error) return 200
  const code = membersOf(answer.text, error.start).get('code')
  return code && Number(cut(answer.text, code)) === MISSING_CAPABILITY ? 400 : 200
}

/** Every modern result says what it is (2026-07-28, "Results"); a legacy upstream's is complete. */
const withType = (raw: string): string =>
  `{"resultType":"complete"${membersOf(raw).size === 0 ? '' : ','}${raw.slice(raw.indexOf('{') + 1)}`

const hasType = (raw: string): boolean => membersOf(raw).has('resultType')

/** Refuses a request that an upstream made on its own; its caller offered it nothing (F23). */
export const refuseUpstreamRequest = (idText: string, method: string): string =>
  errorText({ code: -32601, message: `Method not found: ${method}` }, idText)
