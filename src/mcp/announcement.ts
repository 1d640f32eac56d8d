/** What a service announces of its own lists, heard on the gateway's own account. */
import { timed } from '../platform/deadline.ts'
import { LIMITS } from '../protocol/limits.ts'
import type { ServiceRecord } from '../registry/image.ts'
import type { Connection, Dialect } from '../upstream/connection.ts'
import { endSession } from '../upstream/exchange.ts'
import { listenTo } from '../upstream/listen.ts'
import { openSession } from '../upstream/session.ts'
import { speechOf } from './prepare.ts'

const FILTER = JSON.stringify({
  toolsListChanged: true,
  promptsListChanged: true,
  resourcesListChanged: true,
})
const LIST_CHANGED = /^notifications\/(tools|prompts|resources)\/list_changed$/

/** Yields once for each announcement until `over` aborts. `onOpen`: none is missed from here on. */
export async function* followAnnouncements(
  service: ServiceRecord,
  connection: Connection,
  over: AbortSignal,
  onOpen: () => void,
): AsyncGenerator<void, void, void> {
  const dialect = await introduceTo(service, connection)
  if (!dialect) return
  try {
    for await (const incoming of listenTo(connection, dialect, FILTER, over, onOpen)) {
      if (incoming.is === 'notification' && LIST_CHANGED.test(incoming.method)) yield
    }
  } finally {
    await timed(LIMITS.handshakeTimeoutMs, (deadline) => endSession(connection, dialect, deadline))
  }
}

/** A legacy upstream announces only within a session; this one is the gateway's own. */
async function introduceTo(service: ServiceRecord, connection: Connection): Promise<Dialect | undefined> {
  const { dialect, isStateful } = speechOf(service, { session: undefined })
  if (!isStateful) return dialect
  const opened = await timed(LIMITS.handshakeTimeoutMs, (deadline) =>
    openSession({ capabilities: '{}', logLevel: undefined }, connection, deadline),
  )
  return opened.ok ? opened.value : undefined
}
