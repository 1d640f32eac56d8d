/**
 * One operation of the management API, told once: the router mounts it, handlers check by it, the OpenAPI document and
 * the typed client are made of it.
 */
import type { Context, Env, Hono } from 'hono'
import type * as z from 'zod'
import { type FieldFault, invalidPath, respondWithProblem } from './problem.ts'

export type Operation = {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** As the router spells it: `/api/v1/servers/:id`. */
  readonly path: string
  readonly tag: string
  /** A few words, without a full stop. */
  readonly summary: string
  readonly description?: string
  /** Strings in, whatever the schema makes of them out. */
  readonly query?: z.ZodObject
  readonly body?: z.ZodType
  /** Of the status 200, or of `status`. */
  readonly answer: z.ZodType
  /** `application/json` by default. */
  readonly answerType?: 'text/plain'
  readonly status?: 201
  /** Answers with an `ETag`. */
  readonly isTagged?: true
  /** Takes `If-Match`. */
  readonly isConditional?: true
  /** Answered without a credential. */
  readonly isPublic?: true
  /** An older path that has a canonical one. */
  readonly isDeprecated?: true
}

/** As it was given, so that its type says what stands in it. */
export const operation = <const Given extends Operation>(given: Given): Given => given

/** What stands in the place of a parameter of a path has at most so many characters. */
export const MAX_PARAMETER_CHARS = 1_024

export function mount<Known extends Env>(
  routes: Hono<Known>,
  { method, path }: Operation,
  handler: (c: Context<Known>) => Promise<Response>,
): void {
  routes.on(method.toUpperCase(), path, async (c) => {
    const faults = faultsIn(c.req.param())
    return faults.length === 0 ? await handler(c) : respondWithProblem(invalidPath(faults))
  })
}

const faultsIn = (parameters: Readonly<Record<string, string>>): readonly FieldFault[] =>
  Object.entries(parameters).flatMap(([field, value]) =>
    value.length > MAX_PARAMETER_CHARS || value.includes('\0')
      ? [{ field, message: `must be at most ${MAX_PARAMETER_CHARS} characters without NUL` }]
      : [],
  )
