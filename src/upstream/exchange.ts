/** What the gateway asks and tells upstreams on its own account, in whichever dialect they speak. */
import type { Deadline } from '../platform/deadline.ts'
import { ok, type Result } from '../platform/result.ts'
import { GATEWAY_INFO, META, MODERN_VERSION } from '../protocol/version.ts'
import { type Answer, readAnswer } from './answer.ts'
import { type Connection, type Dialect, requestHeaders } from './connection.ts'
import type { Fault } from './fault.ts'
import { discard, send } from './send.ts'

/**
 * What any caller may be able to do. Servers list some of what they offer only to clients who could use it; a
 * catalogue is read for all of them.
 */
export const EVERY_CAPABILITY = {
  roots: { listChanged: true },
  sampling: { context: {}, tools: {} },
  elicitation: { form: {}, url: {} },
  tasks: { list: {}, cancel: {}, requests: { sampling: { createMessage: {} }, elicitation: { create: {} } } },
} as const

/** The envelope of a modern request that the gateway sends on its own account. */
const GATEWAY_ENVELOPE = {
  [META.version]: MODERN_VERSION,
  [META.capabilities]: EVERY_CAPABILITY,
  [META.clientInfo]: GATEWAY_INFO,
} as const

/** Ends a legacy session. Servers may refuse that; nothing depends on it. */
export async function endSession(
  connection: Connection,
  dialect: Dialect,
  deadline: Deadline,
): Promise<void> {
  if (dialect.sessionId === undefined) return
  const headers = requestHeaders(connection, dialect)
  const sent = await send({ method: 'DELETE', url: connection.url, headers }, deadline)
  if (sent.ok) discard(sent.value)
}

/** One request of the gateway's own, and its answer. */
export async function exchange(
  connection: Connection,
  dialect: Dialect,
  method: string,
  params: Readonly<Record<string, unknown>>,
  deadline: Deadline,
): Promise<Result<Answer, Fault>> {
  const headers = requestHeaders(connection, dialect)
  if (dialect.era === 'modern') headers.set('mcp-method', method)
  const sentParams = dialect.era === 'modern' ? { ...params, _meta: GATEWAY_ENVELOPE } : params
  // Never an id that a caller of the same session may be using.
  const id = crypto.randomUUID()
  const body = JSON.stringify({ jsonrpc: '2.0', id, method, params: sentParams })
  const { url, link } = connection
  const sent = await send({ url, headers, body, link }, deadline)
  if (!sent.ok) return sent
  const answer = await readAnswer(sent.value, JSON.stringify(id), deadline, connection.budget)
  if (answer.ok) answer.value.hold?.release()
  return answer
}

/** One notification of the gateway's own, which the upstream takes or refuses. */
export async function notify(
  connection: Connection,
  dialect: Dialect,
  method: string,
  deadline: Deadline,
): Promise<Result<void, Fault>> {
  const headers = requestHeaders(connection, dialect)
  const { url, link } = connection
  const body = JSON.stringify({ jsonrpc: '2.0', method })
  const sent = await send({ url, headers, body, link }, deadline)
  if (!sent.ok) return sent
  discard(sent.value)
  return ok(undefined)
}
