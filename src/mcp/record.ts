/** What is written down of a call, and of a request that was refused before there was one (S62). */
import type { Denial } from '../guard/desk.ts'
import type { Note } from '../guard/ledger.ts'
import type { Principal } from '../identity/principal.ts'
import { sha256 } from '../platform/hash.ts'
import { echo } from '../protocol/echo.ts'
import type { Message } from '../protocol/message.ts'
import type { ServiceRecord } from '../registry/image.ts'
import { type AuditRecord, auditText, type Usage } from '../telemetry/audit.ts'
import type { Verdict } from '../upstream/conversation.ts'
import { refusalOf } from '../upstream/fault.ts'
import { correlationIdOf, type Forward } from './forward.ts'
import { refusalOfDenial } from './permit.ts'

type Course = {
  /** `undefined`: it was never sent. */
  readonly verdict: Verdict | undefined
  /** Why it was not let through. */
  readonly denial: Denial | undefined
  readonly startedAt: number
  readonly now: number
}

export function noteCall(forward: Forward, service: ServiceRecord, course: Course): Note {
  const { principal, method, localName, correlationId } = forward
  const { verdict, denial, startedAt, now } = course
  const id = crypto.randomUUID()
  const durationMs = now - startedAt
  const record: AuditRecord = {
    id,
    organisationId: principal.organisationId,
    actor: principal.subject,
    action: `mcp.${method}`,
    target: targetOf(service, method, localName),
    outcome: denial ? refusalOfDenial(denial, service.name).why : outcomeOf(verdict, service.name),
    detail: {
      correlationId: correlationId ?? id,
      agentType: principal.agentType,
      durationMs,
      code: verdict?.errorCode,
    },
    createdAt: now,
    ...(method === 'tools/call' && { usage: usageOf(forward, service, course) }),
  }
  return noteOf(record, forward.params.find(([key]) => key === 'arguments')?.[1])
}

const usageOf = (
  { principal, localName = '' }: Forward,
  { id }: ServiceRecord,
  { verdict, denial, startedAt, now }: Course,
): Usage => ({
  serviceId: id,
  tool: localName,
  callerType: principal.role,
  durationMs: now - startedAt,
  status: denial ? 'refused' : statusOf(verdict),
})

function statusOf(verdict: Verdict | undefined): Usage['status'] {
  if (verdict?.fault?.is === 'timeout') return 'timeout'
  return verdict?.fault || verdict?.errorCode !== undefined ? 'error' : 'success'
}

function outcomeOf(verdict: Verdict | undefined, service: string): string {
  const fault = verdict?.fault
  if (fault) return fault.is === 'cancelled' ? 'cancelled' : refusalOf(fault, service).why
  return verdict?.errorCode === undefined ? 'done' : 'error'
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
}

export function noteRefusal(why: string, { principal, request, message }: Refused, now: number): Note {
  const id = crypto.randomUUID()
  const record = {
    id,
    organisationId: principal.organisationId,
    actor: principal.subject,
    action: `mcp.${echo(message?.method ?? request.method)}`,
    target: shown(askedFor(message) ?? new URL(request.url).pathname),
    outcome: why,
    detail: {
      correlationId: correlationIdOf(request.headers) ?? id,
      agentType: principal.agentType,
    },
    createdAt: now,
  }
  return noteOf(record, message?.rawParams.get('arguments'))
}

function askedFor(message: Message | undefined): string | undefined {
  const { name, uri } = message?.params ?? {}
  return typeof name === 'string' ? name : typeof uri === 'string' ? uri : undefined
}

/** The query of a URI may hold a secret, and so may what it says of its user (S58). */
const shown = (name: string): string =>
  echo(name.replace(/[?#][^]*$/, '').replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, '$1'))

/** A record without arguments takes about as much. */
const RECORD_CHARS = 600
/** Arguments that are longer are not held until the guard is told, but digested at once. */
const HELD_CHARS = 65_536

function noteOf(record: AuditRecord, args: string | undefined): Note {
  if (args === undefined) return { chars: RECORD_CHARS, write: () => auditText(record) }
  if (args.length > HELD_CHARS) return noteDigested(record, digest(args))
  return {
    chars: RECORD_CHARS + args.length,
    write: async () => auditText(record, await digest(args)),
  }
}

const noteDigested = (record: AuditRecord, digested: Promise<string>): Note => ({
  chars: RECORD_CHARS,
  write: async () => auditText(record, await digested),
})

const digest = async (args: string): Promise<string> => (await sha256(args)).slice(0, 32)
