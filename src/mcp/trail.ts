/**
 * Where records go that belong to no service: to a guard that each organisation has for them alone, and a line of each
 * to the log. Callers whom nobody knows are counted, not listed: one record for each source, reason and minute, and few
 * sources in an isolate, so that no flood of them fills a table or the memory.
 */
import type { Guard, Recorded } from '../guard/guard.ts'
import type { Note } from '../guard/ledger.ts'
import { DEFAULT_ORGANISATION } from '../identity/principal.ts'
import type { Background } from '../platform/background.ts'
import type { Clock } from '../platform/clock.ts'
import { idAt } from '../platform/id.ts'
import { correlationIdOf } from '../protocol/context.ts'
import { echo } from '../protocol/echo.ts'
import { takeReason } from '../protocol/refusal.ts'
import { NO_SERVICE, writeKey } from '../registry/image.ts'
import { auditText, type ManagementRefusal } from '../telemetry/audit.ts'
import type { Log } from '../telemetry/log.ts'
import { lineOfRefusal, noteRefusal, type Refused } from './record.ts'

type Ports = { readonly guard: Pick<Guard, 'record'>; readonly clock: Clock; readonly log: Log }

/** `isKept`: a record of it waits to be told, and will say how many there were by then. */
type Tally = { readonly id: string; count: number; isKept: boolean }

const MINUTE_MS = 60_000
/** Of an isolate, in a minute; the others count as one, which has no source. */
const MAX_TALLIES = 32
const MAX_SOURCE_CHARS = 64
const NOTE_CHARS = 400

export class Trail {
  readonly #ports: Ports
  readonly #tallies = new Map<string, Tally>()
  #minute = 0

  constructor(ports: Ports) {
    this.#ports = ports
  }

  /** Writes down why a response says no, where that was not done. */
  hear(response: Response, describe: () => Refused, background: Background): Response {
    const why = takeReason(response)
    if (why !== undefined) {
      const refused = describe()
      this.#ports.log('info', 'request_refused', lineOfRefusal(why, refused))
      const note = noteRefusal(why, refused, this.#ports.clock())
      this.#keep(refused.principal.organisationId, note, background)
    }
    return response
  }

  /** The management API refused somebody who is known. */
  refuse(refusal: ManagementRefusal, background: Background): void {
    const now = this.#ports.clock()
    const id = idAt(now)
    const { detail, ...rest } = refusal
    const record = {
      ...rest,
      id,
      action: 'manage.refuse',
      detail: { correlationId: id, ...detail },
      createdAt: now,
    }
    const note = { chars: NOTE_CHARS, write: () => auditText(record) }
    const { target, outcome } = record
    this.#ports.log('info', 'management_refused', { outcome, target, ...record.detail })
    this.#keep(refusal.organisationId, note, background)
  }

  /** Somebody was turned away of whom it is not known who it is. */
  turnAway(why: string, request: Request, background: Background): void {
    const now = this.#ports.clock()
    const minute = Math.floor(now / MINUTE_MS)
    if (minute !== this.#minute) this.#tallies.clear()
    this.#minute = minute
    const given = sourceOf(request)
    const isFull = this.#tallies.size >= MAX_TALLIES && !this.#tallies.has(`${why} ${given}`)
    const source = isFull ? undefined : given
    const key = `${why} ${source}`
    const tally = this.#tallies.get(key) ?? { id: idAt(now), count: 0, isKept: false }
    this.#tallies.set(key, tally)
    tally.count++
    if (tally.isKept) return
    this.#ports.log('info', 'caller_refused', { outcome: why, correlationId: correlationIdOf(request) })
    this.#keep(DEFAULT_ORGANISATION, noteTally(tally, why, source, now), background)
  }

  #keep(organisationId: string, note: Note, background: Background): void {
    this.#ports.guard.record(trailOf(organisationId), note, background)
  }
}

function noteTally(tally: Tally, why: string, source: string | undefined, now: number): Note {
  tally.isKept = true
  const write = (): string => {
    tally.isKept = false
    const { id, count } = tally
    const detail = { correlationId: id, count, ...(source !== undefined && { source }) }
    return auditText({ ...UNKNOWN, id, outcome: why, detail, createdAt: now })
  }
  return { chars: NOTE_CHARS, write }
}

const UNKNOWN = {
  organisationId: DEFAULT_ORGANISATION,
  actor: 'unknown',
  action: 'auth.refuse',
  target: 'gateway',
} as const

/** Only the edge itself says where a caller connected from; elsewhere anybody can write such a header (S19). */
function sourceOf(request: Request): string | undefined {
  if (typeof request.cf?.['colo'] !== 'string') return undefined
  const address = request.headers.get('cf-connecting-ip')
  return address === null ? undefined : echo(address.slice(0, MAX_SOURCE_CHARS))
}

/** It guards nothing: nobody asks it for leave. */
const trailOf = (organisationId: string): Recorded => ({
  id: writeKey({ organisationId, id: NO_SERVICE }),
  limits: NO_LIMITS,
  version: '',
})

const NO_LIMITS: Recorded['limits'] = {
  failureThreshold: 1,
  recoveryMs: 1,
  halfOpenMaxCalls: 1,
  probeMs: 1,
  rate: undefined,
  slowMs: undefined,
  instances: [],
}
