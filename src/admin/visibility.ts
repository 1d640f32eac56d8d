/**
 * Who may use which tools, what is said of single tools, and which are offered together, as operators read and change
 * it: each write is decided on what is committed, and seen here at once.
 */
import type { Background } from '../platform/background.ts'
import { err, ok, type Result } from '../platform/result.ts'
import type { Registry } from '../registry/registry.ts'
import type { Snapshot } from '../registry/snapshot.ts'
import type { DatabaseFault } from '../storage/database.ts'
import type { VisibilityStore } from '../storage/visibility.ts'
import { type Problem, storageAway, writeFailed, writeUnseen } from './problem.ts'
import type { Registrar } from './registrar.ts'

export type VisibilityPorts = {
  readonly registry: Registry
  readonly registrar: Registrar
  readonly store: VisibilityStore
}

export class Visibility {
  readonly #ports: VisibilityPorts

  constructor(ports: VisibilityPorts) {
    this.#ports = ports
  }

  get store(): VisibilityStore {
    return this.#ports.store
  }

  read(background: Background): Promise<Result<Snapshot, Problem>> {
    return this.#ports.registrar.read(background)
  }

  /** What a write is decided on. */
  committed(background: Background): Promise<Result<Snapshot, Problem>> {
    return this.#ports.registrar.committed(background)
  }

  /** The registry after this write. `duplicate`: what to say where a unique name is taken. */
  async commit(
    write: Promise<Result<unknown, DatabaseFault>>,
    background: Background,
    duplicate: Problem = storageAway,
  ): Promise<Result<Snapshot, Problem>> {
    const written = await write
    if (!written.ok) return err(writeFailed(written.error, duplicate))
    const snapshot = await this.#ports.registry.reload(background)
    return snapshot.ok ? ok(snapshot.value) : err(writeUnseen)
  }
}
