/** A call's stream that broke off on its way to a legacy client, taken up at the event that it saw last. */
import type { Session } from '../identity/session.ts'
import { Deadline } from '../platform/deadline.ts'
import { hopsOf } from '../protocol/hops.ts'
import { LIMITS } from '../protocol/limits.ts'
import { refuse } from '../protocol/refusal.ts'
import { converse } from '../upstream/converse.ts'
import { resumeAt } from '../upstream/resume.ts'
import { streamPieces } from '../upstream/stream.ts'
import { borderOf } from './border.ts'
import { connect, type DispatchPorts } from './prepare.ts'
import type { Scene } from './scene.ts'

/** The ids of its events are sealed with the upstream's own, so any isolate can ask for the rest. */
export async function resumeCall(
  ticketText: string,
  session: Session,
  scene: Scene,
  ports: DispatchPorts,
): Promise<Response> {
  const { snapshot, endpoint, principal, background, request } = scene
  const ticket = await ports.tickets.events.open(ticketText, session.name)
  const service = ticket && snapshot.serviceById(ticket.serviceId)
  const purpose = { hops: hopsOf(request.headers), url: ticket?.dialect.url }
  const connection = service && (await connect(service, background, ports, purpose))
  if (!ticket || !service || !connection?.ok) return refuse({ why: 'unknown_event' })
  const { dialect, eventId } = ticket
  const deadline = new Deadline(LIMITS.streamTotalMs, request.signal)
  const sent = await resumeAt(
    { connection: connection.value, deadline },
    { dialect, upstreamIdText: undefined },
    eventId,
  )
  if (!sent) {
    deadline.end()
    return refuse({ why: 'unknown_event' })
  }
  const border = borderOf(
    {
      snapshot,
      endpoint,
      service,
      dialect: () => dialect,
      principal,
      era: 'legacy',
      session,
      capabilities: session.capabilities,
      logLevel: undefined,
      isResumable: true,
      onListChanged: () => ports.noteChange(service, background),
    },
    ports.tickets,
  )
  const pieces = converse(
    {
      service: service.name,
      connection: connection.value,
      method: '',
      era: 'legacy',
      capabilities: session.capabilities,
      idText: undefined,
      border,
      inputs: { is: 'none' },
      deadline,
      timeoutMs: LIMITS.streamTotalMs,
      background,
      again: async () => ({ is: 'cancelled' }),
    },
    sent,
  )
  const end = (): void => {
    deadline.end()
    void pieces.return()
  }
  return streamPieces(pieces, { onEnd: end, onAbandon: end })
}
