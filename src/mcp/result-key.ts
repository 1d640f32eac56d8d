/**
 * What two calls must have in common to be given the same result, as one digest: everything that reaches the upstream and
 * may make a difference there. Two keys for the same call cost a call; one key for two calls would be a wrong answer.
 */
import { ANONYMOUS } from '../identity/principal.ts'
import { sha256 } from '../platform/hash.ts'
import { canonicalJson } from '../protocol/canonical.ts'
import { CORRELATION_KEY } from '../protocol/context.ts'
import { cut, membersOf, writeObject } from '../protocol/json.ts'
import { META } from '../protocol/version.ts'
import type { Caching } from '../registry/caching.ts'
import type { Dialect } from '../upstream/connection.ts'
import type { Forward } from './forward.ts'

/** Advances when keys are made of something else. */
const FORMAT = 1

/** Calls with these are one of several rounds, or run on after their answer: never given again. */
const NEVER: ReadonlySet<string> = new Set(['task', 'inputResponses', 'requestState'])

/** How a caller follows its own call: no answer depends on it. `CACHE_META` is a word to this gateway. */
export const CACHE_META = 'switchyard/cache'
const OF_ONE_CALL: ReadonlySet<string> = new Set([
  'progressToken',
  'traceparent',
  'tracestate',
  'baggage',
  CORRELATION_KEY,
  META.logLevel,
  CACHE_META,
])
/** The rest of the modern envelope, which no legacy upstream gets; capabilities stand in the key themselves. */
const ENVELOPE: ReadonlySet<string> = new Set(Object.values(META))

/** How the service is spoken to on behalf of this caller. */
export type Speech = { readonly dialect: Dialect; readonly isStateful: boolean }

/** `undefined`: this call is never given a result again, nor is its result given to others. */
export async function resultKey(
  forward: Forward,
  caching: Caching,
  { dialect, isStateful }: Speech,
): Promise<string | undefined> {
  const { params, rest = [], principal, session, serviceId, localName = '', capabilities } = forward
  const members = new Map(params)
  const meta = metaOf(members.get('_meta'), forward.era === dialect.era)
  if (meta === undefined || [...NEVER].some((name) => members.has(name))) return undefined
  const isOwn = caching.scope === 'caller'
  // Whoever is not known cannot be told from others.
  if (isOwn && principal.subject === ANONYMOUS.subject) return undefined
  for (const name of ['name', '_meta']) members.delete(name)
  const parts = [
    FORMAT,
    principal.organisationId,
    serviceId,
    caching.edition,
    localName,
    dialect.era,
    dialect.protocolVersion,
    canonicalJson(writeObject(members)),
    canonicalJson(writeObject(rest)),
    canonicalJson(capabilities),
    meta,
    isOwn
      ? [principal.subject, principal.agentType ?? null, isStateful ? (session?.name ?? null) : null]
      : null,
  ]
  return await sha256(JSON.stringify(parts))
}

/** What of `_meta` reaches the upstream and may matter there; `undefined`: readers may differ in what it says. */
function metaOf(raw: string | undefined, isSameEra: boolean): string | undefined {
  if (raw === undefined) return '{}'
  if (!raw.startsWith('{')) return canonicalJson(raw)
  const members = [...membersOf(raw)].map(([key, span]) => [key, cut(raw, span)] as const)
  // A key given twice was lost here, and is not lost on the way to the upstream.
  if (canonicalJson(writeObject(members)) !== canonicalJson(raw)) return undefined
  const matters = (key: string): boolean =>
    !OF_ONE_CALL.has(key) && key !== META.capabilities && (isSameEra || !ENVELOPE.has(key))
  return canonicalJson(writeObject(members.filter(([key]) => matters(key))))
}
