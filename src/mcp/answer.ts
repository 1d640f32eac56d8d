/**
 * What becomes of a message: the gateway's own answers, lists from the snapshot, and what only an upstream can
 * answer. Methods that the ladder let through and no case names go to an upstream.
 */
import type { Clock } from '../platform/clock.ts'
import type { Sessions } from '../identity/session.ts'
import { discoverResult, initializeResult, type Offering } from '../protocol/introduction.ts'
import { checkMirrors } from '../protocol/mirror.ts'
import { refuse } from '../protocol/refusal.ts'
import { accepted, answerWithBytes, answerWithText } from '../protocol/result.ts'
import { negotiateVersion } from '../protocol/version.ts'
import type { OfferKind } from '../registry/kind.ts'
import { keyOf } from '../registry/target.ts'
import { answerCached } from './cache.ts'
import { dispatch } from './dispatch.ts'
import { type DispatchPorts, speechOf } from './prepare.ts'
import { type Forward, forwardOf, whoOf } from './forward.ts'
import { type ListenPorts, openSubscription } from './listen.ts'
import type { Listens } from './listens.ts'
import { type ParkedCalls, returnToParked, shouldPark } from './park.ts'
import { hearNotification } from './receive.ts'
import type { Asked } from './scene.ts'
import { setLogLevel, subscribe } from './session.ts'
import { listTasks } from './task-list.ts'

export type AnswerPorts = {
  readonly clientSessions: Sessions
  readonly dispatch: DispatchPorts
  readonly parked: ParkedCalls
  readonly listen: ListenPorts
  readonly listens: Listens
  readonly clock: Clock
}

const LISTS: ReadonlyMap<string, OfferKind> = new Map<string, OfferKind>([
  ['tools/list', 'tool'],
  ['prompts/list', 'prompt'],
  ['resources/list', 'resource'],
  ['resources/templates/list', 'template'],
])

export async function answer(asked: Asked, ports: AnswerPorts): Promise<Response> {
  const { message } = asked
  const { idText } = message
  if (idText === undefined) {
    await hearNotification(asked, ports.dispatch)
    return accepted()
  }
  const kind = LISTS.get(message.method)
  if (kind) return list(kind, asked, idText)
  switch (message.method) {
    case 'initialize':
      return await initialize(asked, idText, ports)
    case 'server/discover':
      return answerWithText(idText, discoverResult(offeringOf(asked)))
    case 'ping':
      return answerWithText(idText, '{}')
    case 'logging/setLevel':
      return await setLogLevel(asked, idText, ports)
    case 'subscriptions/listen':
      return await openSubscription(asked, idText, ports)
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return await subscribe(asked, idText, ports)
    case 'tasks/list':
      return await listTasks(asked, idText, ports)
    default:
      return await forward(asked, idText, ports)
  }
}

/** A legacy handshake begins a session; its id travels in a header (2025-11-25, "Session Management"). */
async function initialize(asked: Asked, idText: string, ports: AnswerPorts): Promise<Response> {
  const { message, principal, endpoint } = asked
  const version = negotiateVersion(message.params?.['protocolVersion'])
  const capabilities = message.rawParams.get('capabilities')
  const given = capabilities?.startsWith('{') ? capabilities : '{}'
  const { id, session } = await ports.clientSessions.begin(principal, keyOf(endpoint), version, given)
  ports.dispatch.memory.begin(session)
  const response = answerWithText(idText, initializeResult(message, offeringOf(asked)))
  response.headers.set('mcp-session-id', id)
  return response
}

const offeringOf = ({ snapshot, endpoint, era }: Asked): Offering => ({
  capabilities: snapshot.capabilities(endpoint, era),
  instructions: snapshot.instructions(endpoint),
})

function list(kind: OfferKind, { message, era, snapshot, endpoint }: Asked, idText: string): Response {
  const page = snapshot.list(kind, endpoint, era).page(message.params?.['cursor'])
  return page ? answerWithBytes(idText, page) : refuse({ why: 'invalid_cursor' }, idText)
}

async function forward(asked: Asked, idText: string, ports: AnswerPorts): Promise<Response> {
  const { message, era, snapshot, request, background } = asked
  const forward = await forwardOf(message, idText, whoOf(asked), snapshot, ports.dispatch.tickets)
  if ('why' in forward) return refuse(forward, idText)
  const fault =
    era === 'modern'
      ? checkMirrors(forward.mirrors, message.params?.['arguments'], request.headers)
      : undefined
  if (fault) return refuse(fault, idText)
  const live = { snapshot, signal: request.signal, background }
  const isBridged = isLegacyBehindModern(asked, forward)
  // Such an upstream gives no states, so whatever comes as one must be ours.
  if (isBridged && message.params?.['requestState'] !== undefined)
    return await returnToParked(message, forward, ports)
  const isHere = !isBridged || !shouldPark(forward)
  const send = (each: Forward): Promise<Response> =>
    isHere ? dispatch(each, live, ports.dispatch) : ports.parked.start(each)
  if (!forward.caching) return await send(forward)
  const cacheControl = request.headers.get('cache-control')
  return await answerCached(forward, cacheControl, live, ports.dispatch, { send, isHere })
}

/** A modern caller of an upstream that can ask on its own and wait. */
function isLegacyBehindModern({ era, snapshot }: Asked, forward: Forward): boolean {
  const service = era === 'modern' ? snapshot.serviceById(forward.serviceId) : undefined
  return service !== undefined && speechOf(service, forward).dialect.era === 'legacy'
}
