/** What is written down of a call, and of a request that was refused before there was one (S62). */
import type { CallStatus } from '../guard/admission.ts'
import type { Denial } from '../guard/desk.ts'
import type { Note } from '../guard/ledger.ts'
import { callerTypeOf, type Principal } from '../identity/principal.ts'
import { idAt } from '../platform/id.ts'
import { contextOf, correlationIdOf } from '../protocol/context.ts'
import { echo } from '../protocol/echo.ts'
import type { Message } from '../protocol/message.ts'
import { traceIdOf } from '../protocol/trace.ts'
import type { ServiceRecord } from '../registry/image.ts'
import type { AuditRecord, Remarks, Usage } from '../telemetry/audit.ts'
import { kept } from '../telemetry/capture.ts'
import { type Answer, errorCodeOf, isToolError, rawOutcomeOf } from '../upstream/answer.ts'
import type { Verdict } from '../upstream/conversation.ts'
import { refusalOf } from '../upstream/fault.ts'
import type { Forward } from './forward.ts'
import type { MeantTool } from './meant.ts'
import { noteOf } from './note.ts'
import { refusalOfDenial } from './permit.ts'

export type Course = {
  /** `undefined`: it was never sent. */
  readonly verdict: Verdict | undefined
  /** Why it was not let through. */
  readonly denial: Denial | undefined
  readonly startedAt: number
  readonly now: number
  /** Answered from the result cache. */
  readonly isCached?: boolean
  /** What was given and answered is kept as well. */
  readonly isCaptured?: boolean
}

export function noteCall(
  forward: Forward,
  service: ServiceRecord,
  course: Course,
  status = statusOf(course, forward.method),
): Note {
  const { principal, method, localName, context, remarks } = forward
  const { verdict, denial, startedAt, now, isCaptured = false } = course
  const durationMs = now - startedAt
  const isTool = method === 'tools/call'
  const record: AuditRecord = {
    id: idAt(now),
    organisationId: principal.organisationId,
    actor: principal.subject,
    action: `mcp.${method}`,
    target: targetOf(service, method, localName),
    outcome: outcomeOf(course, status, service.name),
    detail: {
      correlationId: context.correlationId,
      agentType: principal.agentType,
      durationMs,
      code: verdict?.answer && errorCodeOf(verdict.answer),
      ...remarks,
    },
    createdAt: now,
    ...(isTool && { usage: usageOf(forward, service, course, status) }),
  }
  const args = forward.params.find(([key]) => key === 'arguments')?.[1]
  const isKept = isCaptured && isTool && !denial
  return noteOf(record, args, isKept ? { input: kept(args), output: outputOf(verdict) } : undefined)
}

/** What a log line says of a call. */
export function lineOfCall(
  { method, localName = '', context }: Forward,
  service: string,
  course: Course,
  status: CallStatus,
) {
  const { verdict, startedAt, now } = course
  return {
    service,
    method,
    ...(method === 'tools/call' && { tool: shown(localName) }),
    outcome: outcomeOf(course, status, service),
    code: verdict?.answer && errorCodeOf(verdict.answer),
    fault: verdict?.fault,
    durationMs: now - startedAt,
    correlationId: context.correlationId,
    traceId: traceIdOf(context.trace),
  }
}

const usageOf = (
  { principal, localName = '' }: Forward,
  { id }: ServiceRecord,
  { verdict, startedAt, now, isCached = false }: Course,
  status: CallStatus,
): Usage => ({
  serviceId: id,
  tool: localName,
  callerType: callerTypeOf(principal),
  durationMs: now - startedAt,
  // A caller that went away was not served either.
  status: status === 'cancelled' ? 'error' : status,
  isCached,
  responseBytes: verdict?.answer?.bytes ?? verdict?.unreadBytes,
})

/** How a call ended. */
export function statusOf(
  { verdict, denial }: Pick<Course, 'verdict' | 'denial'>,
  method: string,
): CallStatus {
  if (denial) return 'refused'
  const fault = verdict?.fault?.is
  if (fault === 'timeout' || fault === 'cancelled') return fault
  if (fault === 'ended') return 'cancelled'
  const isError = verdict?.answer !== undefined && saysError(verdict.answer, method === 'tools/call')
  return fault !== undefined || isError ? 'error' : 'success'
}

/** The service said that it did not do it. An answer so long that it is passed on unread counts as one that did. */
const saysError = (answer: Answer, isTool: boolean): boolean =>
  answer.isError || (isTool && isToolError(answer))

/** By the whole text: a part of a long one keeps all of it in memory. */
const outputOf = (verdict: Verdict | undefined): string | undefined =>
  verdict?.answer
    ? kept(rawOutcomeOf(verdict.answer), verdict.answer.text.length)
    : kept(undefined, verdict?.unreadBytes)

function outcomeOf({ verdict, denial }: Course, status: CallStatus, service: string): string {
  if (denial) return refusalOfDenial(denial, service).why
  const fault = verdict?.fault
  if (fault) return fault.is === 'cancelled' ? 'cancelled' : refusalOf(fault, service).why
  return status === 'error' ? 'error' : 'done'
}

/** Ids of tasks open doors, so they stay out. */
const targetOf = ({ name }: ServiceRecord, method: string, localName: string | undefined): string =>
  localName === undefined || method.startsWith('tasks/') ? name : `${name}/${shown(localName)}`

/** What was refused, and of whom. */
export type Refused = {
  readonly principal: Principal
  readonly request: Request
  /** Absent: there was none, or it could not be read. */
  readonly message?: Message
  readonly remarks?: Remarks | undefined
  /** The tool that it was about, where there is such a tool. */
  readonly tool?: MeantTool | undefined
}

/** What a log line says of it. */
export const lineOfRefusal = (outcome: string, { request, message }: Refused) => ({
  outcome,
  method: echo(message?.method ?? request.method),
  target: refusedTarget(message, request),
  correlationId: correlationIdOf(request),
  traceId: traceIdOf(contextOf(message?.meta, request).trace),
})

export function noteRefusal(why: string, refused: Refused, now: number): Note {
  const { principal, request, message, tool, remarks } = refused
  const record: AuditRecord = {
    id: idAt(now),
    organisationId: principal.organisationId,
    actor: principal.subject,
    action: `mcp.${echo(message?.method ?? request.method)}`,
    target: refusedTarget(message, request),
    outcome: why,
    detail: {
      correlationId: correlationIdOf(request),
      agentType: principal.agentType,
      ...remarks,
    },
    createdAt: now,
    ...(tool && { usage: { ...tool, callerType: callerTypeOf(principal), status: 'refused' } }),
  }
  return noteOf(record, message?.rawParams.get('arguments'))
}

const refusedTarget = (message: Message | undefined, { url }: Request): string =>
  shown(askedFor(message) ?? new URL(url).pathname)

function askedFor(message: Message | undefined): string | undefined {
  const { name, uri } = message?.params ?? {}
  return typeof name === 'string' ? name : typeof uri === 'string' ? uri : undefined
}

/** The query of a URI may hold a secret, and so may what it says of its user (S58). */
const shown = (name: string): string =>
  echo(name.replace(/[?#][^]*$/, '').replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, '$1'))
