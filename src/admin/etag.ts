/** Entity tags of what operators set, and what a request expects of them (RFC 9110, sections 8.8.3 and 13.1.1). */
import { createHash } from 'node:crypto'
import { err, ok, type Result } from '../platform/result.ts'
import type { Problem } from './problem.ts'

const CHARS = 22

/** Told by what is in it: the same again has the same tag again. */
export const etagOf = (thing: unknown): string =>
  `"${createHash('sha256').update(JSON.stringify(thing)).digest('base64url').slice(0, CHARS)}"`

/** `undefined`: nothing is expected. `any`: that it is there. */
export type Expected = 'any' | ReadonlySet<string> | undefined

const TAG = /(W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g

/** Stands for a tag; no header holds it. */
const MARK = '\0'

export function readExpected(headers: Headers): Result<Expected, Problem> {
  const given = headers.get('if-match')?.trim()
  if (given === undefined) return ok(undefined)
  if (given === '*') return ok('any')
  const tags = given.match(TAG) ?? []
  const rest = given.replace(TAG, MARK).split(',')
  const isList = tags.length > 0 && rest.every((part) => ['', MARK].includes(part.trim()))
  return isList ? ok(new Set(tags)) : err(unreadable)
}

/** A weak tag equals none, itself neither (section 8.8.3.2). */
export const isExpected = (expected: Expected, tag: string): boolean =>
  expected === undefined || expected === 'any' || expected.has(tag)

const unreadable: Problem = {
  status: 400,
  code: 'invalid_header',
  title: 'Invalid header',
  detail: 'If-Match: must be the ETag of what was read, a list of such, or *',
  errors: [{ field: 'If-Match', message: 'must be the ETag of what was read, a list of such, or *' }],
}
