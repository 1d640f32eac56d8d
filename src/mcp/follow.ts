/**
 * What a listening caller is told of: lists that changed in the registry, and what upstreams say of their own
 * accord. Serves the streams of both eras.
 */
import type { Principal } from '../identity/principal.ts'
import type { Background } from '../platform/background.ts'
import { systemClock } from '../platform/clock.ts'
import { Deadline, wait, within } from '../platform/deadline.ts'
import type { OutletBounds } from '../platform/outlet.ts'
import { LIMITS } from '../protocol/limits.ts'
import { KEEP_ALIVE } from '../protocol/sse.ts'
import { FRESHNESS } from '../platform/replica.ts'
import type { Registry } from '../registry/registry.ts'
import type { Endpoint, KindGroup, Snapshot } from '../registry/snapshot.ts'
import type { ServiceRecord } from '../registry/image.ts'
import { exchange } from '../upstream/exchange.ts'
import type { Connection, Dialect } from '../upstream/connection.ts'
import type { Incoming } from '../upstream/incoming.ts'
import { listenTo } from '../upstream/listen.ts'
import { openSession } from '../upstream/session.ts'

export type FollowPorts = {
  readonly registryOf: (organisationId: string) => Registry
  /** Sees to it that the changes of these services are noticed for a while. Settles when they are, or soon. */
  readonly watch: (services: readonly ServiceRecord[], background: Background) => Promise<void>
  /** Whether its credential still counts. */
  readonly isStanding: (principal: Principal, background: Background) => Promise<boolean>
}

export type Following = {
  /** Who is told, and of what its agent type may see. */
  readonly principal: Principal
  readonly endpoint: Endpoint
  readonly groups: readonly KindGroup[]
  readonly background: Background
  readonly closed: AbortSignal
  /** Each group whose list shows something else than before: once for any number of changes. */
  readonly onChange: (group: KindGroup) => void
}

/** The bounds of every listening stream. */
export const LISTENING: OutletBounds = {
  maxHeldBytes: LIMITS.unreadBytes,
  unreadMs: LIMITS.writeIdleMs,
  idle: { everyMs: LIMITS.keepAliveMs, text: KEEP_ALIVE },
  totalMs: LIMITS.listenTotalMs,
  clock: systemClock,
}

/**
 * Follows the registry until the stream is closed or its caller no longer counts, beginning from what `seen`, a view
 * of the same caller, shows.
 */
export async function followRegistry(
  seen: Snapshot,
  following: Following,
  { registryOf, watch, isStanding }: FollowPorts,
): Promise<void> {
  const { principal, endpoint, groups, background, closed, onChange } = following
  const registry = registryOf(principal.organisationId)
  const shown = new Map(groups.map((group) => [group, seen.viewFingerprint(group, endpoint)]))
  let version = seen.version
  for (let looks = 1; !closed.aborted; looks++) {
    await wait(LIMITS.listenLookMs)
    if (closed.aborted || !(await isStanding(principal, background))) return
    await within(FRESHNESS.waitMs, registry.freshen(LIMITS.listenLookMs, background))
    const { snapshot } = registry.held
    if (!snapshot) continue
    if (looks % LOOKS_BETWEEN_WATCHES === 0) background(watch(snapshot.servicesAt(endpoint), background))
    if (snapshot.version === version) continue
    version = snapshot.version
    const view = snapshot.viewFor(principal.agentType)
    for (const group of groups) {
      const fingerprint = view.viewFingerprint(group, endpoint)
      if (fingerprint === shown.get(group)) continue
      shown.set(group, fingerprint)
      onChange(group)
    }
  }
}

const LOOKS_BETWEEN_WATCHES = 60

export const listChanged = (group: KindGroup, params?: string): string =>
  `{"jsonrpc":"2.0","method":"notifications/${group}/list_changed"${params === undefined ? '' : `,"params":${params}`}}`

export type Wanted = {
  /** Under the service's own names. */
  readonly uris: readonly string[]
  readonly taskIds: readonly string[]
}

/**
 * What one upstream says about these resources and tasks, until `closed`. A legacy upstream is subscribed to in a
 * session of its own. `onOpen`: nothing is missed from here on.
 */
export async function* followUpstream(
  connection: Connection,
  speech: { readonly dialect: Dialect; readonly isStateful: boolean },
  { uris, taskIds }: Wanted,
  closed: AbortSignal,
  onOpen: () => void,
): AsyncGenerator<Incoming, void, void> {
  const filter = JSON.stringify({
    ...(uris.length > 0 && { resourceSubscriptions: uris }),
    ...(taskIds.length > 0 && { taskIds }),
  })
  if (speech.dialect.era === 'modern' || connection.transport === 'sse')
    return yield* listenTo(connection, speech.dialect, filter, closed, onOpen)
  const deadline = new Deadline(LIMITS.handshakeTimeoutMs, closed)
  let { dialect } = speech
  if (speech.isStateful) {
    const opened = await openSession({ capabilities: '{}', logLevel: undefined }, connection, deadline)
    if (!opened.ok) return deadline.end()
    dialect = opened.value
  }
  for (const uri of uris) await exchange(connection, dialect, 'resources/subscribe', { uri }, deadline)
  deadline.end()
  yield* listenTo(connection, dialect, filter, closed, onOpen)
}
