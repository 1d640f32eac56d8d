/** What the steps behind the door know of a request. */
import type { Principal } from '../identity/principal.ts'
import type { Session } from '../identity/session.ts'
import type { Background } from '../platform/background.ts'
import type { Message } from '../protocol/message.ts'
import type { Era } from '../protocol/version.ts'
import type { Endpoint, Snapshot } from '../registry/snapshot.ts'
import type { Remarks } from '../telemetry/audit.ts'

/** A request whose caller is known, and what the registry is at its moment. */
export type Scene = {
  readonly request: Request
  readonly principal: Principal
  readonly snapshot: Snapshot
  readonly endpoint: Endpoint
  readonly acceptsJson: boolean
  readonly acceptsStream: boolean
  readonly background: Background
  readonly remarks?: Remarks | undefined
}

/** A message that passed the ladder, in its scene. */
export type Asked = Scene & {
  readonly message: Message
  readonly era: Era
  /** Of a legacy client that began one. */
  readonly session: Session | undefined
}
