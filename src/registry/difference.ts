/** Where two JSON texts differ, for people to read before they approve (S35). */
import { cut, elementsOf, isArrayAt, isObjectAt, membersOf, type Span } from '../protocol/json.ts'
import { canonicalJson } from '../protocol/canonical.ts'

export type Difference = {
  /** A JSON pointer (RFC 6901). */
  readonly path: string
  /** Raw JSON; absent: there was nothing. */
  readonly before: string | undefined
  /** Raw JSON; absent: nothing is there any more. */
  readonly after: string | undefined
}

const MAX_DIFFERENCES = 100
/** Deeper than people look; what differs below is told whole. */
const MAX_DEPTH = 32

/** What is told of both texts where only the whole tells it: keys given twice. */
export function differencesBetween(before: string, after: string): readonly Difference[] {
  if (canonicalJson(before) === canonicalJson(after)) return []
  const found: Difference[] = []
  compare(before.trim(), after.trim(), '', MAX_DEPTH, found)
  return found.length === 0 ? [{ path: '', before, after }] : found
}

function compare(before: string, after: string, path: string, depth: number, found: Difference[]): void {
  const [ours, theirs] = depth === 0 ? [] : [partsOf(before), partsOf(after)]
  if (!ours || !theirs || ours.is !== theirs.is) {
    if (canonicalJson(before) !== canonicalJson(after)) found.push({ path, before, after })
    return
  }
  for (const key of new Set([...ours.parts.keys(), ...theirs.parts.keys()])) {
    if (found.length >= MAX_DIFFERENCES) return
    const at = `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
    const [was, is] = [ours.parts.get(key), theirs.parts.get(key)]
    if (was && is) compare(cut(before, was), cut(after, is), at, depth - 1, found)
    else found.push({ path: at, before: was && cut(before, was), after: is && cut(after, is) })
  }
}

type Parts = { readonly is: 'object' | 'array'; readonly parts: ReadonlyMap<string, Span> }

function partsOf(text: string): Parts | undefined {
  const whole = { start: 0, end: text.length }
  if (isObjectAt(text, whole)) return { is: 'object', parts: membersOf(text) }
  if (!isArrayAt(text, whole)) return undefined
  return { is: 'array', parts: new Map(elementsOf(text).map((span, at) => [String(at), span])) }
}
