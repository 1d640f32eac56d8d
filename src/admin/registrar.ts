/**
 * Registers, changes, rediscovers and removes services. The one way by which the registry changes: check the
 * address, ask the upstream what it offers, store both in one transaction, then answer from the new snapshot.
 */
import type { Background } from '../platform/background.ts'
import { err, ok, type Result } from '../platform/result.ts'
import type { Registry } from '../registry/registry.ts'
import { claimsOf } from '../registry/claim.ts'
import type { ServiceConfig, ServiceRecord } from '../registry/image.ts'
import type { Snapshot } from '../registry/snapshot.ts'
import type { DatabaseFault } from '../storage/database.ts'
import type { Act } from '../storage/commit.ts'
import type { ServiceFields, ServiceStore } from '../storage/services.ts'
import type { Discovery } from '../upstream/discovery.ts'
import { describeFault, type Fault, isUnaccepted } from '../upstream/fault.ts'
import { describeRejection } from '../upstream/grant.ts'
import { checkPlaces } from './address.ts'
import { Approach, type ApproachPorts, placesOf } from './approach.ts'
import type { Change, Registration } from './body.ts'
import { type Draft, draftOf } from './draft.ts'
import { hasDigests, readOffered } from './pin.ts'
import {
  discoveryFailed,
  duplicateName,
  duplicateToolset,
  type Problem,
  schemaBehind,
  storageAway,
  unknownService,
  writeFailed,
  writeUnseen,
} from './problem.ts'

export type RegistrarPorts = ApproachPorts & {
  readonly registry: Registry
  readonly store: ServiceStore
  /** An operator has seen the service work, so its circuit need not stay open. */
  readonly forgive: (service: ServiceRecord) => Promise<void>
}

type Outcome = Result<ServiceRecord, Problem>

export class Registrar {
  readonly #ports: RegistrarPorts
  readonly #approach: Approach

  constructor(ports: RegistrarPorts) {
    this.#ports = ports
    this.#approach = new Approach(ports)
  }

  /** What operators read: the registry as committed, or the last one known while the database is away. */
  async read(background: Background): Promise<Result<Snapshot, Problem>> {
    const committed = await this.committed(background)
    if (committed.ok || committed.error !== storageAway) return committed
    const snapshot = await this.#ports.registry.current(background)
    return snapshot.ok ? snapshot : committed
  }

  /** What a write is decided on. */
  async committed(background: Background): Promise<Result<Snapshot, Problem>> {
    const snapshot = await this.#ports.registry.committed(background)
    return snapshot.ok ? snapshot : err(snapshot.error === 'behind' ? schemaBehind : storageAway)
  }

  async find(idOrName: string, background: Background): Promise<Outcome> {
    const snapshot = await this.read(background)
    return snapshot.ok ? findIn(snapshot.value, idOrName) : snapshot
  }

  async register(body: Registration, actor: string, background: Background): Promise<Outcome> {
    const snapshot = await this.committed(background)
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
    const registered = await this.answer(stored, body.name, background)
    if (!registered.ok || !isEnded) return registered
    await this.recover(registered.value, background)
    return await this.findCommitted(body.name, background)
  }

  /** Merges the fields given and rediscovers. A new address or credential that does not work changes nothing. */
  async change(idOrName: string, body: Change, actor: string, background: Background): Promise<Outcome> {
    const found = await this.findCommitted(idOrName, background)
    if (!found.ok) return found
    const service = found.value
    const draft = await this.#approach.asChanged(service, body, background)
    if (!draft.ok) return draft
    const areNew = [body.url, body.instances, body.auth].some((field) => field !== undefined)
    const checked = await checkPlaces(placesOf(draft.value), this.#ports.hosts, areNew)
    if (!checked.ok) return checked
    const discovered = await this.#approach.discover(service, draft.value, background)
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
    const draft = await this.#approach.asStored(service, background)
    if (!draft || rejectionIn(draft)) return
    const discovered = await this.#approach.discover(service, draft, background)
    if (!discovered.ok && describeFault(discovered.error) === service.statusReason) return
    const act = { actor: 'gateway', action: 'service.recover', target: service.name }
    await this.#store(service, draft, discovered, act, background)
  }

  /** Reads the catalogue again after the service said that it changed, and stores it where it did. */
  async refresh(service: ServiceRecord, background: Background): Promise<void> {
    const draft = await this.#approach.asStored(service, background)
    const discovered = draft && (await this.#approach.discover(service, draft, background))
    if (!draft || !discovered?.ok) return
    const isSame = discovered.value.catalogue.fingerprint === service.catalogue?.fingerprint
    const isKnown = service.status !== 'error' || rejectionIn(draft) !== undefined
    if (isSame && isKnown && hasDigests(service)) return
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
    const snapshot = await this.committed(background)
    return snapshot.ok ? findIn(snapshot.value, idOrName) : snapshot
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
    const rejection = rejectionIn(draft)
    const fault = rejection ?? (discovered.ok ? undefined : describeFault(discovered.error))
    return {
      url: draft.url,
      transport: discovered.ok ? discovered.value.transport : (draft.transport ?? 'http'),
      sealedAuth: draft.hasNewAuth
        ? ((await this.#ports.credentials.seal(draft.auth, id)) ?? null)
        : undefined,
      status: fault === undefined ? 'connected' : 'error',
      statusReason: fault,
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

/** Only an operator can mend it, however well the service answers for now. */
const rejectionIn = ({ auth }: Draft): string | undefined =>
  auth.type === 'oauth2' && auth.rejection ? describeRejection(auth.rejection) : undefined

function findIn(snapshot: Snapshot, idOrName: string): Outcome {
  const service = snapshot.service(idOrName) ?? snapshot.image.services.find(({ id }) => id === idOrName)
  return service ? ok(service) : err(unknownService(idOrName))
}

export const problemOf = (fault: DatabaseFault, name: string): Problem =>
  writeFailed(fault, duplicateName(name))

const readTime = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Date.parse(text)
