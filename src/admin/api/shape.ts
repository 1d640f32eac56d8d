/** What several operations take or give. */
import * as z from 'zod'
import { MAX_CACHE_TTL_SECONDS } from '../../platform/settings.ts'
import { checkSlug, SLUG_PATTERN } from '../../registry/name.ts'

// The edge forbids code from strings, which the library would otherwise try first.
z.config({ jitless: true })

/** Text that can be stored: Postgres keeps no NUL and no half of a character. */
export const text = (maxChars: number, minChars = 1) =>
  z
    .string()
    .min(minChars)
    .max(maxChars)
    .refine((given) => !given.includes('\0') && given.isWellFormed(), 'must be text without NUL')

/** What a tool is called by its service. */
export const toolName = text(1_024)

export const slug = z
  .string()
  .superRefine((value, context) => {
    const fault = checkSlug(value)
    if (fault === 'pattern') context.addIssue({ code: 'custom', message: `must match ${SLUG_PATTERN}` })
    if (fault === 'reserved') context.addIssue({ code: 'custom', message: `'${value}' is reserved` })
  })
  .meta({ pattern: SLUG_PATTERN })

/** Every fault of a number names the whole range. */
export function whole(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`
  return z
    .number({ error })
    .refine((value) => Number.isInteger(value) && value >= min && value <= max, error)
    .meta({ type: 'integer', minimum: min, maximum: max })
}

const TTL = `must be a whole number from 0 to ${MAX_CACHE_TTL_SECONDS}`

export const cacheTtl = z
  .union([whole(0, MAX_CACHE_TTL_SECONDS), z.literal('default', { error: TTL })])
  .meta({
    description:
      'For how many seconds results are given again; 0: not at all; `default`: as CACHE_TTL_SECONDS says when this is written.',
  })

export const cacheScope = z
  .enum(['shared', 'caller'])
  .meta({ description: 'Who is given a result again: everybody, or only who asked for it.' })

/** One thing, or a list of up to `max`. */
export const oneOrMore = <T>(one: z.ZodType<T>, max: number): z.ZodType<T | T[]> =>
  z.union([one, z.array(one).min(1).max(max)])

/** A time as answers have it. */
export const time = z.string().meta({ format: 'date-time' })

const DEFAULT_ITEMS = 100
const MAX_ITEMS = 1_000
const LIMIT = `must be a whole number from 1 to ${MAX_ITEMS}`

/** How many items a list gives at most. */
export const limit = z
  .string()
  .regex(/^\d{1,4}$/, LIMIT)
  .transform(Number)
  .refine((items) => items >= 1 && items <= MAX_ITEMS, LIMIT)
  .default(DEFAULT_ITEMS)
  .meta({ description: `1 to ${MAX_ITEMS}, ${DEFAULT_ITEMS} by default.` })

/** Where a list of things that are held in memory goes on. */
export const page = z.strictObject({
  cursor: z
    .string()
    .regex(/^\d{1,9}$/, 'must be one that a list gave as nextCursor')
    .transform(Number)
    .default(0)
    .meta({ description: 'The `nextCursor` of the page before.' }),
  limit,
})

export type Page = z.output<typeof page>

export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().optional() })

/** What is gone now. */
export const deleted = <Shape extends z.ZodRawShape>(named: Shape) =>
  z.object({ ...named, deleted: z.literal(true) })

export const fieldFault = z.object({ field: z.string(), message: z.string() })

export const problem = z
  .object({
    type: z.literal('about:blank'),
    status: z.int(),
    code: z.string().meta({ description: 'Stable; `docs/errors.md` lists them.' }),
    title: z.string(),
    detail: z.string().meta({ description: 'What happened and what to do.' }),
    errors: z.array(fieldFault).optional(),
    reason: z.string().optional(),
    retryAfterMs: z.number().optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' })
