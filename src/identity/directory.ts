/** Who there is, over all organisations, ready to be asked: the copy that credentials are judged by. Holds no secret. */
import type { Versioned } from '../platform/replica.ts'
import type { Role } from './principal.ts'
import type { Scope } from './scope.ts'

export type OrganisationRecord = {
  readonly id: string
  readonly name: string
  /** None of its callers is served (B35). */
  readonly isSuspended: boolean
}

/** A key that was not revoked. */
export type KeyRecord = {
  readonly id: string
  readonly organisationId: string
  readonly name: string
  /** Its first characters, by which people know it. */
  readonly prefix: string
  /** SHA-256 of the whole key, in hexadecimal. */
  readonly hash: string
  readonly role: Role
  readonly agentType: string | undefined
  readonly scopes: readonly Scope[] | undefined
  /** Whose it is; absent: it stands for itself. */
  readonly userId: string | undefined
  readonly createdAt: string
  readonly expiresAt: string | undefined
}

export type UserRecord = {
  readonly id: string
  readonly organisationId: string
  readonly username: string
  readonly role: Role
  readonly agentType: string | undefined
  /** Epoch ms: of which moment or later a token must be. A new password makes all that were issued before count no more. */
  readonly tokensSince: number
  readonly createdAt: string
}

export type DirectoryImage = Versioned & {
  readonly organisations: readonly OrganisationRecord[]
  readonly keys: readonly KeyRecord[]
  readonly users: readonly UserRecord[]
}

/** Credentials are judged by nothing older than this (F53, F57). */
export const DIRECTORY_USELESS_AFTER_MS = 60_000

export class Directory {
  readonly image: DirectoryImage
  readonly #organisations: ReadonlyMap<string, OrganisationRecord>
  readonly #keys: ReadonlyMap<string, KeyRecord>
  readonly #keysByHash: ReadonlyMap<string, KeyRecord>
  readonly #users: ReadonlyMap<string, UserRecord>

  constructor(image: DirectoryImage) {
    this.image = image
    this.#organisations = new Map(image.organisations.map((each) => [each.id, each]))
    this.#keys = new Map(image.keys.map((key) => [key.id, key]))
    this.#keysByHash = new Map(image.keys.map((key) => [key.hash, key]))
    this.#users = new Map(image.users.map((user) => [user.id, user]))
  }

  get version(): number {
    return this.image.version
  }

  organisation(id: string): OrganisationRecord | undefined {
    return this.#organisations.get(id)
  }

  key(id: string): KeyRecord | undefined {
    return this.#keys.get(id)
  }

  keyByHash(hash: string): KeyRecord | undefined {
    return this.#keysByHash.get(hash)
  }

  user(id: string): UserRecord | undefined {
    return this.#users.get(id)
  }
}
