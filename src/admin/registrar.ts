/**
 * Registers, changes, rediscovers and removes services. The one way by which the registry changes: check the
 * address, ask the upstream what it offers, store both in one transaction, then answer from the new snapshot.
 */
import type { Background } from '../platform/background.ts'
import type { Clock } from '../platform/clock.ts'
import { err, ok, type Result } from '../platform/result.ts'
import type { Registry } from '../registry/registry.ts'
import { claimsOf } from '../registry/claim.ts'
import type { ServiceConfig, ServiceRecord } from '../registry/image.ts'
import type { Snapshot } from '../registry/snapshot.ts'
import type { CredentialStore } from '../storage/credential.ts'
import type { DatabaseFault } from '../storage/database.ts'
import type { Act } from '../storage/commit.ts'
import type { ServiceFields, ServiceStore } from '../storage/services.ts'
import type { AddressPolicy } from '../upstream/address.ts'
import type { Destination } from '../upstream/connection.ts'
import type { Discovery } from '../upstream/discovery.ts'
import { describeFault, type Fault } from '../upstream/fault.ts'
import type { Hosts } from '../upstream/hosts.ts'
import { checkPlaces, type Place } from './address.ts'
import type { Change, Registration } from './body.ts'
import { draftOf, merge, type Draft } from './draft.ts'
import { hasDigests, readOffered } from './pin.ts'
import {
  discoveryFailed,
  duplicateName,
  type Problem,
  schemaBehind,
  storageAway,
  unknownService,
  writeFailed,
  writeUnseen,
} from './problem.ts'

export type RegistrarPorts = {
  readonly registry: Registry
  readonly store: ServiceStore
  readonly credentials: CredentialStore
  readonly discover: (destination: Destination) => Promise<Result<Discovery, Fault>>
  /** An operator has seen the service work, so its circuit need not stay open. */
  readonly forgive: (service: ServiceRecord) => Promise<void>
  readonly policy: AddressPolicy
  /** Where names lead. */
  readonly hosts: Pick<Hosts, 'examine'>
  readonly clock: Clock
}

type Outcome = Result<ServiceRecord, Problem>

export class Registrar {
  readonly #ports: RegistrarPorts

  constructor(ports: RegistrarPorts) {
    this.#ports = ports
  }

  /** What operators read: the registry as committed, or the last one known while the database is away. */
  async read(background: Background): Promise<Result<Snapshot, Problem>> {
    const committed = await this.#committed(background)
    if (committed.ok || committed.error !== storageAway) return committed
    const snapshot = await this.#ports.registry.current(background)
    return snapshot.ok ? snapshot : committed
  }

  async #committed(background: Background): Promise<Result<Snapshot, Problem>> {
    const snapshot = await this.#ports.registry.committed(background)
    return snapshot.ok ? snapshot : err(snapshot.error === 'behind' ? schemaBehind : storageAway)
  }

  async find(idOrName: string, background: Background): Promise<Outcome> {
    const snapshot = await this.read(background)
    return snapshot.ok ? findIn(snapshot.value, idOrName) : snapshot
  }

  async register(body: Registration, actor: string, background: Background): Promise<Outcome> {
    const snapshot = await this.#committed(background)
    if (!snapshot.ok) return snapshot
    if (snapshot.value.service(body.name)) return err(duplicateName(body.name))
    const draft = draftOf(body, this.#ports.policy)
    if (!draft.ok) return draft
    const checked = await checkPlaces(placesOf(draft.value), this.#ports.hosts, true)
    if (!checked.ok) return checked
    const discovered = await this.#ports.discover(draft.value)
    const fallback = draft.value.config.fallbackTools
    if (!discovered.ok && fallback === undefined) return err(discoveryFailed(body.name, discovered.error))
    const id = crypto.randomUUID()
    const { config } = draft.value
    const offered = await readOffered(undefined, config, discovered)
    const write = {
      id,
      fields: { ...(await this.#fieldsOf(id, draft.value, discovered)), config },
      ...offered.write,
      names: claimsOf(discovered.ok ? discovered.value.catalogue : { tools: fallback ?? '[]' }),
      instances: draft.value.instances,
    }
    const stored = await this.#ports.store.insert(body.name, write, {
      actor,
      action: 'service.register',
      target: body.name,
      ...offered.act,
    })
    return await this.answer(stored, body.name, background)
  }

  /** Merges the fields given and rediscovers. A new address or credential that does not work changes nothing. */
  async change(idOrName: string, body: Change, actor: string, background: Background): Promise<Outcome> {
    const found = await this.findCommitted(idOrName, background)
    if (!found.ok) return found
    const service = found.value
    const auth = await this.#ports.credentials.open(service)
    const draft = merge(service, auth ?? { type: 'none' }, body, this.#ports.policy)
    if (!draft.ok) return draft
    const areNew = body.url !== undefined || body.instances !== undefined
    const checked = await checkPlaces(placesOf(draft.value), this.#ports.hosts, areNew)
    if (!checked.ok) return checked
    const discovered = await this.#ports.discover(draft.value)
    const isNewConnection = [body.url, body.transport, body.auth, body.headers].some(
      (field) => field !== undefined,
    )
    const fallback = draft.value.config.fallbackTools
    if (!discovered.ok && isNewConnection && fallback === undefined) {
      return err(discoveryFailed(service.name, discovered.error))
    }
    const act = { actor, action: 'service.update', target: service.name }
    const { config } = draft.value
    const stored = await this.#store(service, draft.value, discovered, act, background, config)
    if (discovered.ok) background(this.#ports.forgive(service))
    if (!stored.ok || discovered.ok || Object.keys(body).length > 0) return stored
    return err(discoveryFailed(service.name, discovered.error))
  }

  /** Asks an upstream again, unasked by anyone. Writes only news, so that a dead service does not fill the log. */
  async recover(service: ServiceRecord, background: Background): Promise<void> {
    const draft = await this.#draftAsStored(service)
    if (!draft) return
    const discovered = await this.#ports.discover(draft)
    if (!discovered.ok && describeFault(discovered.error) === service.statusReason) return
    const act = { actor: 'gateway', action: 'service.recover', target: service.name }
    await this.#store(service, draft, discovered, act, background)
  }

  /** Reads the catalogue again after the service said that it changed, and stores it where it did. */
  async refresh(service: ServiceRecord, background: Background): Promise<void> {
    const draft = await this.#draftAsStored(service)
    const discovered = draft && (await this.#ports.discover(draft))
    if (!draft || !discovered?.ok) return
    if (
      discovered.value.catalogue.fingerprint === service.catalogue?.fingerprint &&
      service.status !== 'error' &&
      hasDigests(service)
    )
      return
    const act = { actor: 'gateway', action: 'service.refresh', target: service.name }
    await this.#store(service, draft, discovered, act, background)
  }

  async setEnabled(
    idOrName: string,
    isEnabled: boolean,
    actor: string,
    background: Background,
  ): Promise<Outcome> {
    const found = await this.findCommitted(idOrName, background)
    if (!found.ok) return found
    const { id, name } = found.value
    const action = isEnabled ? 'service.connect' : 'service.disconnect'
    const stored = await this.#ports.store.setEnabled(id, isEnabled, { actor, action, target: name })
    return await this.answer(stored, name, background)
  }

  async remove(idOrName: string, actor: string, background: Background): Promise<Outcome> {
    const found = await this.findCommitted(idOrName, background)
    if (!found.ok) return found
    const act = { actor, action: 'service.delete', target: found.value.name }
    const removed = await this.#ports.store.remove(found.value.id, act)
    if (!removed.ok) return err(problemOf(removed.error, found.value.name))
    await this.#ports.registry.reload(background)
    return found
  }

  /** What a write is decided on. */
  async findCommitted(idOrName: string, background: Background): Promise<Outcome> {
    const snapshot = await this.#committed(background)
    return snapshot.ok ? findIn(snapshot.value, idOrName) : snapshot
  }

  async #draftAsStored(service: ServiceRecord): Promise<Draft | undefined> {
    const auth = await this.#ports.credentials.open(service)
    const draft = auth && merge(service, auth, {}, this.#ports.policy)
    if (!draft?.ok) return undefined
    const checked = await checkPlaces(placesOf(draft.value), this.#ports.hosts, false)
    return checked.ok ? draft.value : undefined
  }

  /** `config`: absent where nobody set any, since an operator may have done so while the upstream was asked. */
  async #store(
    service: ServiceRecord,
    draft: Draft,
    discovered: Result<Discovery, Fault>,
    act: Act,
    background: Background,
    config?: ServiceConfig,
  ): Promise<Outcome> {
    const offered = await readOffered(service, draft.config, discovered)
    const write = {
      id: service.id,
      fields: { ...(await this.#fieldsOf(service.id, draft, discovered, service.lastPingAt)), config },
      ...offered.write,
      names: discovered.ok ? claimsOf(discovered.value.catalogue) : [],
      instances: draft.instances,
    }
    return await this.answer(
      await this.#ports.store.update(write, { ...act, ...offered.act }),
      service.name,
      background,
    )
  }

  async #fieldsOf(
    id: string,
    draft: Draft,
    discovered: Result<Discovery, Fault>,
    lastPingAt?: string,
  ): Promise<Omit<ServiceFields, 'config'>> {
    return {
      url: draft.url,
      transport: discovered.ok ? discovered.value.transport : (draft.transport ?? 'http'),
      sealedAuth: await this.#ports.credentials.seal(draft.auth, id),
      status: discovered.ok ? 'connected' : 'error',
      statusReason: discovered.ok ? undefined : describeFault(discovered.error),
      lastPingAt: discovered.ok ? this.#ports.clock() : readTime(lastPingAt),
    }
  }

  /** The service as it is stored now. */
  async answer(
    stored: Result<unknown, DatabaseFault>,
    name: string,
    background: Background,
  ): Promise<Outcome> {
    if (!stored.ok) return err(problemOf(stored.error, name))
    const snapshot = await this.#ports.registry.reload(background)
    if (!snapshot.ok) return err(writeUnseen)
    const service = snapshot.value.service(name)
    return service ? ok(service) : err(unknownService(name))
  }
}

const placesOf = ({ url, instances = [] }: Draft): readonly Place[] => [
  { field: 'url', url },
  ...instances.map((instance, at) => ({ field: `instances.${at}.url`, url: instance.url })),
]

function findIn(snapshot: Snapshot, idOrName: string): Outcome {
  const service = snapshot.service(idOrName) ?? snapshot.image.services.find(({ id }) => id === idOrName)
  return service ? ok(service) : err(unknownService(idOrName))
}

export const problemOf = (fault: DatabaseFault, name: string): Problem =>
  writeFailed(fault, duplicateName(name))

const readTime = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Date.parse(text)
