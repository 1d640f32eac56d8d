/** The registry's port on Neon and Upstash: truth and quick store, each loss a plain `undefined`. */
import type { RegistryImage } from '../registry/image.ts'
import type { RegistrySource } from '../registry/registry.ts'
import { attempt, type Database } from './database.ts'
import { loadImage, loadVersion } from './image.ts'
import type { Publication } from './publication.ts'

export class StoredRegistry implements RegistrySource {
  readonly #database: Database
  readonly #publication: Publication
  readonly #organisationId: string

  constructor(database: Database, publication: Publication, organisationId: string) {
    this.#database = database
    this.#publication = publication
    this.#organisationId = organisationId
  }

  publishedVersion(): Promise<number | undefined> {
    return this.#publication.version()
  }

  publishedImage(version: number): Promise<RegistryImage | undefined> {
    return this.#publication.image(version)
  }

  async committedVersion(): Promise<number | undefined> {
    const version = await attempt(() => loadVersion(this.#database, this.#organisationId))
    return version.ok ? version.value : undefined
  }

  async committedImage(): Promise<RegistryImage | undefined> {
    const image = await attempt(() => loadImage(this.#database, this.#organisationId))
    return image.ok ? image.value : undefined
  }

  publish(image: RegistryImage): Promise<void> {
    return this.#publication.publish(image)
  }
}
