/**
 * Registers, changes, rediscovers and removes services. The one way by which services change: check the address,
 * ask the upstream what it offers, store both in one transaction, then answer from the new snapshot.
 */
import type { Background } from '../platform/background.ts'
import { err, ok, type Result } from '../platform/result.ts'
import type { ServiceRecord } from '../registry/image.ts'
import type { Actor } from '../storage/commit.ts'
import type { ServiceStore } from '../storage/services.ts'
import type { Discovery } from '../upstream/discovery.ts'
import { describeFault, type Fault, isUnaccepted } from '../upstream/fault.ts'
import { checkPlaces } from './address.ts'
import { Approach, type ApproachPorts, placesOf } from './approach.ts'
import { decide } from './decision.ts'
import { type Change, type Draft, draftOf, type Registration } from './draft.ts'
import { entryOf, rejectionIn } from './entry.ts'
import { type Expected, isExpected } from './etag.ts'
import type { Found, Ledger } from './ledger.ts'
import { hasDigests } from './pin.ts'
import {
  changedMeanwhile,
  contended,
  discoveryFailed,
  duplicateName,
  duplicateToolset,
  type Problem,
} from './problem.ts'
import { tagOf } from './view.ts'

export type RegistrarPorts = ApproachPorts & {
  readonly ledger: Ledger
  readonly store: ServiceStore
  /** An operator has seen the service work, so its circuit need not stay open. */
  readonly forgive: (service: ServiceRecord) => Promise<void>
}

/** What an operator wants of a service, where need be of what it is now. */
export type Wanted = Change | ((service: ServiceRecord) => Result<Change, Problem>)

type Discovered = Result<Discovery, Fault>

export class Registrar {
  readonly #ports: RegistrarPorts
  readonly #approach: Approach

  constructor(ports: RegistrarPorts) {
    this.#ports = ports
    this.#approach = new Approach(ports)
  }

  get ledger(): Ledger {
    return this.#ports.ledger
  }

  async register(body: Registration, actor: Actor, background: Background): Promise<Found> {
    const snapshot = await this.ledger.committed(background)
    if (!snapshot.ok) return snapshot
    if (snapshot.value.service(body.name)) return err(duplicateName(body.name))
    if (snapshot.value.toolset(body.name)) return err(duplicateToolset(body.name))
    const draft = draftOf(body, this.#approach.rules)
    if (!draft.ok) return draft
    const checked = await checkPlaces(placesOf(draft.value), this.#ports.hosts, true)
    if (!checked.ok) return checked
    const discovered = await this.#ports.discover(draft.value)
    const fallback = draft.value.config.fallbackTools
    // Refreshed once it is stored: what a refresh brings must not be lost.
    const isEnded = draft.value.auth.type === 'oauth2' && !discovered.ok && isUnaccepted(discovered.error)
    if (!discovered.ok && fallback === undefined && !isEnded) {
      return err(discoveryFailed(body.name, discovered.error))
    }
    const entry = await entryOf(crypto.randomUUID(), draft.value, discovered, undefined, this.#ports)
    const act = { actor, action: 'service.register', target: body.name, ...entry.act }
    const stored = this.#ports.store.insert(body.name, entry.write, act)
    const registered = await this.ledger.commitService(stored, body.name, background)
    if (!registered.ok && registered.error === contended) return err(duplicateToolset(body.name))
    if (!registered.ok || !isEnded) return registered
    await this.recover(registered.value, background)
    return await this.ledger.findCommitted(body.name, background)
  }

  /** Merges the fields given and rediscovers. A new address or credential that does not work changes nothing. */
  async change(
    idOrName: string,
    wanted: Wanted,
    actor: Actor,
    background: Background,
    expected?: Expected,
  ): Promise<Found> {
    let last: { readonly service: ServiceRecord; readonly discovered: Discovered } | undefined
    return await decide(async () => {
      const found = await this.#expect(idOrName, expected, background)
      if (!found.ok) return found
      const service = found.value
      const body = typeof wanted === 'function' ? wanted(service) : ok(wanted)
      if (!body.ok) return body
      const draft = await this.#approach.asChanged(service, body.value, background)
      if (!draft.ok) return draft
      if (!last || !isReachedAlike(last.service, service)) {
        const asked = await this.#ask(service, body.value, draft.value, background)
        if (!asked.ok) return asked
        last = { service, discovered: asked.value }
      }
      return await this.#update(service, body.value, draft.value, last.discovered, actor, background)
    })
  }

  /** Asks an upstream again, unasked by anyone. Writes only news, so that a dead service does not fill the log. */
  async recover(service: ServiceRecord, background: Background): Promise<void> {
    const draft = await this.#approach.asStored(service, background)
    if (!draft || rejectionIn(draft)) return
    const discovered = await this.#approach.discover(service, draft, background)
    if (!discovered.ok && describeFault(discovered.error) === service.statusReason) return
    await this.#note(service, draft, discovered, 'service.recover', background)
  }

  /** Reads the catalogue again after the service said that it changed, and stores it where it did. */
  async refresh(service: ServiceRecord, background: Background): Promise<void> {
    const draft = await this.#approach.asStored(service, background)
    const discovered = draft && (await this.#approach.discover(service, draft, background))
    if (!draft || !discovered?.ok) return
    const isSame = discovered.value.catalogue.fingerprint === service.catalogue?.fingerprint
    const isKnown = service.status !== 'error' || rejectionIn(draft) !== undefined
    if (isSame && isKnown && hasDigests(service)) return
    await this.#note(service, draft, discovered, 'service.refresh', background)
  }

  async setEnabled(
    idOrName: string,
    isEnabled: boolean,
    actor: Actor,
    background: Background,
    expected?: Expected,
  ): Promise<Found> {
    const action = isEnabled ? 'service.connect' : 'service.disconnect'
    return await decide(async () => {
      const found = await this.#expect(idOrName, expected, background)
      if (!found.ok) return found
      const act = { actor, action, target: found.value.name }
      const stored = this.#ports.store.setEnabled(found.value, isEnabled, act)
      return await this.ledger.commitService(stored, found.value.name, background)
    })
  }

  /** The service that was. */
  async remove(idOrName: string, actor: Actor, background: Background, expected?: Expected): Promise<Found> {
    return await decide(async () => {
      const found = await this.#expect(idOrName, expected, background)
      if (!found.ok) return found
      const act = { actor, action: 'service.delete', target: found.value.name }
      const removed = await this.ledger.commit(this.#ports.store.remove(found.value, act), background)
      return removed.ok ? found : removed
    })
  }

  async #expect(idOrName: string, expected: Expected, background: Background): Promise<Found> {
    const found = await this.ledger.findCommitted(idOrName, background)
    return !found.ok || isExpected(expected, tagOf(found.value)) ? found : err(changedMeanwhile)
  }

  /** What it offers as it would be; where its address or credential is new, it must answer. */
  async #ask(
    service: ServiceRecord,
    body: Change,
    draft: Draft,
    background: Background,
  ): Promise<Result<Discovered, Problem>> {
    const areNew = [body.url, body.instances, body.auth].some((field) => field !== undefined)
    const checked = await checkPlaces(placesOf(draft), this.#ports.hosts, areNew)
    if (!checked.ok) return checked
    const discovered = await this.#approach.discover(service, draft, background)
    const isNewConnection = [body.url, body.transport, body.auth, body.headers].some(
      (field) => field !== undefined,
    )
    const isLost = !discovered.ok && isNewConnection && draft.config.fallbackTools === undefined
    return isLost ? err(discoveryFailed(service.name, discovered.error)) : ok(discovered)
  }

  async #update(
    service: ServiceRecord,
    body: Change,
    draft: Draft,
    discovered: Discovered,
    actor: Actor,
    background: Background,
  ): Promise<Found> {
    const { write, act: news } = await entryOf(service.id, draft, discovered, service, this.#ports)
    const act = { actor, action: 'service.update', target: service.name, ...news }
    const stored = this.#ports.store.update(service, write, act)
    const updated = await this.ledger.commitService(stored, service.name, background)
    if (discovered.ok) background(this.#ports.forgive(service))
    const isAnswered = !updated.ok || discovered.ok || Object.keys(body).length > 0
    return isAnswered ? updated : err(discoveryFailed(service.name, discovered.error))
  }

  /** Stores what was found out. Where an operator has led elsewhere meanwhile it is of no use. */
  async #note(
    service: ServiceRecord,
    draft: Draft,
    discovered: Discovered,
    action: string,
    background: Background,
  ): Promise<void> {
    const { write, act: news } = await entryOf(service.id, draft, discovered, service, this.#ports)
    const act = { actor: 'gateway', action, target: service.name, ...news }
    await this.ledger.commitService(this.#ports.store.refresh(service, write, act), service.name, background)
  }
}

/** What was asked of the one holds for the other. */
const isReachedAlike = (one: ServiceRecord, other: ServiceRecord): boolean => wayOf(one) === wayOf(other)

const wayOf = ({ url, transport, config: { secretsSetAt } }: ServiceRecord): string =>
  JSON.stringify([url, transport, secretsSetAt])
