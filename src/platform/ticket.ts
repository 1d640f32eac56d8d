/**
 * Values that travel through a caller and come back: session ids, ids of requests, states of calls that wait.
 * A ticket can be neither read nor made up, and opens only in the context that it was sealed for. The same value
 * in the same context always gives the same text, so that a caller can compare tickets.
 *
 * AES-256-GCM whose nonce is a keyed digest of context and value (as in RFC 8452: a repeated nonce then means a
 * repeated text, which reveals nothing but that).
 */
import { decodeBase64, encodeBase64Url } from './base64.ts'
import { forEachKey, openWith, type SealingKeys } from './key.ts'

const NONCE_BYTES = 12
const LENGTH_BYTES = 4
const encoder = new TextEncoder()
const decoder = new TextDecoder()

type Keys = { readonly seal: CryptoKey; readonly digest: CryptoKey }

export class Tickets<Value> {
  readonly #keys: readonly [Promise<Keys>, ...Promise<Keys>[]]
  readonly #read: (value: unknown) => Value | undefined

  /** Tickets of one purpose never open for another. `read` checks what was opened. */
  constructor(keys: SealingKeys, purpose: string, read: (value: unknown) => Value | undefined) {
    this.#keys = forEachKey(keys, (secret) => deriveKeys(secret, purpose))
    this.#read = read
  }

  /** URL-safe text of visible ASCII. */
  async seal(value: Value, context: string): Promise<string> {
    const keys = await this.#keys[0]
    const plain = encoder.encode(JSON.stringify(value))
    const additionalData = encoder.encode(context)
    const iv = await nonceOf(keys.digest, additionalData, plain)
    const algorithm = { name: 'AES-GCM', iv, additionalData }
    const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm, keys.seal, plain))
    const bytes = new Uint8Array(NONCE_BYTES + sealed.length)
    bytes.set(iv)
    bytes.set(sealed, NONCE_BYTES)
    return encodeBase64Url(bytes)
  }

  /** The value, or `undefined` for anything that was not sealed here for this purpose and context. */
  async open(text: string, context: string): Promise<Value | undefined> {
    const bytes = decodeBase64(text.replaceAll('-', '+').replaceAll('_', '/'))
    // Several texts decode to the same bytes; one of them is the ticket.
    if (!bytes || bytes.length <= NONCE_BYTES || encodeBase64Url(bytes) !== text) return undefined
    const iv = bytes.subarray(0, NONCE_BYTES)
    const algorithm = { name: 'AES-GCM', iv, additionalData: encoder.encode(context) }
    return await openWith(this.#keys, async ({ seal }) => {
      try {
        const plain = await crypto.subtle.decrypt(algorithm, seal, bytes.subarray(NONCE_BYTES))
        return this.#read(JSON.parse(decoder.decode(plain)))
      } catch {
        return undefined
      }
    })
  }
}

async function nonceOf(key: CryptoKey, context: Uint8Array, plain: Uint8Array): Promise<Uint8Array> {
  const bytes = new Uint8Array(LENGTH_BYTES + context.length + plain.length)
  new DataView(bytes.buffer).setUint32(0, context.length)
  bytes.set(context, LENGTH_BYTES)
  bytes.set(plain, LENGTH_BYTES + context.length)
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, bytes)).subarray(0, NONCE_BYTES)
}

async function deriveKeys(secret: Uint8Array, purpose: string): Promise<Keys> {
  const material = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey'])
  const hkdf = (use: string) => ({
    name: 'HKDF',
    hash: 'SHA-256',
    salt: new Uint8Array(),
    info: encoder.encode(`switchyard ticket ${purpose} ${use}`),
  })
  const aes = { name: 'AES-GCM', length: 256 }
  const hmac = { name: 'HMAC', hash: 'SHA-256', length: 256 }
  return {
    seal: await crypto.subtle.deriveKey(hkdf('seal'), material, aes, false, ['encrypt', 'decrypt']),
    digest: await crypto.subtle.deriveKey(hkdf('digest'), material, hmac, false, ['sign']),
  }
}
