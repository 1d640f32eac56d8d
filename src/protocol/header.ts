/**
 * The header codec of 2026-07-28 ("Standard headers"): values that a header cannot carry as they are travel
 * as `=?base64?<base64 of UTF-8>?=`.
 */
import { err, ok, type Result } from '../platform/result.ts'
import { echo } from './echo.ts'

const SAFE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/
const SENTINEL = /^=\?base64\?(.*)\?=$/

/** The text as a header value; CR, LF and every other unsafe byte can only leave as base64 (S47). */
export function encodeHeader(text: string): string {
  if (SAFE.test(text) && !SENTINEL.test(text)) return text
  let binary = ''
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte)
  return `=?base64?${btoa(binary)}?=`
}

/** The text that a header value stands for. `atob` forgives missing padding and spaces; what is sent never lacks it. */
export function decodeHeader(value: string): Result<string, 'not valid base64'> {
  const inner = SENTINEL.exec(value)?.[1]
  if (inner === undefined) return ok(value)
  try {
    const binary = atob(inner)
    if (btoa(binary) !== inner) return err('not valid base64')
    const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0))
    return ok(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes))
  } catch {
    return err('not valid base64')
  }
}

/** Both values as far as they are fit to be shown (B77, B97). */
export const describeMismatch = (header: string, value: string, body: string): string =>
  `${header} header value '${echo(value)}' does not match body value '${echo(body)}'`
