/** API keys: `sy_` and 256 random bits, shown once, kept as their SHA-256. */
import { encodeBase64Url } from '../platform/base64.ts'
import { sha256 } from '../platform/hash.ts'
import { principalOfKey, type Verifier } from './proof.ts'

/** 43 characters hold 256 bits in base64url (RFC 4648, section 5). */
const KEY = /^sy_[A-Za-z0-9_-]{43}$/
const KEY_BYTES = 32
const PREFIX_CHARS = 11

export const isApiKey = (credential: string): boolean => KEY.test(credential)

/** A new key, and the part of it by which it is known. */
export function makeApiKey(): { readonly key: string; readonly prefix: string } {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES))
  const key = `sy_${encodeBase64Url(bytes)}`
  return { key, prefix: key.slice(0, PREFIX_CHARS) }
}

/** In hexadecimal. Its 256 bits need no salt and no slow hash. */
export const hashApiKey = (key: string): Promise<string> => sha256(key)

/** Found by its digest, so how long that takes tells nothing of a key. */
export const verifyApiKey: Verifier = async (credential) => {
  if (!isApiKey(credential)) return undefined
  const hash = await hashApiKey(credential)
  return (directory, nowMs) => {
    const key = directory.keyByHash(hash)
    return key && principalOfKey(key, directory, nowMs)
  }
}
