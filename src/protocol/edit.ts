/** Single members of a JSON text replaced where they stand; every other byte stays. */
import { cut, isObjectAt, membersOf } from './json.ts'

/**
 * Replaces the member at `path` by what `change` makes of its raw text (`undefined`: there is none). A member that
 * is not there is added where its parent is an object; a missing parent leaves the text as it is. `change` giving
 * `undefined` leaves it too.
 */
export function editMember(
  text: string,
  path: readonly string[],
  change: (raw: string | undefined) => string | undefined,
): string {
  let start = 0
  for (const key of path.slice(0, -1)) {
    const span = membersOf(text, start).get(key)
    if (!span || !isObjectAt(text, span)) return text
    start = span.start
  }
  const key = path.at(-1) ?? ''
  const members = membersOf(text, start)
  const span = members.get(key)
  const value = change(span && cut(text, span))
  if (value === undefined) return text
  if (span) return text.slice(0, span.start) + value + text.slice(span.end)
  const open = text.indexOf('{', start) + 1
  return `${text.slice(0, open)}${JSON.stringify(key)}:${value}${members.size > 0 ? ',' : ''}${text.slice(open)}`
}

/** The raw text of the member at `path`. */
export function readMember(text: string, path: readonly string[]): string | undefined {
  let start = 0
  for (const [depth, key] of path.entries()) {
    const span = membersOf(text, start).get(key)
    if (!span) return undefined
    if (depth === path.length - 1) return cut(text, span)
    if (!isObjectAt(text, span)) return undefined
    start = span.start
  }
  return undefined
}

/** The same, where it is a string. */
export function readText(text: string, path: readonly string[]): string | undefined {
  const raw = readMember(text, path)
  const value: unknown = raw?.startsWith('"') ? JSON.parse(raw) : undefined
  return typeof value === 'string' ? value : undefined
}
