import { LIMITS } from './limits.ts'

/** What came from outside, fit to stand in one of our sentences: cut, without control or direction marks (B97). */
export function echo(text: string): string {
  const cutText = text.length > LIMITS.echoChars ? text.slice(0, LIMITS.echoChars) : text
  return cutText.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd').toWellFormed()
}
