/** What is stored of a service once it was asked what it offers. */
import type { Clock } from '../platform/clock.ts'
import type { Result } from '../platform/result.ts'
import { claimsOf } from '../registry/claim.ts'
import type { ServiceRecord } from '../registry/image.ts'
import type { Act } from '../storage/commit.ts'
import type { CredentialStore } from '../storage/credential.ts'
import type { ServiceWrite } from '../storage/services.ts'
import type { Discovery } from '../upstream/discovery.ts'
import { describeFault, type Fault } from '../upstream/fault.ts'
import { describeRejection } from '../upstream/grant.ts'
import type { Draft } from './draft.ts'
import { readOffered } from './pin.ts'

export type EntryPorts = { readonly credentials: CredentialStore; readonly clock: Clock }

/** A write, and what its act says besides. */
export type Entry = { readonly write: ServiceWrite; readonly act: Partial<Act> }

/** `before`: as it was stored; absent: it is new. */
export async function entryOf(
  id: string,
  draft: Draft,
  discovered: Result<Discovery, Fault>,
  before: ServiceRecord | undefined,
  { credentials, clock }: EntryPorts,
): Promise<Entry> {
  const offered = await readOffered(before, draft.config, discovered)
  const fallback = before ? '[]' : (draft.config.fallbackTools ?? '[]')
  const fault = rejectionIn(draft) ?? (discovered.ok ? undefined : describeFault(discovered.error))
  const fields = {
    url: draft.url,
    transport: discovered.ok ? discovered.value.transport : (draft.transport ?? 'http'),
    config: draft.config,
    sealedAuth: draft.hasNewAuth ? ((await credentials.seal(draft.auth, id)) ?? null) : undefined,
    status: fault === undefined ? 'connected' : 'error',
    statusReason: fault,
    lastPingAt: discovered.ok ? clock() : readTime(before?.lastPingAt),
  } as const
  const names = claimsOf(discovered.ok ? discovered.value.catalogue : { tools: fallback })
  return { write: { id, fields, ...offered.write, names, instances: draft.instances }, act: offered.act }
}

/** Only an operator can mend it, however well the service answers for now. */
export const rejectionIn = ({ auth }: Draft): string | undefined =>
  auth.type === 'oauth2' && auth.rejection ? describeRejection(auth.rejection) : undefined

const readTime = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Date.parse(text)
