/**
 * What a forward needs on its way to its upstream: credential, dialect, session, border. Runs where the request came
 * in, or in the Durable Object of a call that may have to wait for its caller.
 */
import { type BorderSides, borderOf } from './border.ts'
import type { Credentials } from './credential.ts'
import type { Forward } from './forward.ts'
import type { Guard } from '../guard/guard.ts'
import type { InFlight } from './inflight.ts'
import type { SessionMemory, SessionState } from './memory.ts'
import type { Guarded } from './permit.ts'
import type { ByteBudget } from '../platform/budget.ts'
import type { Background } from '../platform/background.ts'
import type { Clock } from '../platform/clock.ts'
import { err, ok, type Result } from '../platform/result.ts'
import { contextFor, type RequestContext } from '../protocol/context.ts'
import type { Refusal } from '../protocol/refusal.ts'
import { Keeping } from './keeping.ts'
import { askOf } from './question.ts'
import type { Results } from './results.ts'
import { type ServiceRecord, spokenEra } from '../registry/image.ts'
import type { Snapshot } from '../registry/snapshot.ts'
import type { Log } from '../telemetry/log.ts'
import type { AllTickets } from './tickets.ts'
import { type Connection, type Dialect, spokenAt } from '../upstream/connection.ts'
import type { Verdict } from '../upstream/conversation.ts'
import { fitsHeaders } from '../upstream/outgoing.ts'
import { type Inputs, takesAnyRequest } from '../upstream/input.ts'
import type { SessionOwner, UpstreamSessions } from '../upstream/session.ts'
import type { UpstreamCall } from '../upstream/transmit.ts'

export type DispatchPorts = {
  /** How the service is guarded; its addresses are those that may be called under the policy of today. */
  readonly guardedBy: (service: ServiceRecord) => Guarded | undefined
  /** Sees that it is known where the names of its addresses lead; `undefined`: it is. */
  readonly review: (service: ServiceRecord, background: Background) => Promise<unknown> | undefined
  readonly guard: Guard
  readonly clock: Clock
  readonly sessions: UpstreamSessions
  readonly memory: SessionMemory
  readonly inFlight: InFlight
  readonly tickets: AllTickets
  readonly credentials: Pick<Credentials, 'get' | 'renew'>
  /** Asks a service that was never reached what it offers. */
  readonly recover: (service: ServiceRecord, background: Background) => Promise<void>
  /** A service said that what it offers has changed. */
  readonly noteChange: (service: ServiceRecord, background: Background) => void
  /** A service does not know what it offered. */
  readonly noteMismatch: (service: ServiceRecord, background: Background) => void
  readonly budget: ByteBudget
  /** Whether what tools are given and answer is recorded too. */
  readonly capturesCalls: boolean
  readonly results: Results
  readonly log: Log
}

/** The part of a request that lives only as long as it. */
export type Live = {
  readonly snapshot: Snapshot
  readonly signal: AbortSignal
  readonly background: Background
}

/** A call that may be sent, to whichever instance. */
export type Prepared = {
  readonly service: ServiceRecord
  readonly guarded: Guarded
  /** The instance that the caller has a session with. */
  readonly prefers: string | undefined
  /** The call to this instance, which may take `timeoutMs`. */
  readonly callTo: (url: string, timeoutMs: number, onOver: (verdict: Verdict) => void) => UpstreamCall
  /** After the upstream refused the credential: calls from here on have another, where there is one (F10). */
  readonly renewCredential: () => Promise<'renewed' | 'same' | Refusal>
}

/** Everything that a call to its upstream needs. `inputs`: how the caller is asked, where that is decided already. */
export async function prepareCall(
  forward: Forward,
  live: Live,
  ports: DispatchPorts,
  inputs?: Inputs,
): Promise<Result<Prepared, Refusal>> {
  const service = live.snapshot.serviceById(forward.serviceId)
  if (!service)
    return err({ why: 'upstream_unreachable', service: forward.serviceId, reason: 'it was removed' })
  const reached = await connect(service, live.background, ports, forward)
  if (!reached.ok) return reached
  const known = ports.guardedBy(service)
  if (!known) return err(notCallable(service))
  const guarded = forward.timeoutMs === undefined ? known : { ...known, timeoutMs: forward.timeoutMs }
  const state = forward.session && (await ports.memory.state(forward.session, live.background))
  const { dialect, isStateful } = speechOf(service, forward)
  if (dialect.era === 'modern' && !fitsHeaders({ ...forward, name: forward.localName })) {
    return err({ why: 'invalid_params', detail: TOO_LONG, status: 200 })
  }
  const hasSession = isStateful || service.transport === 'sse'
  const owner = hasSession ? ownerOf(service, forward, state, ports) : undefined
  const { session } = forward
  const prefers = owner && (ports.sessions.urlOf(owner) ?? state?.upstreams[service.id]?.url)
  let { auth } = reached.value
  const renewCredential: Prepared['renewCredential'] = async () => {
    const renewed = await ports.credentials.renew(service, auth, live.background)
    if ('why' in renewed) return renewed
    const outcome = renewed === auth ? 'same' : 'renewed'
    auth = renewed
    return outcome
  }
  const callTo: Prepared['callTo'] = (url, timeoutMs, onOver) => {
    const connection = { ...reached.value, url, auth }
    let spoken = spokenAt(dialect, connection)
    const sides = sidesOf(service, forward, live, ports, () => spoken)
    const keeping = forward.keepAs && new Keeping(forward.keepAs, ports, live.background)
    const border = borderOf(sides, ports.tickets)
    const ways = inputs ?? inputsOf(forward, dialect, ports)
    return {
      ...forward,
      service: service.name,
      connection,
      dialect: spoken,
      owner,
      keepsId: owner?.home !== undefined,
      params: paramsFor(forward, dialect),
      name: forward.localName,
      logLevel: forward.logLevel ?? (session ? (state?.logLevel ?? DEFAULT_LOG_LEVEL) : undefined),
      timeoutMs,
      border: keeping?.border(border) ?? border,
      inputs: keeping?.inputs(ways) ?? ways,
      signal: live.signal,
      background: live.background,
      onSend: (trip, deadline) => {
        spoken = trip.dialect
        if (session) ports.inFlight.add(session, forward.idText, connection, trip, deadline)
      },
      onOver,
    }
  }
  return ok({ service, guarded, prefers, callTo, renewCredential })
}

const TOO_LONG = 'what the request is about is too long for the headers that must repeat it'

/** What a legacy client is told that has set no level, as its server may choose (2025-11-25, "Logging"). */
const DEFAULT_LOG_LEVEL = 'info'

/** What a connection is for: gateways that its request came through, what travels with it, the instance that it wants. */
type Purpose = {
  readonly hops?: number
  readonly context?: RequestContext
  readonly url?: string | undefined
}

/** How to reach a service, at `url` where that is one of its instances, or why it must not or cannot be called. */
export async function connect(
  service: ServiceRecord,
  background: Background,
  ports: Pick<DispatchPorts, 'guardedBy' | 'review' | 'credentials' | 'recover' | 'budget'>,
  { hops = 0, context: given, url }: Purpose = {},
): Promise<Result<Connection, Refusal>> {
  const { name, transport, config } = service
  const review = ports.review(service, background)
  if (review) await review
  const instances = ports.guardedBy(service)?.instances
  if (!instances) return err(notCallable(service))
  if (!service.catalogue) {
    background(ports.recover(service, background))
    const reason = 'it was away when it was registered and is being contacted now'
    return err({ why: 'upstream_unreachable', service: name, reason })
  }
  const instance = instances.find((each) => each.url === url) ?? instances[0]
  const auth = await ports.credentials.get(service, background)
  if ('why' in auth) return err(auth)
  const isOneOfSeveral = instances.length > 1
  const { budget } = ports
  const { headers = NO_HEADERS } = config
  const context = given && contextFor(given, config.trusted === true)
  return ok({ url: instance.url, isOneOfSeveral, transport, headers, auth, hops, context, budget })
}

const NO_HEADERS: Connection['headers'] = {}

const notCallable = ({ name }: ServiceRecord): Refusal => ({
  why: 'upstream_unreachable',
  service: name,
  reason: 'its address may not be called here, an operator must change it',
})

/** How a service is spoken to on behalf of a caller, in words of its own choice where there is one. */
export function speechOf(
  service: ServiceRecord,
  { session }: Pick<Forward, 'session'>,
): { readonly dialect: Dialect; readonly isStateful: boolean } {
  const { protocolVersion = '', legacyVersion, isStateful = false } = service.catalogue ?? {}
  if (spokenEra(service, session !== undefined) === 'modern')
    return { dialect: { era: 'modern', protocolVersion }, isStateful: false }
  return { dialect: { era: 'legacy', protocolVersion: legacyVersion ?? protocolVersion }, isStateful }
}

/** Sessions of a client are its own; a caller without one has one for all that it says with the same abilities. */
export function ownerOf(
  service: Pick<ServiceRecord, 'id' | 'url'>,
  forward: Pick<Forward, 'session' | 'principal' | 'capabilities' | 'logLevel'>,
  state: Pick<SessionState, 'logLevel'> | undefined,
  { memory }: Pick<DispatchPorts, 'memory'>,
): SessionOwner {
  const { session, principal, capabilities } = forward
  const place = `${service.id}|${service.url}`
  if (session) {
    const home = memory.homeOf(session, service.id)
    return {
      key: `${place}|${session.name}`,
      capabilities: session.capabilities,
      logLevel: state?.logLevel,
      home,
    }
  }
  const logLevel = forward.logLevel
  const key = `${place}|${principal.subject}|${capabilities}|${logLevel ?? ''}`
  return { key, capabilities, logLevel }
}

/** What a modern caller brings back concerns the gateway alone where the upstream is a legacy one. */
function paramsFor({ params, era }: Forward, dialect: Dialect): ReadonlyMap<string, string> {
  const kept = new Map(params)
  if (era === 'modern' && dialect.era === 'legacy') {
    kept.delete('inputResponses')
    kept.delete('requestState')
  }
  return kept
}

function inputsOf(forward: Forward, dialect: Dialect, ports: DispatchPorts): Inputs {
  const { session, acceptsStream } = forward
  const canBeAsked =
    session && acceptsStream && dialect.era === 'modern' && takesAnyRequest(session.capabilities)
  return canBeAsked ? { is: 'ask', ask: askOf(session, ports) } : { is: 'none' }
}

export const sidesOf = (
  service: ServiceRecord,
  forward: Forward,
  { snapshot, background }: Pick<Live, 'snapshot' | 'background'>,
  ports: Pick<DispatchPorts, 'noteChange'>,
  dialect: () => Dialect,
): BorderSides => ({
  ...forward,
  snapshot,
  service,
  dialect,
  session: forward.acceptsStream ? forward.session : undefined,
  // The progress of a task is told to whoever asks for the task, under the token of the call that began it.
  call: forward.method.startsWith('tasks/') ? undefined : forward,
  isResumable: forward.acceptsStream,
  onListChanged: () => ports.noteChange(service, background),
})
