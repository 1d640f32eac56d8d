/** Whether anything answers at an address of a service. */
import { timed } from '../platform/deadline.ts'
import { LIMITS } from '../protocol/limits.ts'
import { type Connection, type Dialect, requestHeaders } from './connection.ts'
import { discard, send } from './send.ts'

/**
 * True for any answer that is no fault of the server: one that wants a session or another credential is there. Nothing
 * is begun there by asking.
 */
export async function isAnswering(connection: Connection, dialect: Dialect): Promise<boolean> {
  const { url, transport } = connection
  const headers = requestHeaders(connection, dialect)
  const method = dialect.era === 'modern' ? 'server/discover' : 'ping'
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: {} })
  // The older transport answers on its stream, and beginning that is all that can be asked of it.
  const outgoing = transport === 'sse' ? { method: 'GET' as const, url, headers } : { url, headers, body }
  const sent = await timed(LIMITS.handshakeTimeoutMs, (deadline) => send(outgoing, deadline))
  if (!sent.ok) return false
  discard(sent.value)
  return sent.value.status < 500
}
