/** Everything that one organisation has to itself: its registry, its operators' ways to change it, its upkeep. */
import type { Registration } from './admin/api/service.ts'
import { Approver } from './admin/approver.ts'
import { Environment } from './admin/environment.ts'
import { Ledger } from './admin/ledger.ts'
import { Registrar, type RegistrarPorts } from './admin/registrar.ts'
import { resealCredentials } from './admin/reseal.ts'
import { Upkeep } from './admin/upkeep.ts'
import type { CredentialVault } from './durable/credential-refresh.ts'
import type { Background } from './platform/background.ts'
import type { Visibility } from './admin/visibility.ts'
import type { Clock } from './platform/clock.ts'
import type { ReplicaSource } from './platform/replica.ts'
import type { Sealer } from './platform/seal.ts'
import type { RegistryImage } from './registry/image.ts'
import { Registry } from './registry/registry.ts'
import { ApprovalStore } from './storage/approvals.ts'
import { CredentialStore } from './storage/credential.ts'
import type { Database } from './storage/database.ts'
import { registryLoader } from './storage/image.ts'
import type { Patience } from './storage/patience.ts'
import { Publication, registryPlace } from './storage/publication.ts'
import type { QuickStore } from './storage/quick.ts'
import { ServiceStore } from './storage/services.ts'
import { StoredSource } from './storage/source.ts'
import { VisibilityStore } from './storage/visibility.ts'
import type { Log } from './telemetry/log.ts'
import { describeRejection } from './upstream/grant.ts'

export type Realm = {
  readonly registry: Registry
  readonly source: ReplicaSource<RegistryImage>
  readonly registrar: Registrar
  readonly approver: Approver
  readonly visibility: Visibility
  readonly upkeep: Upkeep
  readonly vault: CredentialVault
}

/** What all organisations share. */
export type RealmPorts = Pick<
  RegistrarPorts,
  'discover' | 'forgive' | 'credential' | 'renewCredential' | 'policy' | 'defaultTtlSeconds' | 'hosts'
> & {
  readonly reads: Database
  readonly writes: Database
  readonly patience: Patience
  readonly quick: QuickStore
  readonly sealers: { readonly image: Sealer; readonly credential: Sealer }
  /** Services of the environment, by the organisation that they are registered for. */
  readonly configured: (organisationId: string) => readonly Registration[]
  readonly clock: Clock
  readonly log: Log
}

export class Realms {
  readonly #ports: RealmPorts
  readonly #open = new Map<string, Realm>()

  constructor(ports: RealmPorts) {
    this.#ports = ports
  }

  /** Of an organisation that there is: whoever asks got its id from a verified caller or a stored service. */
  of(organisationId: string): Realm {
    const known = this.#open.get(organisationId)
    if (known) return known
    const realm = openRealm(organisationId, this.#ports)
    this.#open.set(organisationId, realm)
    return realm
  }

  /** Those that this isolate has had to do with. */
  get held(): readonly Realm[] {
    return [...this.#open.values()]
  }
}

function openRealm(organisationId: string, ports: RealmPorts): Realm {
  const { reads, writes, patience, quick, sealers, clock, log } = ports
  const publication = new Publication<RegistryImage>(quick, sealers.image, registryPlace(organisationId))
  const source = new StoredSource(reads, patience, publication, registryLoader(organisationId))
  const registry = new Registry(source, clock)
  const credentials = new CredentialStore(sealers.credential, organisationId)
  const store = new ServiceStore(writes, patience, organisationId)
  const ledger = new Ledger(registry)
  const registrar = new Registrar({ ...ports, ledger, store, credentials })
  const approver = new Approver({ ledger, store: new ApprovalStore(writes, patience, organisationId) })
  const visibility = {
    ledger,
    store: new VisibilityStore(writes, patience, organisationId),
    defaultTtlSeconds: ports.defaultTtlSeconds,
  }
  const reseal = (background: Background): Promise<void> =>
    resealCredentials({ registry, store, credentials }, background)
  const environment = new Environment({
    organisationId,
    registry,
    ledger,
    registrar,
    sealer: sealers.credential,
  })
  const upkeep = new Upkeep({
    registry,
    registrar,
    environment,
    reseal,
    configured: () => ports.configured(organisationId),
    clock,
    random: Math.random,
    log,
  })
  const vault = openVault(credentials, store, registry)
  return { registry, source, registrar, approver, visibility, upkeep, vault }
}

function openVault(credentials: CredentialStore, store: ServiceStore, registry: Registry): CredentialVault {
  return {
    open: credentials.open.bind(credentials),
    seal: credentials.seal.bind(credentials),
    stored: store.storedAuth.bind(store),
    async store({ service, from, to, rejection }, background) {
      const act = { actor: 'gateway', action: 'credential.refresh', target: service.name }
      const replaced = rejection
        ? await store.replaceAuth(
            service.id,
            { from, to, fault: describeRejection(rejection) },
            { ...act, outcome: 'rejected', detail: { reason: rejection } },
          )
        : await store.replaceAuth(service.id, { from, to }, act)
      if (replaced.ok && replaced.value) background(registry.reload(background))
      return replaced
    },
  }
}
