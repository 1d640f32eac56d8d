/** The registry's port on Neon and Upstash. A loss of the quick store is a plain `undefined`, as if nothing were there. */
import { err, type Result } from '../platform/result.ts'
import type { RegistryImage } from '../registry/image.ts'
import type { RegistrySource, TruthLoss } from '../registry/registry.ts'
import type { Database } from './database.ts'
import { loadImage, loadVersion } from './image.ts'
import type { Patience } from './patience.ts'
import type { Publication } from './publication.ts'

export class StoredRegistry implements RegistrySource {
  readonly #database: Database
  readonly #patience: Patience
  readonly #publication: Publication
  readonly #organisationId: string

  constructor(database: Database, patience: Patience, publication: Publication, organisationId: string) {
    this.#database = database
    this.#patience = patience
    this.#publication = publication
    this.#organisationId = organisationId
  }

  publishedVersion(): Promise<number | undefined> {
    return this.#publication.version()
  }

  publishedImage(version: number): Promise<RegistryImage | undefined> {
    return this.#publication.image(version)
  }

  committedVersion(): Promise<Result<number, TruthLoss>> {
    return this.#read(loadVersion)
  }

  committedImage(): Promise<Result<RegistryImage, TruthLoss>> {
    return this.#read(loadImage)
  }

  publish(image: RegistryImage): Promise<void> {
    return this.#publication.publish(image)
  }

  async #read<T>(
    load: (database: Database, organisationId: string) => Promise<T>,
  ): Promise<Result<T, TruthLoss>> {
    const read = await this.#patience.read(() => load(this.#database, this.#organisationId))
    return read.ok ? read : err(read.error.why === 'schema' ? 'behind' : 'away')
  }
}
