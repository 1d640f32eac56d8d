/** `tasks/list` (2025-11-25, experimental): the tasks of every upstream that this client has a session with. */
import { Deadline } from '../platform/deadline.ts'
import { Slots } from '../platform/slots.ts'
import { cut, elementsOf, writeObject } from '../protocol/json.ts'
import { hopsOf } from '../protocol/hops.ts'
import { LIMITS } from '../protocol/limits.ts'
import { refuse } from '../protocol/refusal.ts'
import { answerWithText } from '../protocol/result.ts'
import { resultMember } from '../upstream/answer.ts'
import type { Dialect } from '../upstream/connection.ts'
import { exchange } from '../upstream/exchange.ts'
import { sealTaskId } from './border.ts'
import { dispatch } from './dispatch.ts'
import { connect, type DispatchPorts } from './prepare.ts'
import { whoOf } from './forward.ts'
import type { Asked } from './scene.ts'
import { rewriteTaskIds } from './task.ts'

type Ports = { readonly dispatch: DispatchPorts }

/** Behind one service its own list, pages and all; elsewhere the lists joined. An upstream that fails is left out. */
export async function listTasks(asked: Asked, idText: string, { dispatch: ports }: Ports): Promise<Response> {
  const { endpoint, snapshot, session, message, request, background } = asked
  if (endpoint.is === 'service') {
    const service = snapshot.service(endpoint.name)
    if (!service) return refuse({ why: 'unknown_task' }, idText)
    const params = [...message.rawParams]
    const own = { serviceId: service.id, method: message.method, params, localName: undefined, mirrors: [] }
    const forward = { ...whoOf(asked), ...own, given: undefined, idText }
    return await dispatch(forward, { snapshot, signal: request.signal, background }, ports)
  }
  const state = session && (await ports.memory.state(session, background))
  const slots = new Slots()
  const lists = await Promise.all(
    Object.entries(state?.upstreams ?? {}).map(([serviceId, dialect]) =>
      slots.use(() => tasksOf(serviceId, dialect, asked, ports)),
    ),
  )
  return answerWithText(idText, writeObject([['tasks', `[${lists.flat().join(',')}]`]]))
}

async function tasksOf(
  serviceId: string,
  dialect: Dialect,
  { snapshot, background, principal, request }: Asked,
  ports: DispatchPorts,
): Promise<readonly string[]> {
  const service = snapshot.serviceById(serviceId)
  if (!service?.catalogue?.legacyCapabilities.includes('"tasks"')) return []
  const purpose = { hops: hopsOf(request.headers), url: dialect.url }
  const connection = await connect(service, background, ports, purpose)
  if (!connection.ok) return []
  const deadline = new Deadline(LIMITS.handshakeTimeoutMs, request.signal)
  const answer = await exchange(connection.value, dialect, 'tasks/list', {}, deadline)
  deadline.end()
  const tasks = answer.ok ? resultMember(answer.value, 'tasks') : undefined
  if (!tasks?.startsWith('[')) return []
  const seal = (taskId: string): Promise<string> => sealTaskId(service, taskId, principal, ports.tickets)
  return await Promise.all(elementsOf(tasks).map((task) => rewriteTaskIds(cut(tasks, task), seal)))
}
