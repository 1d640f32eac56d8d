/**
 * Authenticated encryption of what is kept elsewhere: upstream credentials in Postgres, images in Redis.
 * AES-256-GCM under a key derived from ENCRYPTION_KEY for one purpose; the context (organisation, service,
 * version, …) is bound as additional data, so a sealed text moved to another row does not open (S31).
 */
import { decodeBase64, encodeBase64 } from './base64.ts'

const IV_BYTES = 12
const encoder = new TextEncoder()

export class Sealer {
  readonly #key: Promise<CryptoKey>

  /** `secret`: 32 bytes. `purpose` keeps texts of one use from opening in another. */
  constructor(secret: Uint8Array, purpose: 'credential' | 'image') {
    this.#key = deriveKey(secret, purpose)
  }

  async seal(plain: Uint8Array, context: string): Promise<string> {
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
    const algorithm = { name: 'AES-GCM', iv, additionalData: encoder.encode(context) }
    const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm, await this.#key, plain))
    const bytes = new Uint8Array(IV_BYTES + sealed.length)
    bytes.set(iv)
    bytes.set(sealed, IV_BYTES)
    return encodeBase64(bytes)
  }

  /** The bytes, or `undefined` for anything that this key did not seal for this context. */
  async open(text: string, context: string): Promise<Uint8Array | undefined> {
    const bytes = decodeBase64(text)
    if (!bytes || bytes.length <= IV_BYTES) return undefined
    const iv = bytes.subarray(0, IV_BYTES)
    const algorithm = { name: 'AES-GCM', iv, additionalData: encoder.encode(context) }
    try {
      return new Uint8Array(await crypto.subtle.decrypt(algorithm, await this.#key, bytes.subarray(IV_BYTES)))
    } catch {
      return undefined
    }
  }
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
