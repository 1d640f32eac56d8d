/** What clients send without waiting for an answer: replies to what they were asked, and notifications. */
import type { Session } from '../identity/session.ts'
import { err, ok, type Result } from '../platform/result.ts'
import { editMember } from '../protocol/edit.ts'
import { writeObject } from '../protocol/json.ts'
import { hopsOf } from '../protocol/hops.ts'
import { type Reply, UNASKED } from '../protocol/message.ts'
import type { Refusal } from '../protocol/refusal.ts'
import type { Dialect } from '../upstream/connection.ts'
import { tell } from '../upstream/reply.ts'
import { connect, type DispatchPorts } from './prepare.ts'
import type { Asked, Scene } from './scene.ts'

/** Takes a reply to one of our requests, whichever isolate sent it. Nobody asked this session anything else (B60). */
export async function receiveReply(
  reply: Reply,
  session: Session,
  scene: Scene,
  ports: DispatchPorts,
): Promise<Result<void, Refusal>> {
  const ticket = await ports.tickets.requests.open(reply.id, session.name)
  if (!ticket) return err(UNASKED)
  if (ticket.is === 'question') {
    const outcome = writeObject([[reply.member, reply.outcome]])
    const taken = await ports.memory.answer(session, ticket.question, ticket.key, outcome)
    if (!taken.ok) return taken
    return taken.value ? ok(undefined) : err(UNASKED)
  }
  const body = writeObject([
    ['jsonrpc', '"2.0"'],
    ['id', ticket.idText],
    [reply.member, reply.outcome],
    ...(reply.rest ?? []),
  ])
  await say(ticket.serviceId, ticket.dialect, body, scene, ports)
  return ok(undefined)
}

/** Notifications mean something only within a session; others are taken and dropped (B61). */
export async function hearNotification(asked: Asked, ports: DispatchPorts): Promise<void> {
  const { message, session } = asked
  if (!session) return
  switch (message.method) {
    case 'notifications/cancelled':
      return await hearCancelled(asked, session, ports)
    case 'notifications/progress':
      return await hearProgress(asked, session, ports)
    case 'notifications/roots/list_changed':
      return await tellAll(asked, session, ports)
  }
}

/**
 * A call of this isolate is let go, and its legacy upstream told under the id that it knows. One of another isolate
 * is known to its upstream by the same id as here, since such sessions keep the ids of their client.
 */
async function hearCancelled(asked: Asked, session: Session, ports: DispatchPorts): Promise<void> {
  const idText = asked.message.rawParams.get('requestId')
  if (idText === undefined) return
  const call = ports.inFlight.cancel(session, idText)
  if (!call) return await tellAll(asked, session, ports)
  const { connection, trip } = call
  if (trip.dialect.era === 'modern') return
  const body = editMember(notificationOf(asked), ['params', 'requestId'], () => trip.upstreamIdText)
  asked.background(tell(connection, trip.dialect, body))
}

async function hearProgress(asked: Asked, session: Session, ports: DispatchPorts): Promise<void> {
  const token = asked.message.params?.['progressToken']
  const ticket =
    typeof token === 'string' ? await ports.tickets.progress.open(token, session.name) : undefined
  if (!ticket) return
  const body = editMember(notificationOf(asked), ['params', 'progressToken'], () => ticket.token)
  await say(ticket.serviceId, ticket.dialect, body, asked, ports)
}

/** Every upstream that has a session with this client. */
async function tellAll(asked: Asked, session: Session, ports: DispatchPorts): Promise<void> {
  const { upstreams } = await ports.memory.state(session, asked.background)
  const body = notificationOf(asked)
  for (const [serviceId, dialect] of Object.entries(upstreams))
    await say(serviceId, dialect, body, asked, ports)
}

/** Sends in the background: whoever said it needs to know only that it was taken. */
export async function say(
  serviceId: string,
  dialect: Dialect,
  body: string,
  { snapshot, background, request }: Pick<Scene, 'snapshot' | 'background' | 'request'>,
  ports: DispatchPorts,
): Promise<void> {
  const service = snapshot.serviceById(serviceId)
  const purpose = { hops: hopsOf(request.headers), url: dialect.url }
  const connection = service && (await connect(service, background, ports, purpose))
  if (connection?.ok) background(tell(connection.value, dialect, body))
}

const notificationOf = ({ message }: Asked): string =>
  writeObject([
    ['jsonrpc', '"2.0"'],
    ['method', JSON.stringify(message.method)],
    ['params', writeObject(message.rawParams)],
    ...(message.rest ?? []),
  ])
