/**
 * How one isolate shows an image to the others: the image under its version, then the version. Both in
 * one script, which never lets the version go back. Images are compressed and sealed: who can write to Redis
 * can still not plant a service (F64).
 */
import { isObject } from '../protocol/message.ts'
import type { Versioned } from '../platform/replica.ts'
import { pack, unpack } from './pack.ts'
import type { QuickStore } from './quick.ts'
import type { Sealer } from '../platform/seal.ts'

const IMAGE_LIFETIME_SECONDS = 3_600
/** Advances when an image changes its shape: what another release published is then read as absent. */
const IMAGE_FORMAT = 4

const PUBLISH = `
local published = tonumber(redis.call('GET', KEYS[1]) or '0')
if published <= tonumber(ARGV[1]) then
  redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
  redis.call('SET', KEYS[1], ARGV[1])
end
return 1`

/** Where the registry of an organisation is shown. The default one uses the plain keys that the documents name. */
export const registryPlace = (organisationId: string): string =>
  organisationId === 'default' ? 'mcp:registry:' : `mcp:registry:${organisationId}:`

export const DIRECTORY_PLACE = 'mcp:directory:'

export class Publication<Image extends Versioned> {
  readonly #store: QuickStore
  readonly #sealer: Sealer
  readonly #place: string

  /** `place`: what its keys begin with. */
  constructor(store: QuickStore, sealer: Sealer, place: string) {
    this.#store = store
    this.#sealer = sealer
    this.#place = place
  }

  async version(): Promise<number | undefined> {
    const text = await this.#store.get(this.#versionKey)
    const version = Number(text)
    return text !== undefined && Number.isSafeInteger(version) && version >= 0 ? version : undefined
  }

  /** The image of exactly this version; anything truncated, foreign or altered is deleted and counts as absent. */
  async image(version: number): Promise<Image | undefined> {
    const key = this.#imageKey(version)
    const sealed = await this.#store.get(key, 'image')
    if (sealed === undefined) return undefined
    const packed = await this.#sealer.open(sealed, this.#sealContext(version))
    const image = packed && readImage<Image>(await unpack(packed), version)
    if (!image) await this.#store.delete(key)
    return image
  }

  async publish(image: Image): Promise<void> {
    const key = this.#imageKey(image.version)
    const sealed = await this.#sealer.seal(
      await pack(JSON.stringify(image)),
      this.#sealContext(image.version),
    )
    const args = [String(image.version), sealed, String(IMAGE_LIFETIME_SECONDS)]
    await this.#store.run(PUBLISH, [this.#versionKey, key], args)
  }

  get #versionKey(): string {
    return `${this.#place}version`
  }

  #imageKey(version: number): string {
    return `${this.#place}snapshot:${version}`
  }

  /** What the seal is bound to. */
  #sealContext(version: number): string {
    return `${this.#imageKey(version)} format ${IMAGE_FORMAT}`
  }
}

/** The one place where a sealed text becomes an image: our own seal vouches for its shape. */
function readImage<Image>(text: string, version: number): Image | undefined {
  const value: unknown = JSON.parse(text)
  return isObject(value) && value['version'] === version ? (value as Image) : undefined
}
