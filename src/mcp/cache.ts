/**
 * Calls of tools whose results are given again: answered with what was kept, or with what the same call of somebody else
 * is about to bring, or by the upstream. A hit needs no leave and no credential; who may call what was decided before.
 */
import { holdText, MEMORY_BACK_MS } from '../protocol/memory.ts'
import { refuse } from '../protocol/refusal.ts'
import type { Caching, Kept } from '../registry/caching.ts'
import type { ServiceRecord } from '../registry/image.ts'
import { answerText } from '../upstream/conversation.ts'
import { respondWith, seenResult } from '../upstream/deliver.ts'
import { borderOf } from './border.ts'
import { type CacheWish, wishOf } from './cache-wish.ts'
import type { Forward } from './forward.ts'
import { withCacheMeta } from './keeping.ts'
import { type Guarded, refusalOfDenial } from './permit.ts'
import { type DispatchPorts, type Live, sidesOf, speechOf } from './prepare.ts'
import { noteCall } from './record.ts'
import { resultKey } from './result-key.ts'
import type { Flight } from './results.ts'

/** How the call is made where it has to be. */
export type Sending = {
  readonly send: (forward: Forward) => Promise<Response>
  /** It runs in this isolate, so others can see here when it is over. */
  readonly isHere: boolean
}

/** A call that may be answered without its upstream. */
type Matter = {
  readonly forward: Forward
  readonly service: ServiceRecord
  readonly guarded: Guarded
  readonly caching: Caching
  readonly key: string
  readonly wish: CacheWish
  readonly live: Live
  readonly ports: DispatchPorts
}

/** Says in `X-Cache` whether the upstream was spared; nothing of calls that are never given a result again. */
export async function answerCached(
  forward: Forward,
  cacheControl: string | null,
  live: Live,
  ports: DispatchPorts,
  sending: Sending,
): Promise<Response> {
  const service = live.snapshot.serviceById(forward.serviceId)
  const guarded = service && ports.guardedBy(service)
  const { caching } = forward
  const key = caching && guarded && (await resultKey(forward, caching, speechOf(service, forward)))
  if (!key) return await sending.send(forward)
  const wish = wishOf(cacheControl, forward.params.find(([name]) => name === '_meta')?.[1])
  if (!wish.mayKeep) return marked(await sending.send(forward), 'MISS')
  const matter = { forward, service, guarded, caching, key, wish, live, ports }
  const startedAt = ports.clock()
  const found = wish.maxAgeMs === 0 ? ALONE : await seek(matter, sending.isHere)
  switch (found.is) {
    case 'kept':
      return marked(await giveAgain(found.kept, startedAt, matter), 'HIT')
    case 'late': {
      const afterMs = ports.clock() - startedAt
      return refuse({ why: 'upstream_timeout', service: service.name, afterMs }, forward.idText)
    }
    case 'call':
      return marked(await call(found, matter, sending), 'MISS')
  }
}

type Found =
  | { readonly is: 'kept'; readonly kept: Kept }
  /** There is no time left to make the call. */
  | { readonly is: 'late' }
  | ToCall

type ToCall = {
  readonly is: 'call'
  /** Others wait for this one. */
  readonly flight?: Flight
  /** What is left of its time, where it has waited. */
  readonly timeoutMs?: number
}

const ALONE: ToCall = { is: 'call' }
const LATE: Found = { is: 'late' }

/** Of the time of a call, at least so much must be left to make it: one that cannot succeed would count as a failure. */
const LEAST_SHARE = 0.1

/** What was kept, also by a call that is under way; where that brings nothing, everybody calls. */
async function seek(matter: Matter, isHere: boolean): Promise<Found> {
  const { key, forward, guarded, live, ports } = matter
  const { results, clock } = ports
  const timeoutMs = forward.timeoutMs ?? guarded.timeoutMs
  const until = clock() + timeoutMs
  const left = (): Found => {
    const leftMs = until - clock()
    return leftMs < timeoutMs * LEAST_SHARE ? LATE : { is: 'call', timeoutMs: leftMs }
  }
  for (let hasWaited = false; ; hasWaited = true) {
    const known = freshOf(results.look(key), matter)
    if (known) return { is: 'kept', kept: known }
    const flight = isHere ? results.flight(key) : undefined
    if (!flight) {
      const begun = isHere ? begin(matter, timeoutMs) : undefined
      const shared = freshOf(await results.find(key), matter)
      const found: Found = shared ? { is: 'kept', kept: shared } : hasWaited ? left() : ALONE
      if (begun && found.is === 'call') return { ...found, flight: begun }
      if (begun) results.end(key, 'landed')
      return found
    }
    if (!(await results.hasEnded(flight, until, live.signal))) {
      // What streams may take longer than a call that says nothing, here as there.
      if (flight.isStream) return ALONE
      results.end(key, 'lost')
      return LATE
    }
    if (flight.is === 'landed') {
      const brought = freshOf(results.look(key), matter)
      return brought ? { is: 'kept', kept: brought } : left()
    }
  }
}

/** This is the call that others wait for. */
function begin({ key, live, ports: { results } }: Matter, timeoutMs: number): Flight {
  live.signal.addEventListener('abort', () => results.end(key, 'lost'), { once: true })
  return results.begin(key, timeoutMs)
}

/** By what holds now: an operator may have shortened the time since, and a caller may want it newer. */
function freshOf(kept: Kept | undefined, { caching, wish, ports }: Matter): Kept | undefined {
  if (!kept) return undefined
  const ageMs = ports.clock() - kept.keptAt
  const ttlMs = Math.min(kept.ttlSeconds, caching.ttlSeconds) * 1_000
  return ageMs < ttlMs && ageMs <= wish.maxAgeMs ? kept : undefined
}

async function call(
  { flight, timeoutMs }: ToCall,
  { forward, key, caching, ports }: Matter,
  { send }: Sending,
): Promise<Response> {
  const keepAs = { key, ttlSeconds: caching.ttlSeconds }
  let isStream = false
  try {
    const response = await send({ ...forward, keepAs, ...(timeoutMs !== undefined && { timeoutMs }) })
    isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true
    return response
  } finally {
    if (flight) flight.isStream = isStream
    // The end of a stream is seen where the call is recorded.
    if (flight && !isStream) ports.results.end(key, 'landed')
  }
}

/** In the words of this caller: its id, its era, its names. */
async function giveAgain(kept: Kept, startedAt: number, matter: Matter): Promise<Response> {
  const { forward, service, guarded, live, ports } = matter
  const { idText, acceptsJson } = forward
  const denied = await denyUnrecorded(matter)
  if (denied) return denied
  const { dialect } = speechOf(service, forward)
  const sides = sidesOf(service, forward, live, ports, () => dialect)
  const delivery = { ...forward, border: borderOf(sides, ports.tickets) }
  const seen = await seenResult(kept.result, delivery, dialect.era)
  const now = ports.clock()
  const ageSeconds = Math.max(0, Math.floor((now - kept.keptAt) / 1_000))
  const result = withCacheMeta(seen, { status: 'hit', ageSeconds, ttlSeconds: kept.ttlSeconds })
  const text = answerText(idText, 'result', result)
  const hold = ports.budget.open(live.signal)
  if (!holdText(hold, text.length)) return refuse({ why: 'overloaded', retryAfterMs: MEMORY_BACK_MS }, idText)
  const isCaptured = ports.capturesCalls
  const course = { verdict: {}, denial: undefined, startedAt, now, isCached: true, isCaptured }
  ports.guard.conclude(guarded, 'cached', noteCall(forward, service, course), live.background)
  return respondWith(text, 200, acceptsJson, hold.bytes > 0 ? hold : undefined)
}

/** Where every call must be recorded, only leave for one says that its record will find room (F59). */
async function denyUnrecorded({
  forward,
  service,
  guarded,
  live,
  ports,
}: Matter): Promise<Response | undefined> {
  if (!guarded.limits.needsRecords) return undefined
  const permit = await ports.guard.admit(guarded, { isRetry: false }, live.background)
  if (!('why' in permit)) permit.settle({ is: 'neutral', pauseMs: 0 }, live.background)
  else if (permit.why === 'audit') return refuse(refusalOfDenial(permit, service.name), forward.idText)
  return undefined
}

/** Responses that were made here can be added to. */
function marked(response: Response, how: 'HIT' | 'MISS'): Response {
  response.headers.set('x-cache', how)
  return response
}
