/** The directory as operators read and change it: each write is decided on what is committed, and seen here at once. */
import type { Directory, DirectoryImage } from '../identity/directory.ts'
import type { Background } from '../platform/background.ts'
import type { Replica, TruthLoss } from '../platform/replica.ts'
import { err, ok, type Result } from '../platform/result.ts'
import type { DatabaseFault } from '../storage/database.ts'
import { type Problem, schemaBehind, storageAway, writeFailed, writeUnseen } from './problem.ts'

export class Accounts {
  readonly #directory: Replica<DirectoryImage, Directory>

  constructor(directory: Replica<DirectoryImage, Directory>) {
    this.#directory = directory
  }

  /** As committed, or as last known while the database is away. */
  async read(background: Background): Promise<Result<Directory, Problem>> {
    const committed = await this.#directory.committed(background)
    if (committed.ok) return committed
    const current = committed.error === 'away' ? await this.#directory.current(background) : undefined
    return current?.ok ? current : err(problemOf(committed.error))
  }

  /** What a write is decided on. */
  async committed(background: Background): Promise<Result<Directory, Problem>> {
    const committed = await this.#directory.committed(background)
    return committed.ok ? committed : err(problemOf(committed.error))
  }

  /** The directory after this write. `duplicate`: what to say where a unique name is taken. */
  async commit(
    write: Promise<Result<unknown, DatabaseFault>>,
    duplicate: Problem,
    background: Background,
  ): Promise<Result<Directory, Problem>> {
    const written = await write
    if (!written.ok) return err(writeFailed(written.error, duplicate))
    const directory = await this.#directory.reload(background)
    return directory.ok ? ok(directory.value) : err(writeUnseen)
  }
}

const problemOf = (loss: TruthLoss): Problem => (loss === 'behind' ? schemaBehind : storageAway)
