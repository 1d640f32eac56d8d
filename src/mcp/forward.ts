/**
 * A message that an upstream must answer, as plain data: which service, and what to say there. Names cross the
 * border here and nowhere else.
 */
import type { Principal } from '../identity/principal.ts'
import type { Session } from '../identity/session.ts'
import { contextOf, type RequestContext } from '../protocol/context.ts'
import { editMember, readText } from '../protocol/edit.ts'
import { hopsOf } from '../protocol/hops.ts'
import { cut, membersOf } from '../protocol/json.ts'
import type { Message, RawMembers } from '../protocol/message.ts'
import { severityOf } from '../protocol/method.ts'
import type { Mirror } from '../protocol/mirror.ts'
import type { Refusal } from '../protocol/refusal.ts'
import { type Era, META } from '../protocol/version.ts'
import { type Caching, cachingOf } from '../registry/caching.ts'
import { spokenEra } from '../registry/image.ts'
import type { Endpoint, Snapshot, Target } from '../registry/snapshot.ts'
import { withheldTools } from '../registry/withhold.ts'
import type { Remarks } from '../telemetry/audit.ts'
import { taskContext } from './border.ts'
import type { KeepAs } from './keeping.ts'
import type { Asked } from './scene.ts'
import { requireScopeFor } from './scope.ts'
import type { AllTickets } from './tickets.ts'

/** Survives JSON, so that a Durable Object can take it over. */
export type Forward = {
  readonly serviceId: string
  readonly method: string
  /** Raw texts of the members of `params`, under the service's own names. */
  readonly params: readonly (readonly [key: string, raw: string])[]
  /** The service's own name for what is asked for. */
  readonly localName: string | undefined
  /** What the caller calls the tool that it asks for. */
  readonly publicName?: string | undefined
  /** How long the tool may take, where an operator says so. */
  readonly timeoutMs?: number | undefined
  /** Whether results of the tool are given again. */
  readonly caching?: Caching | undefined
  /** What comes of this call is kept. */
  readonly keepAs?: KeepAs | undefined
  readonly mirrors: readonly Mirror[]
  readonly given: unknown
  /** Members of the message that no version knows, raw. */
  readonly rest?: RawMembers
  readonly endpoint: Endpoint
  readonly principal: Principal
  readonly session: Session | undefined
  readonly era: Era
  /** What the caller can do, as raw JSON. */
  readonly capabilities: string
  readonly logLevel: string | undefined
  readonly idText: string
  readonly acceptsJson: boolean
  readonly acceptsStream: boolean
  readonly context: RequestContext
  readonly remarks?: Remarks | undefined
  /** Gateways that it came through before this one. */
  readonly hops: number
}

export type Who = Omit<
  Forward,
  | 'serviceId'
  | 'method'
  | 'params'
  | 'localName'
  | 'publicName'
  | 'timeoutMs'
  | 'caching'
  | 'keepAs'
  | 'mirrors'
  | 'given'
  | 'rest'
  | 'idText'
>

/** A caller that takes no stream can be asked nothing, so upstreams are told that it takes no request. */
export function whoOf({
  message,
  session,
  acceptsStream,
  era,
  endpoint,
  principal,
  acceptsJson,
  request,
  remarks,
}: Asked): Who {
  const level = message.meta?.[META.logLevel]
  const isModern = era === 'modern'
  return {
    endpoint,
    principal,
    session,
    era,
    capabilities: isModern ? declaredIn(message) : acceptsStream && session ? session.capabilities : '{}',
    logLevel: severityOf(level) >= 0 ? String(level) : undefined,
    acceptsJson,
    acceptsStream,
    context: contextOf(message.meta, request),
    ...(remarks && { remarks }),
    hops: hopsOf(request.headers),
  }
}

function declaredIn({ rawParams }: Message): string {
  const meta = rawParams.get('_meta') ?? '{}'
  const span = membersOf(meta).get(META.capabilities)
  return span ? cut(meta, span) : '{}'
}

/** Whether its caller still may use, and would still reach, the tool that it asked for. Anything but a tool call is. */
export function isStillMeant(
  { publicName, endpoint, serviceId, localName, principal }: Forward,
  snapshot: Snapshot,
): boolean {
  if (publicName === undefined) return true
  const target = snapshot.viewFor(principal.agentType).resolve('tool', publicName, endpoint)
  return target?.service.id === serviceId && target.localName === localName
}

type Found = { readonly target: Target; readonly params: ReadonlyMap<string, string> }

/** What goes to which service, or why there is nowhere to go. */
export async function forwardOf(
  message: Message,
  idText: string,
  who: Who,
  snapshot: Snapshot,
  tickets: AllTickets,
): Promise<Forward | Refusal> {
  const found = message.method.startsWith('tasks/')
    ? await findTask(message, who, snapshot, tickets)
    : find(message, who, snapshot)
  if ('why' in found) return found
  const { service, localName, mirrors = [], setting } = found.target
  const unscoped = requireScopeFor(who.principal, message.method, found.target)
  if (unscoped) return unscoped
  if (!service.isEnabled) return { why: 'service_disabled', service: service.name }
  if (message.method === 'tools/call' && withheldTools(service).has(localName)) {
    return { why: 'definition_changed', service: service.name, tool: String(message.params?.['name']) }
  }
  return {
    ...who,
    serviceId: service.id,
    method: message.method,
    params: [...found.params],
    localName: message.method === 'completion/complete' ? undefined : localName,
    publicName: message.method === 'tools/call' ? String(message.params?.['name']) : undefined,
    timeoutMs: setting?.timeoutMs,
    caching: message.method === 'tools/call' ? cachingOf(found.target) : undefined,
    mirrors,
    given: mirrors.length > 0 ? message.params?.['arguments'] : undefined,
    ...(message.rest && { rest: message.rest }),
    idText,
  }
}

function find(message: Message, { endpoint, era, session }: Who, snapshot: Snapshot): Found | Refusal {
  const { method, params, rawParams } = message
  switch (method) {
    case 'tools/call':
    case 'prompts/get': {
      const kind = method === 'tools/call' ? 'tool' : 'prompt'
      const name = String(params?.['name'])
      const target = snapshot.resolve(kind, name, endpoint)
      const isUsable =
        target && (target.mirrors || spokenEra(target.service, session !== undefined) === 'legacy')
      if (!isUsable) return { why: kind === 'tool' ? 'unknown_tool' : 'unknown_prompt', name }
      return { target, params: renamed(rawParams, 'name', name, target.localName) }
    }
    case 'completion/complete':
      return findReference(rawParams, endpoint, era, snapshot)
    default: {
      const uri = String(params?.['uri'])
      const target = snapshot.resolveResource(uri, endpoint)
      if (!target) return { why: 'unknown_resource', uri, era }
      return { target, params: renamed(rawParams, 'uri', uri, target.localName) }
    }
  }
}

function findReference(
  rawParams: ReadonlyMap<string, string>,
  endpoint: Endpoint,
  era: Era,
  snapshot: Snapshot,
): Found | Refusal {
  const ref = rawParams.get('ref') ?? '{}'
  const isPrompt = readText(ref, ['type']) === 'ref/prompt'
  const member = isPrompt ? 'name' : 'uri'
  const name = readText(ref, [member])
  if (name === undefined) {
    return { why: 'invalid_params', detail: `ref.${member} must be a string`, status: 200 }
  }
  const target = isPrompt
    ? snapshot.resolve('prompt', name, endpoint)
    : snapshot.resolveTemplate(name, endpoint)
  if (!target) return isPrompt ? { why: 'unknown_prompt', name } : { why: 'unknown_resource', uri: name, era }
  if (target.localName === name) return { target, params: rawParams }
  const local = editMember(ref, [member], () => JSON.stringify(target.localName))
  return { target, params: new Map(rawParams).set('ref', local) }
}

/** Behind one service its task ids are its own; elsewhere they are sealed, and nobody else's open. */
async function findTask(
  message: Message,
  { endpoint, principal }: Who,
  snapshot: Snapshot,
  tickets: AllTickets,
): Promise<Found | Refusal> {
  const taskId = String(message.params?.['taskId'])
  if (endpoint.is === 'service') {
    const service = snapshot.service(endpoint.name)
    if (!service) return { why: 'unknown_task' }
    return { target: { service, localName: taskId, mirrors: [] }, params: message.rawParams }
  }
  const ticket = await tickets.tasks.open(taskId, taskContext(principal))
  const service = ticket && snapshot.serviceById(ticket.serviceId)
  if (!service) return { why: 'unknown_task' }
  const params = renamed(message.rawParams, 'taskId', taskId, ticket.taskId)
  return { target: { service, localName: ticket.taskId, mirrors: [] }, params }
}

const renamed = (
  params: ReadonlyMap<string, string>,
  member: string,
  name: string,
  local: string,
): ReadonlyMap<string, string> =>
  name === local ? params : new Map(params).set(member, JSON.stringify(local))
