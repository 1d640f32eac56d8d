/**
 * What a call was given and what it answered, where an operator wants it kept: raw JSON, or in its place why it was left
 * out. Bounded, so that neither callers nor upstreams decide how much is held.
 */
import { measureJson } from '../protocol/json.ts'
import { LIMITS } from '../protocol/limits.ts'

const MAX_CHARS = 65_536

export type Captured = { readonly input: string | undefined; readonly output: string | undefined }

type Why = 'too_long' | 'too_deep' | 'no_room'

const leftOut = (why: Why): string => JSON.stringify({ 'switchyard/leftOut': why })

/** `chars`: what keeping it would hold. `undefined`: there is none. */
export function kept(raw: string | undefined, chars: number = raw?.length ?? 0): string | undefined {
  return chars > MAX_CHARS ? leftOut('too_long') : raw
}

/** The same where there is no room for it. */
export const withoutRoom = (raw: string | undefined): string | undefined =>
  raw === undefined ? undefined : leftOut('no_room')

/** The same as a table takes it: Postgres does not read JSON of any depth. */
export const storable = (raw: string | undefined): string | undefined =>
  raw !== undefined && measureJson(raw).depth > LIMITS.jsonDepth ? leftOut('too_deep') : raw
