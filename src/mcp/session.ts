/** What legacy clients do with their sessions: log level, subscriptions, listening, resuming, ending. */
import type { Session } from '../identity/session.ts'
import { Deadline } from '../platform/deadline.ts'
import { hopsOf } from '../protocol/hops.ts'
import { refuse } from '../protocol/refusal.ts'
import { answerWithText } from '../protocol/result.ts'
import type { Dialect } from '../upstream/connection.ts'
import { endSession as endUpstreamSession, exchange } from '../upstream/exchange.ts'
import { LIMITS } from '../protocol/limits.ts'
import { dispatch } from './dispatch.ts'
import { connect, type DispatchPorts, speechOf } from './prepare.ts'
import { forwardOf, whoOf } from './forward.ts'
import type { Listens } from './listens.ts'
import { resumeCall } from './resume.ts'
import type { Asked, Scene } from './scene.ts'

type Ports = { readonly dispatch: DispatchPorts; readonly listens: Listens }

/** The level holds for every upstream, those that are called later included. Without a session nobody is told. */
export async function setLogLevel(
  asked: Asked,
  idText: string,
  { dispatch: ports }: Ports,
): Promise<Response> {
  const { session, message } = asked
  if (session) {
    const level = String(message.params?.['level'])
    const kept = await ports.memory.setLogLevel(session, level)
    if (!kept.ok) return refuse(kept.error, idText)
    await Promise.all(
      Object.entries(kept.value).map(([serviceId, dialect]) =>
        tellLevel(serviceId, dialect, level, asked, ports),
      ),
    )
  }
  return answerWithText(idText, '{}')
}

/** A call that follows is logged at the new level, unless its upstream is slow to take it. */
async function tellLevel(
  serviceId: string,
  dialect: Dialect,
  level: string,
  { snapshot, background, request }: Asked,
  ports: DispatchPorts,
): Promise<void> {
  const service = snapshot.serviceById(serviceId)
  const purpose = { hops: hopsOf(request.headers), url: dialect.url }
  const connection = service && (await connect(service, background, ports, purpose))
  if (!connection?.ok) return
  const deadline = new Deadline(LIMITS.levelTimeoutMs)
  await exchange(connection.value, dialect, 'logging/setLevel', { level }, deadline)
  deadline.end()
}

/** A legacy upstream is told in the client's own session there; a modern one when the client listens. */
export async function subscribe(asked: Asked, idText: string, { dispatch: ports }: Ports): Promise<Response> {
  const { session, message, snapshot, request, background } = asked
  if (!session) return refuse({ why: 'session_needed', method: message.method }, idText)
  const forward = await forwardOf(message, idText, whoOf(asked), snapshot, ports.tickets)
  if ('why' in forward) return refuse(forward, idText)
  const service = snapshot.serviceById(forward.serviceId)
  const { dialect } = service ? speechOf(service, forward) : { dialect: undefined }
  const uri = forward.localName ?? ''
  const act = message.method === 'resources/subscribe' ? 'subscribe' : 'unsubscribe'
  const kept = await ports.memory[act](session, forward.serviceId, uri)
  if (!kept.ok) return refuse(kept.error, idText)
  if (dialect?.era === 'modern') return answerWithText(idText, '{}')
  return await dispatch(forward, { snapshot, signal: request.signal, background }, ports)
}

/** GET: what is said outside of any call, or the rest of a call whose stream broke off. */
export async function openListener(session: Session, scene: Scene, ports: Ports): Promise<Response> {
  if (!scene.acceptsStream) return refuse({ why: 'not_acceptable' })
  const last = scene.request.headers.get('last-event-id') ?? ''
  if (last.startsWith('u')) return await resumeCall(last.slice(1), session, scene, ports.dispatch)
  const slot = ports.listens.takeForSession(session)
  if (!slot) return refuse({ why: 'rate_limited', retryAfterMs: 10_000 })
  const { endpoint, principal } = scene
  const response = await ports.dispatch.memory.listen(session, {
    endpoint,
    principal,
    session,
    lastEventId: last,
    hops: hopsOf(scene.request.headers),
  })
  return slot.hold(response)
}

/** DELETE: the client is done; its sessions with upstreams end as well. */
export async function endSession(
  session: Session,
  scene: Scene,
  { dispatch: ports }: Ports,
): Promise<Response> {
  const ended = await ports.memory.end(session)
  if (!ended.ok) return refuse(ended.error)
  const hops = hopsOf(scene.request.headers)
  for (const [serviceId, dialect] of Object.entries(ended.value)) {
    const service = scene.snapshot.serviceById(serviceId)
    const purpose = { hops, url: dialect.url }
    const connection = service && (await connect(service, scene.background, ports, purpose))
    if (!connection?.ok) continue
    const deadline = new Deadline(LIMITS.handshakeTimeoutMs)
    scene.background(endUpstreamSession(connection.value, dialect, deadline).finally(() => deadline.end()))
  }
  return new Response(null, { status: 204 })
}
