/**
 * Places in a JSON text. Whatever we need not change is cut out and passed on as it stands, so that unknown
 * fields, key order and big integers survive (JSON.parse would round 9007199254740993).
 *
 * `measureJson` takes any text. The others trust that JSON.parse accepted it. None of them recurses.
 */
export type Span = { readonly start: number; readonly end: number }

const QUOTE = 34
const COMMA = 44
const COLON = 58
const BACKSLASH = 92
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

/** Where long containers end, by where they begin: what was found once is not looked for again. */
export type Ends = ReadonlyMap<number, number>

/** The outer containers of a message are told apart; what is within them nobody asks for. */
const OUTER_LEVELS = 3
const LONG_CHARS = 1_024
const NO_ENDS: Ends = new Map()

/** Nesting depth, and number of values (an empty container counts as two). Linear in the text. */
export function measureJson(text: string): { depth: number; nodes: number; ends: Ends } {
  let depth = 0
  let deepest = 0
  let nodes = 1
  const begins: number[] = []
  const ends = new Map<number, number>()
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at) - 1
        break
      case OPEN_BRACE:
      case OPEN_BRACKET:
        nodes++
        if (depth < OUTER_LEVELS) begins[depth] = at
        if (++depth > deepest) deepest = depth
        break
      case CLOSE_BRACE:
      case CLOSE_BRACKET: {
        const begin = --depth < OUTER_LEVELS ? begins[depth] : undefined
        if (begin !== undefined && at - begin > LONG_CHARS) ends.set(begin, at + 1)
        break
      }
      case COMMA:
        nodes++
        break
    }
  }
  return { depth: deepest, nodes, ends }
}

/**
 * The members of the object that starts at `start` (white space allowed). A key given twice: the last wins. `ends`: of
 * this text, where it was measured.
 */
export function membersOf(text: string, start = 0, ends = NO_ENDS): Map<string, Span> {
  const members = new Map<string, Span>()
  let at = skipSpace(text, skipSpace(text, start) + 1)
  while (text.charCodeAt(at) === QUOTE) {
    const keyEnd = endOfString(text, at)
    const key = readString(text, { start: at, end: keyEnd })
    const valueStart = skipSpace(text, skipSpace(text, keyEnd) + 1)
    const end = ends.get(valueStart) ?? endOfValue(text, valueStart)
    members.set(key, { start: valueStart, end })
    at = skipSpace(text, end)
    if (text.charCodeAt(at) !== COMMA) break
    at = skipSpace(text, at + 1)
  }
  return members
}

/** The elements of the array that starts at `start` (white space allowed). */
export function elementsOf(text: string, start = 0): Span[] {
  const elements: Span[] = []
  let at = skipSpace(text, skipSpace(text, start) + 1)
  while (at < text.length && text.charCodeAt(at) !== CLOSE_BRACKET) {
    const end = endOfValue(text, at)
    elements.push({ start: at, end })
    at = skipSpace(text, end)
    if (text.charCodeAt(at) === COMMA) at = skipSpace(text, at + 1)
  }
  return elements
}

export const cut = (text: string, span: Span): string => text.slice(span.start, span.end)

export const isObjectAt = (text: string, span: Span): boolean => text.charCodeAt(span.start) === OPEN_BRACE

export const isArrayAt = (text: string, span: Span): boolean => text.charCodeAt(span.start) === OPEN_BRACKET

/** The string at this place; `undefined` where something else is. */
export const stringAt = (text: string, span: Span | undefined): string | undefined =>
  span && text.charCodeAt(span.start) === QUOTE ? readString(text, span) : undefined

/** What is to stand in the place of a span. */
export type Edit = { readonly span: Span; readonly text: string }

/** The text with these places replaced, all else byte for byte. Places must not overlap; any order. */
export function replace(text: string, edits: readonly Edit[]): string {
  if (edits.length === 0) return text
  let result = ''
  let at = 0
  for (const { span, text: put } of edits.toSorted((a, b) => a.span.start - b.span.start)) {
    result += text.slice(at, span.start) + put
    at = span.end
  }
  return result + text.slice(at)
}

/** An object text from raw member texts, in the order given. */
export function writeObject(members: Iterable<readonly [key: string, rawValue: string]>): string {
  let text = ''
  for (const [key, value] of members) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${value}`
  return `{${text}}`
}

function readString(text: string, span: Span): string {
  const inner = text.slice(span.start + 1, span.end - 1)
  return inner.includes('\\') ? String(JSON.parse(cut(text, span))) : inner
}

/** One past the closing quote of the string that opens at `at`; the text's length when it never closes. */
export function endOfString(text: string, at: number): number {
  let quote = text.indexOf('"', at + 1)
  while (quote !== -1) {
    let slashes = 0
    while (text.charCodeAt(quote - 1 - slashes) === BACKSLASH) slashes++
    if (slashes % 2 === 0) return quote + 1
    quote = text.indexOf('"', quote + 1)
  }
  return text.length
}

function endOfValue(text: string, start: number): number {
  const first = text.charCodeAt(start)
  if (first === QUOTE) return endOfString(text, start)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return endOfContainer(text, start)
  let at = start
  while (at < text.length && !endsScalar(text.charCodeAt(at))) at++
  return at
}

function endOfContainer(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at) - 1
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++
    else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --depth === 0) return at + 1
  }
  return text.length
}

const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9

const endsScalar = (code: number): boolean =>
  isSpace(code) || code === COMMA || code === COLON || code === CLOSE_BRACE || code === CLOSE_BRACKET

function skipSpace(text: string, start: number): number {
  let at = start
  while (isSpace(text.charCodeAt(at))) at++
  return at
}
