/** How the gateway comes to a stored service to ask what it offers: at its address, with the credential of today. */
import type { Background } from '../platform/background.ts'
import type { Clock } from '../platform/clock.ts'
import type { Result } from '../platform/result.ts'
import type { Refusal } from '../protocol/refusal.ts'
import type { ServiceRecord } from '../registry/image.ts'
import type { CredentialStore } from '../storage/credential.ts'
import type { AddressPolicy } from '../upstream/address.ts'
import type { Destination, UpstreamAuth } from '../upstream/connection.ts'
import type { Discovery } from '../upstream/discovery.ts'
import { type Fault, isUnaccepted } from '../upstream/fault.ts'
import type { Hosts } from '../upstream/hosts.ts'
import { checkPlaces, type Place } from './address.ts'
import { type Change, type Draft, type DraftRules, merge } from './draft.ts'
import type { Problem } from './problem.ts'

export type ApproachPorts = {
  readonly credentials: CredentialStore
  readonly discover: (destination: Destination) => Promise<Result<Discovery, Fault>>
  /** The credential that a stored service is reached with today, or why there is none. */
  readonly credential: (
    service: ServiceRecord,
    background: Background,
  ) => UpstreamAuth | Refusal | Promise<UpstreamAuth | Refusal>
  /** Another one after the service refused this; the same where it is not ours to renew. */
  readonly renewCredential: (
    service: ServiceRecord,
    refused: UpstreamAuth,
    background: Background,
  ) => Promise<UpstreamAuth | Refusal>
  readonly policy: AddressPolicy
  readonly defaultTtlSeconds: number
  /** Where names lead. */
  readonly hosts: Pick<Hosts, 'examine'>
  readonly clock: Clock
}

export class Approach {
  readonly #ports: ApproachPorts

  constructor(ports: ApproachPorts) {
    this.#ports = ports
  }

  get rules(): DraftRules {
    const { policy, defaultTtlSeconds, clock } = this.#ports
    return { policy, defaultTtlSeconds, now: clock() }
  }

  /** As it is stored; `undefined`: it cannot be asked now. */
  async asStored(service: ServiceRecord, background: Background): Promise<Draft | undefined> {
    const auth = await this.#ports.credential(service, background)
    const draft = 'why' in auth ? undefined : merge(service, auth, {}, this.rules)
    if (!draft?.ok) return undefined
    const checked = await checkPlaces(placesOf(draft.value), this.#ports.hosts, false)
    return checked.ok ? draft.value : undefined
  }

  /** A credential that is no good is shown to the service all the same, which says best what is wrong. */
  async asChanged(
    service: ServiceRecord,
    body: Change,
    background: Background,
  ): Promise<Result<Draft, Problem>> {
    const opened = await this.#ports.credentials.open(service)
    const usable = body.auth ? undefined : await this.#ports.credential(service, background)
    const auth = usable && !('why' in usable) ? usable : opened
    return merge(service, auth ?? { type: 'none' }, body, this.rules)
  }

  /** Once more with another credential where the stored one has ended before its time (F10). */
  async discover(
    service: ServiceRecord,
    draft: Draft,
    background: Background,
  ): Promise<Result<Discovery, Fault>> {
    const discovered = await this.#ports.discover(draft)
    if (discovered.ok || draft.hasNewAuth || !isUnaccepted(discovered.error)) return discovered
    const auth = await this.#ports.renewCredential(service, draft.auth, background)
    return 'why' in auth || auth === draft.auth ? discovered : await this.#ports.discover({ ...draft, auth })
  }
}

/** Every address that a draft would have called. A token endpoint is looked at again before it is asked. */
export const placesOf = ({ url, instances = [], auth, hasNewAuth }: Draft): readonly Place[] => [
  { field: 'url', url },
  ...instances.map((instance, at) => ({ field: `instances.${at}.url`, url: instance.url })),
  ...(auth.type === 'oauth2' && hasNewAuth ? [{ field: 'auth.tokenUrl', url: auth.tokenUrl }] : []),
]
