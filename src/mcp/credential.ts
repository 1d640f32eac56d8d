/**
 * The credential that a call goes out with. One that ends is refreshed by the guard of its service, for all isolates
 * together: ahead of its end while calls go on with it, and waited for once it has ended. What the guard gave is
 * remembered here for as long as the registry holds nothing newer.
 */
import type { Background } from '../platform/background.ts'
import type { Clock } from '../platform/clock.ts'
import { within } from '../platform/deadline.ts'
import type { Result } from '../platform/result.ts'
import type { Refusal } from '../protocol/refusal.ts'
import type { ServiceRecord } from '../registry/image.ts'
import type { UpstreamAuth } from '../upstream/connection.ts'
import { type Grant, isNewer, stateOf } from '../upstream/grant.ts'

/** What the guard of a service is asked about its credential; survives JSON, and holds it sealed only. */
export type CredentialQuestion = {
  readonly service: Pick<ServiceRecord, 'organisationId' | 'id' | 'name' | 'url'>
  /** What the asker holds. */
  readonly sealed: string
  /** The upstream did not accept it. */
  readonly isRefused: boolean
}

/** `held`: the newest there is, which may be what was asked with. `away`: it could not be refreshed now. */
export type CredentialAnswer =
  | { readonly is: 'held'; readonly sealed: string }
  | { readonly is: 'away'; readonly reason: string; readonly retryAfterMs: number }

/** Whose it is, and what is stored of it. */
export type SealedAuth = Pick<ServiceRecord, 'organisationId' | 'id' | 'sealedAuth'>

export type CredentialPorts = {
  readonly open: (sealed: SealedAuth) => UpstreamAuth | Promise<UpstreamAuth | undefined>
  readonly ask: (question: CredentialQuestion) => Promise<Result<CredentialAnswer, unknown>>
  readonly clock: Clock
}

type Held = {
  readonly sealed: string
  readonly grant: Grant
  /** Epoch ms; until then the guard has nothing better. */
  askAgainAt: number
  awayBecause: string | undefined
}

const MAX_HELD = 10_000
/** How long a call waits for a refresh: longer than the guard takes for one. */
const WAIT_MS = 25_000
const ASK_AGAIN_MS = 5_000
const GUARD_AWAY = { is: 'away', reason: 'its guard did not answer', retryAfterMs: 1_000 } as const

export class Credentials {
  readonly #ports: CredentialPorts
  readonly #held = new Map<string, Held>()

  constructor(ports: CredentialPorts) {
    this.#ports = ports
  }

  /** At once while it is good. Every call that meets one that has ended waits by itself (see `guard/teller.ts`). */
  get(
    service: ServiceRecord,
    background: Background,
  ): UpstreamAuth | Refusal | Promise<UpstreamAuth | Refusal> {
    const opened = this.#ports.open(service)
    if ('then' in opened) return opened.then((auth) => this.#use(service, auth, background))
    return opened.type === 'oauth2' ? this.#use(service, opened, background) : opened
  }

  /** After the upstream refused `refused`: another one, the same where it is not ours to renew, or why there is none. */
  async renew(
    service: ServiceRecord,
    refused: UpstreamAuth,
    background: Background,
  ): Promise<UpstreamAuth | Refusal> {
    const opened = await this.#ports.open(service)
    if (refused.type !== 'oauth2' || opened?.type !== 'oauth2') return await this.get(service, background)
    const held = this.#newest(service, opened)
    if (isNewer(held.grant, refused)) return await this.#use(service, opened, background)
    if (held.grant.rejection) return refusedIn(service)
    return await this.#refresh(service, held, true, background)
  }

  #use(
    service: ServiceRecord,
    auth: UpstreamAuth | undefined,
    background: Background,
  ): UpstreamAuth | Refusal | Promise<UpstreamAuth | Refusal> {
    if (auth?.type !== 'oauth2') return auth ?? refusedIn(service)
    const held = this.#newest(service, auth)
    switch (stateOf(held.grant, this.#ports.clock())) {
      case 'good':
        return held.grant
      case 'due':
        this.#refreshSoon(service, held, background)
        return held.grant
      case 'ended':
        return this.#refresh(service, held, false, background)
      case 'refused':
        return refusedIn(service)
    }
  }

  #newest(service: ServiceRecord, stored: Grant): Held {
    const known = this.#held.get(service.id)
    if (known && !isNewer(stored, known.grant)) return known
    return this.#hold(service.id, service.sealedAuth ?? '', stored)
  }

  #hold(serviceId: string, sealed: string, grant: Grant): Held {
    if (this.#held.size >= MAX_HELD) this.#held.clear()
    const held: Held = { sealed, grant, askAgainAt: 0, awayBecause: undefined }
    this.#held.set(serviceId, held)
    return held
  }

  #refreshSoon(service: ServiceRecord, held: Held, background: Background): void {
    const now = this.#ports.clock()
    if (now < held.askAgainAt) return
    held.askAgainAt = now + ASK_AGAIN_MS
    background(this.#ask(service, held, false))
  }

  async #refresh(
    service: ServiceRecord,
    held: Held,
    isRefused: boolean,
    background: Background,
  ): Promise<UpstreamAuth | Refusal> {
    const { clock } = this.#ports
    if (held.awayBecause !== undefined && clock() < held.askAgainAt)
      return awayFrom(service, held.awayBecause)
    const asking = this.#ask(service, held, isRefused)
    // A caller that goes away takes nothing back: others wait for the same.
    background(asking)
    const answer = await within(Math.min(WAIT_MS, service.config.timeoutMs ?? WAIT_MS), asking)
    if (answer?.is !== 'held') return awayFrom(service, (answer ?? GUARD_AWAY).reason)
    const auth = await this.#ports.open({ ...service, sealedAuth: answer.sealed })
    if (auth?.type !== 'oauth2') return auth ?? refusedIn(service)
    const isUseless = (isRefused && auth.rejection !== undefined) || stateOf(auth, clock()) === 'refused'
    return isUseless ? refusedIn(service) : auth
  }

  /** Remembers what the guard gave, or that it has nothing. */
  async #ask(service: ServiceRecord, held: Held, isRefused: boolean): Promise<CredentialAnswer> {
    const { organisationId, id, name, url } = service
    const about = { organisationId, id, name, url }
    const asked = await this.#ports.ask({ service: about, sealed: held.sealed, isRefused })
    const answer = asked.ok ? asked.value : GUARD_AWAY
    if (answer.is === 'away') {
      held.askAgainAt = this.#ports.clock() + answer.retryAfterMs
      held.awayBecause = answer.reason
      return answer
    }
    const auth = await this.#ports.open({ ...service, sealedAuth: answer.sealed })
    const newest = this.#held.get(id)
    if (auth?.type === 'oauth2' && (!newest || isNewer(auth, newest.grant)))
      this.#hold(id, answer.sealed, auth)
    return answer
  }
}

const refusedIn = ({ name }: ServiceRecord): Refusal => ({ why: 'upstream_auth', service: name })

const awayFrom = ({ name }: ServiceRecord, reason: string): Refusal => ({
  why: 'upstream_unreachable',
  service: name,
  reason: `its access token has ended and cannot be refreshed now, ${reason}`,
})
