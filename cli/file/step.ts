/** What is to be done so that a gateway is as its file says: one step for each thing. */
import { isDeepStrictEqual } from 'node:util'
import type * as z from 'zod'
import { misuse } from '../failure.ts'
import type { Api, Environment } from '../gateway.ts'
import { describeIssues } from '../issue.ts'
import { type Missing, resolveReferences } from '../reference.ts'

export type Difference = {
  readonly field: string
  readonly before?: unknown
  readonly after?: unknown
}

export type Step = {
  readonly action: 'create' | 'change' | 'remove'
  /** `service user-service` */
  readonly what: string
  readonly differences: readonly Difference[]
  /** References of secrets that it needs and that are not set. */
  readonly missing: readonly Missing[]
  readonly carryOut: (api: Api) => Promise<unknown>
}

export type PlanOptions = {
  readonly env: Environment
  /** Remove what the file does not name, in the sections that it has. */
  readonly isPruning: boolean
  /** Set secrets again that cannot be compared. */
  readonly resetsSecrets: boolean
}

/** What a plan knows of the gateway: by name. */
export type Known<T> = ReadonlyMap<string, T>

/** The fields of `wanted` that are otherwise in `actual`. What is not wanted is left alone. */
export const differencesOf = (
  wanted: Readonly<Record<string, unknown>>,
  actual: Readonly<Record<string, unknown>>,
): Difference[] =>
  Object.entries(wanted)
    .filter(([field, after]) => after !== undefined && !isDeepStrictEqual(after, actual[field]))
    .map(([field, after]) => ({ field, before: actual[field], after }))

/** All fields of something new. */
export const fieldsOf = (wanted: Readonly<Record<string, unknown>>): Difference[] => differencesOf(wanted, {})

/** What is sent once its secrets are put in; `body` throws where that is not what the gateway takes. */
export function withSecrets<T>(
  schema: z.ZodType<T>,
  given: object,
  what: string,
  env: Environment,
): { readonly body: () => T; readonly missing: readonly Missing[] } {
  const { value, missing } = resolveReferences(given, env, undefined, [what])
  const body = (): T => {
    const checked = schema.safeParse(value)
    if (checked.success) return checked.data
    throw misuse(describeIssues(checked.error.issues, what).join('; '))
  }
  return { body, missing }
}

export const SECRET = '(secret)'

/** What the file does not name, where it is to be removed. */
export const surplus = <T>(actual: Known<T>, wanted: readonly string[], isPruning: boolean): [string, T][] =>
  isPruning ? [...actual].filter(([name]) => !wanted.includes(name)) : []
