/**
 * `subscriptions/listen` (2026-07-28, "Subscriptions"): one stream for what a modern caller wants to hear, fanned
 * in from the registry and from every upstream whose resources or tasks it names. No memory but the open request.
 */
import { within } from '../platform/deadline.ts'
import { openOutlet } from '../platform/outlet.ts'
import { Slots } from '../platform/slots.ts'
import { editMember } from '../protocol/edit.ts'
import { hopsOf } from '../protocol/hops.ts'
import { LIMITS } from '../protocol/limits.ts'
import { isObject } from '../protocol/message.ts'
import { type Refusal, refuse } from '../protocol/refusal.ts'
import { STREAM_HEADERS, writeEvent } from '../protocol/sse.ts'
import type { KindGroup } from '../registry/snapshot.ts'
import type { ServiceRecord } from '../registry/image.ts'
import { borderOf, taskContext } from './border.ts'
import { connect, type DispatchPorts, speechOf } from './prepare.ts'
import {
  followRegistry,
  type FollowPorts,
  followUpstream,
  LISTENING,
  listChanged,
  type Wanted,
} from './follow.ts'
import { whoOf } from './forward.ts'
import type { Listens } from './listens.ts'
import type { Asked } from './scene.ts'

export type ListenPorts = FollowPorts
type Ports = { readonly dispatch: DispatchPorts; readonly listen: ListenPorts; readonly listens: Listens }

/** What is honoured of what was asked: the acknowledged filter, and whom it concerns. */
type Honoured = {
  readonly groups: readonly KindGroup[]
  readonly filter: Readonly<Record<string, unknown>>
  readonly wanted: ReadonlyMap<ServiceRecord, Wanted>
}

const FLAGS: ReadonlyMap<string, KindGroup> = new Map([
  ['toolsListChanged', 'tools'],
  ['promptsListChanged', 'prompts'],
  ['resourcesListChanged', 'resources'],
])
const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId'

export async function openSubscription(asked: Asked, idText: string, ports: Ports): Promise<Response> {
  if (!asked.acceptsStream) return refuse({ why: 'not_acceptable' }, idText)
  const honoured = await honour(asked, ports.dispatch)
  if ('why' in honoured) return refuse(honoured, idText)
  const slot = ports.listens.takeForPrincipal(asked.principal)
  if (!slot) return refuse({ why: 'rate_limited', retryAfterMs: 10_000 }, idText)
  const outlet = openOutlet(LISTENING)
  outlet.closed.addEventListener('abort', slot.release, { once: true })
  asked.request.signal.addEventListener('abort', outlet.close, { once: true })
  const tell = (text: string): void => outlet.write(writeEvent(stamp(text, idText)))
  const { groups, filter, wanted } = honoured
  const { endpoint, snapshot, background } = asked
  const slots = new Slots()
  const ready = [...wanted].map(([service, names]) =>
    // An upstream that sends no headers before it has something to say must not keep the others waiting.
    slots.use(() =>
      within(LIMITS.hearMs, tellOf(service, names, asked, ports.dispatch, outlet.closed, tell)),
    ),
  )
  if (groups.length > 0) ready.push(ports.listen.watch(snapshot.servicesAt(endpoint), background))
  const follow = async (): Promise<void> => {
    await within(LIMITS.listenOpenMs, Promise.allSettled(ready))
    const params = JSON.stringify({ notifications: filter })
    tell(`{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":${params}}`)
    const onChange = (group: KindGroup): void => tell(listChanged(group))
    const { principal } = asked
    const following = { principal, endpoint, groups, background, closed: outlet.closed, onChange }
    await followRegistry(snapshot, following, ports.listen)
    outlet.close()
  }
  follow().catch(outlet.close)
  return new Response(outlet.stream, { headers: STREAM_HEADERS })
}

/** The id of the request that a message belongs to (2026-07-28, "Receiving Notifications"). */
function stamp(text: string, idText: string): string {
  const whole = editMember(text, ['params'], (raw) => raw ?? '{}')
  const withMeta = editMember(whole, ['params', '_meta'], (raw) => (raw?.startsWith('{') ? raw : '{}'))
  return editMember(withMeta, ['params', '_meta', SUBSCRIPTION_ID], () => idText)
}

async function honour(asked: Asked, { tickets }: DispatchPorts): Promise<Honoured | Refusal> {
  const { message, snapshot, endpoint, principal } = asked
  const given = message.params?.['notifications']
  const notifications = isObject(given) ? given : {}
  const uris = namesIn(notifications['resourceSubscriptions'])
  const taskIds = namesIn(notifications['taskIds'])
  if (!uris) return invalid('notifications.resourceSubscriptions')
  if (!taskIds) return invalid('notifications.taskIds')
  const wanted = new Map<ServiceRecord, { uris: string[]; taskIds: string[] }>()
  const wantOf = (service: ServiceRecord): { uris: string[]; taskIds: string[] } => {
    const names = wanted.get(service) ?? { uris: [], taskIds: [] }
    wanted.set(service, names)
    return names
  }
  const honouredUris = uris.filter((uri) => {
    const target = snapshot.resolveResource(uri, endpoint)
    if (target?.service.isEnabled) wantOf(target.service).uris.push(target.localName)
    return target?.service.isEnabled
  })
  const honouredTasks: string[] = []
  for (const taskId of taskIds) {
    const own = endpoint.is === 'service' ? snapshot.service(endpoint.name) : undefined
    const ticket = own ? undefined : await tickets.tasks.open(taskId, taskContext(principal))
    const service = own ?? (ticket && snapshot.serviceById(ticket.serviceId))
    if (!service) continue
    wantOf(service).taskIds.push(ticket?.taskId ?? taskId)
    honouredTasks.push(taskId)
  }
  const flags = [...FLAGS].filter(([flag]) => notifications[flag] === true)
  const filter = {
    ...Object.fromEntries(flags.map(([flag]) => [flag, true])),
    ...(uris.length > 0 && { resourceSubscriptions: honouredUris }),
    ...(taskIds.length > 0 && { taskIds: honouredTasks }),
  }
  return { groups: flags.map(([, group]) => group), filter, wanted }
}

/** Names that are asked for, `undefined` for anything but a bounded list of texts. */
function namesIn(value: unknown): readonly string[] | undefined {
  if (value === undefined) return []
  const isList = Array.isArray(value) && value.length <= LIMITS.listenNames
  return isList && value.every((name) => typeof name === 'string') ? value : undefined
}

const invalid = (member: string): Refusal => ({
  why: 'invalid_params',
  detail: `${member} must be a list of at most ${LIMITS.listenNames} strings`,
  status: 200,
})

/** Tells what one upstream says; settles when nothing is missed from there on. */
async function tellOf(
  service: ServiceRecord,
  wanted: Wanted,
  asked: Asked,
  ports: DispatchPorts,
  closed: AbortSignal,
  tell: (text: string) => void,
): Promise<void> {
  const { snapshot, background, request } = asked
  const purpose = { hops: hopsOf(request.headers) }
  const connection = await connect(service, background, ports, purpose)
  if (!connection.ok) return
  const speech = speechOf(service, { session: undefined })
  const border = borderOf(
    {
      ...whoOf(asked),
      snapshot,
      service,
      dialect: () => speech.dialect,
      isResumable: false,
      onListChanged: () => undefined,
    },
    ports.tickets,
  )
  const { promise, resolve } = Promise.withResolvers<void>()
  const follow = async (): Promise<void> => {
    for await (const incoming of followUpstream(connection.value, speech, wanted, closed, resolve)) {
      if (incoming.is !== 'notification' || !HEARD.has(incoming.method)) continue
      const text = await border.notification(incoming.method, incoming.text)
      if (text !== undefined) tell(text)
    }
    resolve()
  }
  follow().catch(() => resolve())
  return await promise
}

/** What a caller can ask to hear from an upstream itself; everything else of its stream is not for it. */
const HEARD: ReadonlySet<string> = new Set([
  'notifications/resources/updated',
  'notifications/tasks',
  'notifications/tasks/status',
])
