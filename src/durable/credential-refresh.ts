/**
 * The OAuth credential of one service, refreshed once for all who ask. What the token endpoint gave is kept, sealed,
 * before anything else is done with it, then committed, then used: whatever is lost on the way, it is not.
 */
import type { CredentialAnswer, CredentialQuestion, SealedAuth } from '../mcp/credential.ts'
import type { Background } from '../platform/background.ts'
import { restMs } from '../platform/backoff.ts'
import { systemClock } from '../platform/clock.ts'
import { within } from '../platform/deadline.ts'
import type { Result } from '../platform/result.ts'
import type { Log } from '../telemetry/log.ts'
import type { UpstreamAuth } from '../upstream/connection.ts'
import { type Grant, isNewer, stateOf } from '../upstream/grant.ts'
import type { Refreshed } from '../upstream/refresh.ts'

type Service = CredentialQuestion['service']

/** Where the credentials of one organisation are stored. */
export type CredentialVault = {
  readonly open: (sealed: SealedAuth) => UpstreamAuth | Promise<UpstreamAuth | undefined>
  readonly seal: (auth: UpstreamAuth, serviceId: string) => Promise<string | undefined>
  /** As committed; `null`: none. */
  readonly stored: (serviceId: string) => Promise<Result<string | null, unknown>>
  /** Commits and publishes. False: `from` is not there any more. */
  readonly store: (change: CredentialChange, background: Background) => Promise<Result<boolean, unknown>>
}

export type CredentialChange = {
  readonly service: Pick<Service, 'id' | 'name'>
  readonly from: string
  readonly to: string
  readonly rejection: Grant['rejection']
}

export type RefreshPorts = {
  readonly vaultOf: (organisationId: string) => CredentialVault
  readonly refresh: (grant: Grant, resource: string) => Promise<Refreshed>
  readonly log: Log
  readonly background: Background
  /** Has `commit` called, now and again, until it says true, whatever happens to this object. */
  readonly planCommit: () => void
}

/** What the object's storage holds; the credential sealed. */
type Kept = { readonly service: Service; readonly sealed: string; readonly isPending: boolean }
type Opened = { readonly sealed: string; readonly grant: Grant }

const KEY = 'credential'
/** Longer than this nobody waits for the commit: what is kept here is safe. */
const COMMIT_WAIT_MS = 2_000
/** One that is younger is not replaced because the upstream refused it: the next would be refused as well. */
const MIN_AGE_MS = 30_000
/** Between two questions to a token endpoint that cannot be had. */
const AWAY_REST = { firstMs: 2_000, longestMs: 60_000 } as const

export class CredentialRefresh {
  readonly #kv: SyncKvStorage
  readonly #ports: RefreshPorts
  #kept: Kept | undefined
  #running: Promise<CredentialAnswer> | undefined
  #committing: Promise<boolean> | undefined
  #away = { failures: 0, until: 0, reason: '' }

  constructor(kv: SyncKvStorage, ports: RefreshPorts) {
    this.#kv = kv
    this.#ports = ports
    this.#kept = kv.get<Kept>(KEY)
  }

  async answer(question: CredentialQuestion): Promise<CredentialAnswer> {
    const seen = await this.#open(question.service, question.sealed)
    const newest = newerOf(await this.#open(question.service, this.#kept?.sealed), seen)
    if (!newest || !isWanted(newest, question, systemClock())) return held(newest ?? question)
    this.#running ??= this.#renew(question, newest).finally(() => {
      this.#running = undefined
    })
    // It goes on when whoever began it goes away.
    this.#ports.background(this.#running)
    return await this.#running
  }

  /** Puts what is kept where everybody finds it. True: nothing is left to do. */
  async commit(): Promise<boolean> {
    this.#committing ??= this.#commit().finally(() => {
      this.#committing = undefined
    })
    return await this.#committing
  }

  /** An operator may have set another one, so what is committed counts before anything is spent. */
  async #renew(question: CredentialQuestion, known: Opened): Promise<CredentialAnswer> {
    const { service } = question
    const stored = await this.#ports.vaultOf(service.organisationId).stored(service.id)
    const committed = stored.ok ? await this.#open(service, stored.value) : undefined
    if (stored.ok && !committed) return held({ sealed: stored.value ?? '' })
    const newest = newerOf(committed, known) ?? known
    const { grant } = newest
    const now = systemClock()
    if (grant.rejection || !isWanted(newest, question, now)) return held(newest)
    if (now < this.#away.until) return this.#stillAway(now)
    const refreshed = await this.#ports.refresh(grant, service.url)
    switch (refreshed.is) {
      case 'unreachable':
        return this.#noteAway(question, refreshed)
      case 'refreshed':
        return await this.#take(question, refreshed.grant)
      case 'rejected': {
        const { rejection } = refreshed
        this.#ports.log('error', 'credential_rejected', { service: service.name, rejection })
        return await this.#take(question, { ...grant, turn: grant.turn + 1, rejection })
      }
    }
  }

  /** Kept first; nobody hears of it before that is certain (the runtime holds back what this object says until then). */
  async #take({ service }: CredentialQuestion, grant: Grant): Promise<CredentialAnswer> {
    const sealed = (await this.#ports.vaultOf(service.organisationId).seal(grant, service.id)) ?? ''
    this.#away = { failures: 0, until: 0, reason: '' }
    this.#keep({ service, sealed, isPending: true })
    this.#ports.planCommit()
    await within(COMMIT_WAIT_MS, this.commit())
    return { is: 'held', sealed }
  }

  async #commit(): Promise<boolean> {
    const kept = this.#kept
    if (!kept?.isPending) return true
    const { service, sealed } = kept
    const vault = this.#ports.vaultOf(service.organisationId)
    const stored = await vault.stored(service.id)
    if (!stored.ok) return false
    const [mine, theirs] = [await this.#open(service, sealed), await this.#open(service, stored.value)]
    if (mine && theirs && isNewer(mine.grant, theirs.grant)) {
      const { rejection } = mine.grant
      const isStored = await vault.store(
        { service, from: theirs.sealed, to: sealed, rejection },
        this.#ports.background,
      )
      if (!isStored.ok || !isStored.value) return false
    }
    if (this.#kept === kept) this.#keep({ ...kept, isPending: false })
    return true
  }

  #keep(kept: Kept): void {
    this.#kept = kept
    this.#kv.put(KEY, kept)
  }

  #noteAway(
    { service }: CredentialQuestion,
    { reason, retryAfterMs = 0 }: Extract<Refreshed, { is: 'unreachable' }>,
  ): CredentialAnswer {
    const now = systemClock()
    const failures = this.#away.failures + 1
    const rest = restMs(AWAY_REST, failures, 0.5 + Math.random() / 2)
    this.#away = { failures, until: now + Math.max(rest, retryAfterMs), reason }
    this.#ports.log('warn', 'credential_not_refreshed', { service: service.name, reason, failures })
    return this.#stillAway(now)
  }

  #stillAway(now: number): CredentialAnswer {
    const { until, reason } = this.#away
    return { is: 'away', reason, retryAfterMs: until - now }
  }

  async #open(
    { organisationId, id }: Service,
    sealed: string | null | undefined,
  ): Promise<Opened | undefined> {
    if (sealed === null || sealed === undefined) return undefined
    const auth = await this.#ports.vaultOf(organisationId).open({ organisationId, id, sealedAuth: sealed })
    return auth?.type === 'oauth2' ? { sealed, grant: auth } : undefined
  }
}

const held = ({ sealed }: Pick<Opened, 'sealed'>): CredentialAnswer => ({ is: 'held', sealed })

const newerOf = (one: Opened | undefined, other: Opened | undefined): Opened | undefined =>
  one && other ? (isNewer(one.grant, other.grant) ? one : other) : (one ?? other)

/** Whoever asks ahead of its end, or was refused with this very one, is given another. */
function isWanted(
  { sealed, grant }: Opened,
  { isRefused, sealed: seen }: CredentialQuestion,
  now: number,
): boolean {
  if (!isRefused || sealed !== seen) return stateOf(grant, now) !== 'good'
  return grant.turn === 0 || now - grant.receivedAt >= MIN_AGE_MS
}
