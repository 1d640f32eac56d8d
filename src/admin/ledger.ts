/** The registry as operators read it, and as writes are decided on; each write is seen here at once. */
import type { Background } from '../platform/background.ts'
import { err, ok, type Result } from '../platform/result.ts'
import type { ServiceRecord } from '../registry/image.ts'
import type { Registry } from '../registry/registry.ts'
import type { Snapshot } from '../registry/snapshot.ts'
import type { DatabaseFault } from '../storage/database.ts'
import {
  duplicateName,
  type Problem,
  schemaBehind,
  storageAway,
  unknownService,
  writeFailed,
  writeUnseen,
} from './problem.ts'

export type Found = Result<ServiceRecord, Problem>

export class Ledger {
  readonly #registry: Registry

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** As committed, or as last known while the database is away. */
  async read(background: Background): Promise<Result<Snapshot, Problem>> {
    const committed = await this.committed(background)
    if (committed.ok || committed.error !== storageAway) return committed
    const snapshot = await this.#registry.current(background)
    return snapshot.ok ? snapshot : committed
  }

  /** What a write is decided on. */
  async committed(background: Background): Promise<Result<Snapshot, Problem>> {
    const snapshot = await this.#registry.committed(background)
    return snapshot.ok ? snapshot : err(snapshot.error === 'behind' ? schemaBehind : storageAway)
  }

  async find(idOrName: string, background: Background): Promise<Found> {
    const snapshot = await this.read(background)
    return snapshot.ok ? findIn(snapshot.value, idOrName) : snapshot
  }

  async findCommitted(idOrName: string, background: Background): Promise<Found> {
    const snapshot = await this.committed(background)
    return snapshot.ok ? findIn(snapshot.value, idOrName) : snapshot
  }

  /** The registry after this write. `duplicate`: what to say where a unique name is taken. */
  async commit(
    write: Promise<Result<unknown, DatabaseFault>>,
    background: Background,
    duplicate: Problem = storageAway,
  ): Promise<Result<Snapshot, Problem>> {
    const written = await write
    if (!written.ok) return err(writeFailed(written.error, duplicate))
    const snapshot = await this.#registry.reload(background)
    return snapshot.ok ? ok(snapshot.value) : err(writeUnseen)
  }

  /** The service of this name after this write. */
  async commitService(
    write: Promise<Result<unknown, DatabaseFault>>,
    name: string,
    background: Background,
  ): Promise<Found> {
    const snapshot = await this.commit(write, background, duplicateName(name))
    return snapshot.ok ? findIn(snapshot.value, name) : snapshot
  }
}

function findIn(snapshot: Snapshot, idOrName: string): Found {
  const service = snapshot.service(idOrName) ?? snapshot.serviceById(idOrName)
  return service ? ok(service) : err(unknownService(idOrName))
}
