/**
 * Authenticated encryption of what is kept elsewhere: upstream credentials in Postgres, images and results in Redis.
 * AES-256-GCM under a key derived from ENCRYPTION_KEY for one purpose; the context (organisation, service,
 * version, …) is bound as additional data, so a sealed text moved to another row does not open (S31).
 */
import { decodeBase64, encodeBase64 } from './base64.ts'
import { forEachKey, openWith, type SealingKeys } from './key.ts'

const IV_BYTES = 12
const encoder = new TextEncoder()

export class Sealer {
  readonly #keys: readonly [Promise<CryptoKey>, ...Promise<CryptoKey>[]]

  /** `purpose` keeps texts of one use from opening in another. */
  constructor(keys: SealingKeys, purpose: 'credential' | 'image' | 'result') {
    this.#keys = forEachKey(keys, (secret) => deriveKey(secret, purpose))
  }

  async seal(plain: Uint8Array, context: string): Promise<string> {
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
    const algorithm = { name: 'AES-GCM', iv, additionalData: encoder.encode(context) }
    const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm, await this.#keys[0], plain))
    const bytes = new Uint8Array(IV_BYTES + sealed.length)
    bytes.set(iv)
    bytes.set(sealed, IV_BYTES)
    return encodeBase64(bytes)
  }

  /** The bytes, or `undefined` for anything that none of the keys sealed for this context. */
  open(text: string, context: string): Promise<Uint8Array | undefined> {
    return openUnder(this.#keys, text, context)
  }

  /** Something may open that was not sealed with the present key. */
  get hasPrevious(): boolean {
    return this.#keys.length > 1
  }

  /** Whether it still opens when only the present key is left. */
  async isPresent(text: string, context: string): Promise<boolean> {
    return (await openUnder([this.#keys[0]], text, context)) !== undefined
  }
}

async function openUnder(
  keys: readonly Promise<CryptoKey>[],
  text: string,
  context: string,
): Promise<Uint8Array | undefined> {
  const bytes = decodeBase64(text)
  if (!bytes || bytes.length <= IV_BYTES) return undefined
  const iv = bytes.subarray(0, IV_BYTES)
  const algorithm = { name: 'AES-GCM', iv, additionalData: encoder.encode(context) }
  return await openWith(keys, async (key) => {
    try {
      return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, bytes.subarray(IV_BYTES)))
    } catch {
      return undefined
    }
  })
}

async function deriveKey(secret: Uint8Array, purpose: string): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey'])
  const hkdf = {
    name: 'HKDF',
    hash: 'SHA-256',
    salt: new Uint8Array(),
    info: encoder.encode(`switchyard ${purpose}`),
  }
  return await crypto.subtle.deriveKey(hkdf, material, { name: 'AES-GCM', length: 256 }, false, [
    'encrypt',
    'decrypt',
  ])
}
