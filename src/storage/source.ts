/** What is copied into isolates, on Neon and Upstash. A loss of the quick store is a plain `undefined`, as if nothing were there. */
import type { ReplicaSource, TruthLoss, Versioned } from '../platform/replica.ts'
import { err, type Result } from '../platform/result.ts'
import type { Database } from './database.ts'
import type { Patience } from './patience.ts'
import type { Publication } from './publication.ts'

/** How the image, and its version alone, are read from the truth. */
export type Loader<Image> = {
  readonly version: (database: Database) => Promise<number>
  readonly image: (database: Database) => Promise<Image>
}

export class StoredSource<Image extends Versioned> implements ReplicaSource<Image> {
  readonly #database: Database
  readonly #patience: Patience
  readonly #publication: Publication<Image>
  readonly #loader: Loader<Image>

  constructor(
    database: Database,
    patience: Patience,
    publication: Publication<Image>,
    loader: Loader<Image>,
  ) {
    this.#database = database
    this.#patience = patience
    this.#publication = publication
    this.#loader = loader
  }

  publishedVersion(): Promise<number | undefined> {
    return this.#publication.version()
  }

  publishedImage(version: number): Promise<Image | undefined> {
    return this.#publication.image(version)
  }

  committedVersion(): Promise<Result<number, TruthLoss>> {
    return this.#read(this.#loader.version)
  }

  committedImage(): Promise<Result<Image, TruthLoss>> {
    return this.#read(this.#loader.image)
  }

  publish(image: Image): Promise<void> {
    return this.#publication.publish(image)
  }

  async #read<T>(load: (database: Database) => Promise<T>): Promise<Result<T, TruthLoss>> {
    const read = await this.#patience.read(() => load(this.#database))
    return read.ok ? read : err(read.error.why === 'schema' ? 'behind' : 'away')
  }
}
