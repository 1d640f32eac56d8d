/**
 * The way of an MCP request, in order: door → caller → body → message → ladder → registry → session → answer.
 * Each step lives in its folder and knows none of the others; the order lives here alone.
 */
import { answer, type AnswerPorts } from './mcp/answer.ts'
import { answerBatch } from './mcp/batch.ts'
import { challenge } from './identity/challenge.ts'
import { endpointOf, unknownEndpoint } from './mcp/endpoint.ts'
import type { Identity } from './identity/identify.ts'
import type { Session } from './identity/session.ts'
import { type MeantTool, toolMeant } from './mcp/meant.ts'
import { receiveReply } from './mcp/receive.ts'
import type { Refused } from './mcp/record.ts'
import type { Scene } from './mcp/scene.ts'
import { requireScope } from './mcp/scope.ts'
import { endSession, openListener } from './mcp/session.ts'
import type { Trail } from './mcp/trail.ts'
import type { Background } from './platform/background.ts'
import type { Hold } from './platform/budget.ts'
import { err, ok, type Result } from './platform/result.ts'
import { readBody } from './protocol/body.ts'
import { acceptsJson, acceptsStream, BODY, climb, type Door, ENTRY } from './protocol/door.ts'
import { checkInbound, eraOf } from './protocol/ladder.ts'
import { LIMITS } from './protocol/limits.ts'
import { decodeBody, decodeElement, type Message, type Reply, UNASKED } from './protocol/message.ts'
import { type Refusal, refuse } from './protocol/refusal.ts'
import { accepted } from './protocol/result.ts'
import { takesBatches } from './protocol/version.ts'
import type { Registry } from './registry/registry.ts'
import { keyOf } from './registry/target.ts'
import type { Remarks } from './telemetry/audit.ts'

export type McpPorts = AnswerPorts & {
  readonly identity: Identity
  readonly registryOf: (organisationId: string) => Registry
  readonly allowedOrigins: readonly string[]
  /** Where refusals are written down. */
  readonly trail: Pick<Trail, 'hear' | 'turnAway'>
}

/**
 * `name`: the last part of `/mcp/:service` or `/mcp/:toolset`; absent: everything. `remarks`: what the caller said where
 * no message of MCP has a place for it.
 */
export async function serveMcp(
  request: Request,
  name: string | undefined,
  ports: McpPorts,
  background: Background,
  remarks?: Remarks,
): Promise<Response> {
  const { headers, method } = request
  const door: Door = { httpMethod: method, headers, allowedOrigins: ports.allowedOrigins }
  const atEntry = climb(ENTRY, door)
  if (atEntry) {
    ports.trail.turnAway(atEntry.why, request, background)
    return refuse(atEntry)
  }
  const caller = await ports.identity.identify(headers, background, name)
  if (!caller.ok) {
    ports.trail.turnAway(caller.error, request, background)
    return challenge(caller.error)
  }
  const principal = caller.value
  const visitor = { request, name, principal, background, remarks }
  const enter: Enter = (idText) => setScene(visitor, ports, idText)
  const hear: Hear = (response, message) => {
    const describe = (): Refused => ({
      principal,
      request,
      remarks,
      ...(message && { message, tool: toolAskedFor(message, visitor, ports) }),
    })
    return ports.trail.hear(response, describe, background)
  }
  const unread = requireScope(principal, 'mcp:read')
  return hear(unread ? refuse(unread) : await serveCaller({ request, door, enter, hear }, ports))
}

/** A request whose caller is known. */
type Visit = { readonly request: Request; readonly door: Door; readonly enter: Enter; readonly hear: Hear }

/** Writes down why a response to this message says no, where it does. */
type Hear = (response: Response, message?: Message) => Response

async function serveCaller(visit: Visit, ports: McpPorts): Promise<Response> {
  const { request, door, enter } = visit
  if (request.method !== 'POST') return await serveSession(await enter(), ports)
  const atBody = climb(BODY, door)
  if (atBody) return refuse(atBody)
  const hold = ports.dispatch.budget.open(request.signal)
  try {
    return await serveBody(visit, hold, ports)
  } finally {
    hold.release()
  }
}

async function serveBody(visit: Visit, hold: Hold, ports: McpPorts): Promise<Response> {
  const bytes = await readBody(visit.request, hold)
  if (!bytes.ok) return refuse(bytes.error)
  const decoded = decodeBody(bytes.value)
  if (!decoded.ok) return refuse(decoded.error.refusal, decoded.error.idText)
  switch (decoded.value.is) {
    case 'message':
      return await serveMessage(decoded.value.message, visit, ports)
    case 'reply':
      return await serveReply(decoded.value.reply, await visit.enter(), ports)
    case 'batch':
      return await serveBatch(decoded.value.texts, visit, ports)
  }
}

/** What the request runs into before its answer, or what it is told instead, under this id. */
type Enter = (idText?: string) => Promise<Result<Scene, Response>>

async function serveMessage(message: Message, visit: Visit, ports: McpPorts): Promise<Response> {
  return visit.hear(await answerMessage(message, visit, ports), message)
}

async function answerMessage(
  message: Message,
  { request: { headers }, enter }: Visit,
  ports: McpPorts,
): Promise<Response> {
  const era = eraOf(message, headers)
  const fault = checkInbound({ message, headers, era })
  if (fault) return refuse(fault, message.idText)
  const scene = await enter(message.idText)
  if (!scene.ok) return scene.error
  const session =
    era === 'legacy' && message.method !== 'initialize' ? await sessionOf(scene.value, ports) : ok(undefined)
  if (!session.ok) return refuse(session.error, message.idText)
  return await answer({ ...scene.value, message, era, session: session.value }, ports)
}

/** Only a legacy session can have been asked something. */
async function serveReply(reply: Reply, scene: Result<Scene, Response>, ports: McpPorts): Promise<Response> {
  if (!scene.ok) return scene.error
  const session = await sessionOf(scene.value, ports)
  if (!session.ok) return refuse(session.error)
  if (!session.value) return refuse(UNASKED)
  const taken = await receiveReply(reply, session.value, scene.value, ports.dispatch)
  return taken.ok ? accepted() : refuse(taken.error)
}

/**
 * Only 2025-03-26 has batches ("Batching"), and their number of messages is bounded (B48, B49). Each message is
 * answered as if it came alone, and without a stream; a handshake must come alone ("Lifecycle").
 */
async function serveBatch(texts: readonly string[], visit: Visit, ports: McpPorts): Promise<Response> {
  const { headers } = visit.request
  if (!takesBatches(headers.get('mcp-protocol-version'))) {
    return refuse(NO_BATCHES)
  }
  if (texts.length > LIMITS.batchMessages) {
    const detail = `a batch holds at most ${LIMITS.batchMessages} messages`
    return refuse({ why: 'invalid_request', detail })
  }
  const scene = await visit.enter()
  if (!scene.ok) return scene.error
  const session = await sessionOf(scene.value, ports)
  if (!session.ok) return refuse(session.error)
  if (session.value && !takesBatches(session.value.protocolVersion)) return refuse(NO_BATCHES)
  const alone = ok({ ...scene.value, acceptsJson: true, acceptsStream: false })
  const serveOne = async (decoded: ReturnType<typeof decodeElement>): Promise<Response> => {
    if (!decoded.ok) return refuse(decoded.error.refusal, decoded.error.idText)
    if (decoded.value.is === 'reply') return await serveReply(decoded.value.reply, alone, ports)
    if (decoded.value.is === 'batch') return refuse({ why: 'invalid_request' })
    const { message } = decoded.value
    if (message.method !== 'initialize')
      return await serveMessage(message, { ...visit, enter: async () => alone }, ports)
    return refuse({ why: 'invalid_request', detail: 'initialize must come alone' }, message.idText)
  }
  const messages = texts.map((text) => {
    const decoded = decodeElement(text)
    const idText = decoded.ok && decoded.value.is === 'message' ? decoded.value.message.idText : undefined
    return { idText, answer: async () => visit.hear(await serveOne(decoded)) }
  })
  return await answerBatch(messages, ports.dispatch.budget.open(scene.value.request.signal))
}

const NO_BATCHES: Refusal = { why: 'invalid_request', detail: 'batches are not supported' }

/** GET listens, DELETE ends; the door has seen that a session is named. */
async function serveSession(scene: Result<Scene, Response>, ports: McpPorts): Promise<Response> {
  if (!scene.ok) return scene.error
  const session = await sessionOf(scene.value, ports)
  if (!session.ok || !session.value) return refuse({ why: 'unknown_session' })
  const { method } = scene.value.request
  return method === 'GET'
    ? await openListener(session.value, scene.value, ports)
    : await endSession(session.value, scene.value, ports)
}

/** The session that a legacy request names; an id that opens none is refused, so that its client begins anew (B85). */
async function sessionOf(
  { request, principal, endpoint, background }: Scene,
  { clientSessions, dispatch: { memory } }: McpPorts,
): Promise<Result<Session | undefined, Refusal>> {
  const id = request.headers.get('mcp-session-id')
  if (id === null) return ok(undefined)
  const session = await clientSessions.open(id, principal, keyOf(endpoint))
  if (!session || (await memory.state(session, background)).isEnded) return err({ why: 'unknown_session' })
  return ok(session)
}

type Visitor = Pick<Scene, 'request' | 'principal' | 'background' | 'remarks'> & {
  readonly name: string | undefined
}

async function setScene(
  { request, name, principal, background, remarks }: Visitor,
  { registryOf }: McpPorts,
  idText?: string,
): Promise<Result<Scene, Response>> {
  const current = await registryOf(principal.organisationId).current(background)
  if (!current.ok) return err(refuse(current.error, idText))
  const snapshot = current.value.viewFor(principal.agentType)
  const endpoint = endpointOf(request, name, snapshot)
  if (!endpoint) return err(unknownEndpoint())
  const accept = request.headers.get('accept')
  return ok({
    request,
    principal,
    snapshot,
    endpoint,
    acceptsJson: acceptsJson(accept),
    acceptsStream: acceptsStream(accept),
    background,
    remarks,
  })
}

/** The tool that a call was about which was refused, as far as this isolate knows. */
function toolAskedFor(
  message: Message,
  { request, name, principal }: Visitor,
  { registryOf }: McpPorts,
): MeantTool | undefined {
  const { snapshot } = registryOf(principal.organisationId).held
  const endpoint = snapshot && endpointOf(request, name, snapshot)
  return endpoint && toolMeant(message, endpoint, snapshot)
}
