/**
 * The guard of one service, for all isolates: leave for calls, the health of its instances, records until they are
 * in Postgres, its catalogue kept up to date. What must not be forgotten is in its storage; its alarm does what is
 * due.
 */
import { DurableObject } from 'cloudflare:workers'
import type { Admission, AdmitRequest, Limits, Report } from '../guard/admission.ts'
import { Gate, type GateView, type SavedGate } from '../guard/gate.ts'
import { connect, type DispatchPorts, speechOf } from '../mcp/prepare.ts'
import type { Background } from '../platform/background.ts'
import { within } from '../platform/deadline.ts'
import { systemClock } from '../platform/clock.ts'
import { instancesOf } from '../registry/instance.ts'
import { FRESHNESS } from '../platform/replica.ts'
import type { Registry } from '../registry/registry.ts'
import { NO_SERVICE, readKey, type ServiceRecord } from '../registry/image.ts'
import { isAnswering } from '../upstream/probe.ts'
import type { CredentialAnswer, CredentialQuestion } from '../mcp/credential.ts'
import { Agenda } from './agenda.ts'
import { CatalogueWatch } from './catalogue-watch.ts'
import { CredentialRefresh, type RefreshPorts } from './credential-refresh.ts'
import { UsageQueue } from './usage-queue.ts'

export type GuardPorts = {
  readonly registryOf: (organisationId: string) => Registry
  readonly dispatch: DispatchPorts
  /** Reads the catalogue again and stores it where it differs. */
  readonly refresh: (service: ServiceRecord, background: Background) => Promise<void>
  /** Puts records, the text of a JSON array, where they stay. False: it cannot now. */
  readonly storeRecords: (records: string) => Promise<boolean>
  readonly credentials: Pick<RefreshPorts, 'vaultOf' | 'refresh'>
  readonly healthIntervalMs: number
  readonly refreshIntervalMs: number
}

type Task = 'flush' | 'probe' | 'refresh' | 'save' | 'commit'

export type GuardView = GateView & {
  readonly usage: {
    readonly waiting: number
    /** Lost for want of room, here or in an isolate. */
    readonly dropped: number
  }
}

const FLUSH_MS = 2_000
/** What did not come to its end is done again after this. */
const AGAIN_MS = 2_000
/** A service that nobody calls is left alone after this. */
const IDLE_MS = 3_600_000
/** There may be no room for the record of a call that must have one (F59). */
const UNRECORDED: Admission = { is: 'no', why: 'audit', retryAfterMs: AGAIN_MS }
/** Use is noted no more often than this. */
const NOTE_USE_MS = 60_000

export class ServiceGuardObject extends DurableObject {
  readonly #ports: GuardPorts
  readonly #gate: Gate
  readonly #agenda: Agenda<Task>
  readonly #usage: UsageQueue
  readonly #watch: CatalogueWatch
  readonly #credential: CredentialRefresh
  #usedAt: number
  #dropped: number

  constructor(ctx: DurableObjectState, env: unknown, ports: GuardPorts) {
    super(ctx, env as never)
    this.#ports = ports
    const { kv, sql } = ctx.storage
    this.#gate = new Gate(kv.get<SavedGate>('gate'))
    this.#agenda = new Agenda(ctx.storage)
    this.#usage = new UsageQueue(sql)
    this.#usedAt = kv.get<number>('usedAt') ?? 0
    this.#dropped = kv.get<number>('dropped') ?? 0
    const service = (key: string): Promise<ServiceRecord | undefined> => this.#service(key)
    this.#watch = new CatalogueWatch({ ...ports, service, background: this.#background })
    this.#credential = new CredentialRefresh(kv, {
      ...ports.credentials,
      log: ports.dispatch.log,
      background: this.#background,
      planCommit: () => this.#agenda.plan('commit', systemClock() + AGAIN_MS),
    })
  }

  /** Leave for calls, or why not; and what became of those before. */
  admit(key: string, request: AdmitRequest): Admission {
    const now = systemClock()
    // Touches the storage: an object that was replaced meanwhile learns of it here, before it lets anybody through.
    this.#noteUse(key, now)
    const before = this.#gate.saved
    const mayRecord = request.limits.needsRecords !== true || !this.#usage.isCrowded
    const want = mayRecord ? request.want : 0
    const heard = this.#gate.admit({ ...request, want }, now, Math.random())
    const admission: Admission = request.want > want ? UNRECORDED : heard
    this.#save(before)
    // It may be another server by now, and be spoken to as the one before (F37).
    if (this.#gate.breaker.is === 'open' && before.breaker.is !== 'open') this.#agenda.plan('refresh', now)
    this.#keep(request.report, now)
    return admission
  }

  #keep({ records, dropped }: Report, now: number): void {
    const before = this.#usage.dropped
    if (records.length > 0) {
      this.#usage.add(records)
      this.#agenda.plan('flush', now + FLUSH_MS)
    }
    const lost = dropped + this.#usage.dropped - before
    if (lost === 0) return
    this.#dropped += lost
    this.ctx.storage.kv.put('dropped', this.#dropped)
    this.#ports.dispatch.log('warn', 'records_dropped', { count: lost })
  }

  view(key: string, limits: Limits): GuardView {
    this.#noteUse(key, systemClock())
    return this.glance(limits)
  }

  /** The same for whoever looks all the time, which is no use of the service. */
  glance(limits: Limits): GuardView {
    const usage = { waiting: this.#usage.size, dropped: this.#dropped }
    return { ...this.#gate.view(limits, systemClock()), usage }
  }

  /** See `Gate.forgive`. */
  forgive(): void {
    this.#gate.forgive(systemClock())
    this.#save(undefined)
  }

  watch(key: string): Promise<void> {
    return this.#watch.watch(key)
  }

  noteChange(key: string): Promise<void> {
    return this.#watch.noteChange(key)
  }

  /** The newest credential of the service, refreshed where it must be: once, however many ask. */
  refreshCredential(key: string, question: CredentialQuestion): Promise<CredentialAnswer> {
    this.#noteUse(key, systemClock())
    return this.#credential.answer(question)
  }

  override async alarm(): Promise<void> {
    const now = systemClock()
    const due = this.#agenda.begin(now, now + AGAIN_MS)
    const key = this.ctx.storage.kv.get<string>('key') ?? ''
    await Promise.all(due.map((task) => this.#do(task, key, now)))
  }

  async #do(task: Task, key: string, now: number): Promise<void> {
    switch (task) {
      case 'flush':
        await this.#usage.flush(this.#ports.storeRecords)
        if (this.#usage.size === 0) this.#agenda.done(task)
        break
      case 'probe':
        await this.#probe(key)
        this.#agenda.done(task)
        this.#planUpkeep(now)
        break
      case 'refresh':
        await this.#watch.noteChange(key)
        this.#agenda.done(task)
        this.#planUpkeep(now)
        break
      case 'commit':
        if (await this.#credential.commit()) this.#agenda.done(task)
        break
      case 'save':
        this.#agenda.done(task)
        this.#save(undefined)
        break
    }
  }

  async #probe(key: string): Promise<void> {
    const { dispatch } = this.#ports
    const service = await this.#service(key)
    if (!service?.isEnabled || !service.catalogue) return
    const { dialect } = speechOf(service, { session: undefined })
    const ask = async (url: string): Promise<void> => {
      const connection = await connect(service, this.#background, dispatch, { url })
      if (connection.ok) this.#gate.hearProbe(url, await isAnswering(connection.value, dialect))
    }
    await Promise.all(instancesOf(service).map(({ url }) => ask(url)))
  }

  #noteUse(key: string, now: number): void {
    const { kv } = this.ctx.storage
    if (kv.get('key') === undefined) kv.put('key', key)
    if (now - this.#usedAt < NOTE_USE_MS) return
    this.#usedAt = now
    kv.put('usedAt', now)
    this.#planUpkeep(now)
  }

  #planUpkeep(now: number): void {
    if (readKey(this.ctx.storage.kv.get<string>('key') ?? '').id === NO_SERVICE) return
    if (now - this.#usedAt > IDLE_MS) return
    const { healthIntervalMs, refreshIntervalMs } = this.#ports
    if (!this.#agenda.isPlanned('probe')) this.#agenda.plan('probe', now + healthIntervalMs)
    if (!this.#agenda.isPlanned('refresh')) this.#agenda.plan('refresh', now + refreshIntervalMs)
  }

  /**
   * A change of the breaker is kept before anybody hears of it; tokens are kept soon, since a few too many after a
   * crash are no more than a burst (F46). A write that fails is tried again (F49).
   */
  #save(before: SavedGate | undefined): void {
    const { saved } = this.#gate
    const allowUnconfirmed = before !== undefined && isSameState(before, saved)
    this.ctx.storage.put('gate', saved, { allowUnconfirmed }).catch(() => {
      this.#agenda.plan('save', systemClock() + AGAIN_MS)
    })
  }

  async #service(key: string): Promise<ServiceRecord | undefined> {
    const { organisationId, id } = readKey(key)
    const registry = this.#ports.registryOf(organisationId)
    await within(FRESHNESS.waitMs, registry.freshen(0, this.#background))
    const snapshot = await registry.current(this.#background)
    return snapshot.ok ? snapshot.value.serviceById(id) : undefined
  }

  readonly #background: Background = (work) => this.ctx.waitUntil(work)
}

const isSameState = (a: SavedGate, b: SavedGate): boolean =>
  a.breaker.is === b.breaker.is &&
  a.breaker.generation === b.breaker.generation &&
  a.pausedUntil === b.pausedUntil
