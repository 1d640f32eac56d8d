/**
 * The way of an MCP request, in order: door → caller → body → message → ladder → registry → answer. Each step
 * lives in its folder and knows none of the others; the order lives here alone.
 */
import type { Identity } from './identity/identify.ts'
import { challenge } from './identity/challenge.ts'
import type { Principal } from './identity/principal.ts'
import type { Background } from './platform/background.ts'
import { readBody } from './protocol/body.ts'
import { acceptsJson, acceptsStream, BODY, climb, type Door, ENTRY } from './protocol/door.ts'
import { discoverResult, initializeResult } from './protocol/introduction.ts'
import { checkInbound, eraOf } from './protocol/ladder.ts'
import { decodeMessage, type Message } from './protocol/message.ts'
import { checkMirrors } from './protocol/mirror.ts'
import { type Refusal, refuse } from './protocol/refusal.ts'
import { accepted, answerWith, answerWithBytes } from './protocol/result.ts'
import type { Era } from './protocol/version.ts'
import type { Registry } from './registry/registry.ts'
import type { Endpoint, Snapshot, Target } from './registry/snapshot.ts'

export type McpPorts = {
  readonly identity: Identity
  readonly registry: Registry
  readonly allowedOrigins: readonly string[]
  readonly callTool: (call: TargetCall) => Promise<Response>
}

/** A tools/call that may go: who, what, and how the answer must look. */
export type TargetCall = {
  readonly target: Target
  readonly principal: Principal
  readonly message: Message
  readonly era: Era
  readonly idText: string
  readonly acceptsJson: boolean
  readonly acceptsStream: boolean
  readonly signal: AbortSignal
  readonly background: Background
}

type Asked = {
  readonly message: Message
  readonly idText: string
  readonly era: Era
  readonly snapshot: Snapshot
  readonly endpoint: Endpoint
  readonly principal: Principal
  readonly request: Request
  readonly background: Background
}

/** `service`: the last part of `/mcp/:service`; absent: everything. */
export async function serveMcp(
  request: Request,
  service: string | undefined,
  ports: McpPorts,
  background: Background,
): Promise<Response> {
  const { headers } = request
  const door: Door = { httpMethod: request.method, headers, allowedOrigins: ports.allowedOrigins }
  const atEntry = climb(ENTRY, door)
  if (atEntry) return refuse(atEntry)
  const caller = await ports.identity.identify(headers)
  if (!caller.ok) return challenge(caller.error)
  const atBody = climb(BODY, door)
  if (atBody) return refuse(atBody)
  const bytes = await readBody(request)
  if (!bytes.ok) return refuse(bytes.error)
  const decoded = decodeMessage(bytes.value)
  if (!decoded.ok) return refuse(decoded.error.refusal, decoded.error.idText)
  const message = decoded.value
  const era = eraOf(message, headers)
  const fault = checkInbound({ message, headers, era })
  if (fault) return refuse(fault, message.idText)
  const current = await ports.registry.current(background)
  if (!current.ok) return refuse(current.error, message.idText)
  const endpoint = endpointOf(request, service, current.value)
  if (!endpoint) return unknownEndpoint()
  if (message.idText === undefined) return accepted()
  const asked = {
    message,
    idText: message.idText,
    era,
    snapshot: current.value,
    endpoint,
    principal: caller.value,
    request,
  }
  return await answer({ ...asked, background }, ports)
}

function answer(asked: Asked, ports: McpPorts): Response | Promise<Response> {
  const { message, idText } = asked
  switch (message.method) {
    case 'initialize':
      return answerWith(idText, initializeResult(message))
    case 'server/discover':
      return answerWith(idText, discoverResult())
    case 'ping':
      return answerWith(idText, {})
    case 'tools/list':
      return listTools(asked)
    case 'tools/call':
      return callTool(asked, ports)
    default:
      return refuse({ why: 'unknown_method', method: message.method, status: 200 }, idText)
  }
}

function listTools({ message, idText, era, snapshot, endpoint }: Asked): Response {
  const page = snapshot.tools(endpoint, era).page(message.params?.['cursor'])
  return page ? answerWithBytes(idText, page) : refuse({ why: 'invalid_cursor' }, idText)
}

function callTool(asked: Asked, ports: McpPorts): Response | Promise<Response> {
  const { message, idText, era, principal, request, background } = asked
  const target = findTool(asked)
  if ('why' in target) return refuse(target, idText)
  const fault =
    era === 'modern'
      ? checkMirrors(target.mirrors, message.params?.['arguments'], request.headers)
      : undefined
  if (fault) return refuse(fault, idText)
  const accept = request.headers.get('accept')
  const accepts = { acceptsJson: acceptsJson(accept), acceptsStream: acceptsStream(accept) }
  return ports.callTool({
    target,
    principal,
    message,
    era,
    idText,
    ...accepts,
    signal: request.signal,
    background,
  })
}

function findTool({ message, snapshot, endpoint }: Asked): Target | Refusal {
  const name = String(message.params?.['name'])
  const target = snapshot.resolveTool(name, endpoint)
  if (!target) return { why: 'unknown_tool', name }
  return target.service.isEnabled ? target : { why: 'service_disabled', service: target.service.name }
}

function endpointOf(request: Request, service: string | undefined, snapshot: Snapshot): Endpoint | undefined {
  if (service !== undefined) return snapshot.service(service) ? { is: 'service', name: service } : undefined
  const hasQuery = request.url.includes('?')
  const names =
    hasQuery && new URL(request.url).searchParams.get('names') === 'prefixed' ? 'prefixed' : 'bare'
  return { is: 'all', names }
}

/** No JSON-RPC: there is no MCP endpoint here (B05). */
export const unknownEndpoint = (): Response => Response.json({ error: 'not_found' }, { status: 404 })
