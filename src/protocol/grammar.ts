/**
 * Whether a text is JSON, as JSON.parse would say, without building what it describes: a value takes many times the
 * memory of its text, and whoever sends it chooses how many. Neither recursive nor slower than linear.
 */
const QUOTE = 34
const PLUS = 43
const COMMA = 44
const MINUS = 45
const DOT = 46
const ZERO = 48
const COLON = 58
const OPEN_BRACKET = 91
const BACKSLASH = 92
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125
const NOWHERE = -1
/** What a string is made of; only so many escapes at once, since a search remembers each of them. */
const STRETCH = /[^"\\\0-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\0-\x1f]*){0,100}/y
const SHORT_CHARS = 24
const WORDS = ['true', 'false', 'null']

/** Deeper texts are refused, since what is open must be remembered. */
const MAX_DEPTH = 1_000_000

/** True where JSON.parse accepts the text, but for texts nested deeper than a million levels. */
export function isJson(text: string): boolean {
  const closers: number[] = []
  let at = skipSpace(text, 0)
  while (at !== NOWHERE) {
    const code = text.charCodeAt(at)
    if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      const closer = code === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET
      at = skipSpace(text, at + 1)
      if (text.charCodeAt(at) === closer) at++
      else {
        if (closers.push(closer) > MAX_DEPTH) return false
        if (closer === CLOSE_BRACE) at = afterKey(text, at)
        continue
      }
    } else at = code === QUOTE ? afterString(text, at) : afterScalar(text, at)
    if (at === NOWHERE) return false
    at = afterClosers(text, at, closers)
    const closer = closers.at(-1)
    if (closer === undefined) return at === text.length
    if (text.charCodeAt(at) !== COMMA) return false
    at = skipSpace(text, at + 1)
    if (closer === CLOSE_BRACE) at = afterKey(text, at)
  }
  return false
}

/** Past everything that ends here, and the white space behind. */
function afterClosers(text: string, start: number, closers: number[]): number {
  let at = skipSpace(text, start)
  while (closers.length > 0 && text.charCodeAt(at) === closers.at(-1)) {
    closers.pop()
    at = skipSpace(text, at + 1)
  }
  return at
}

/** Where the value of the member begins whose key must stand here. */
function afterKey(text: string, at: number): number {
  if (text.charCodeAt(at) !== QUOTE) return NOWHERE
  const end = afterString(text, at)
  if (end === NOWHERE) return NOWHERE
  const colon = skipSpace(text, end)
  return text.charCodeAt(colon) === COLON ? skipSpace(text, colon + 1) : NOWHERE
}

function afterString(text: string, start: number): number {
  let at = start + 1
  // Most are over before a search has begun.
  for (const near = at + SHORT_CHARS; at < near; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at + 1
    // Past the end of the text is not a number.
    if (code === BACKSLASH || !(code >= 32)) break
  }
  for (;;) {
    STRETCH.lastIndex = at
    STRETCH.test(text)
    const end = STRETCH.lastIndex
    const code = text.charCodeAt(end)
    if (code === QUOTE) return end + 1
    if (code !== BACKSLASH || end === at) return NOWHERE
    at = end
  }
}

function afterScalar(text: string, start: number): number {
  const code = text.charCodeAt(start)
  if (code > CLOSE_BRACKET) return afterWord(text, start)
  let at = code === MINUS ? start + 1 : start
  const whole = text.charCodeAt(at) === ZERO ? at + 1 : afterDigits(text, at)
  if (whole === NOWHERE) return NOWHERE
  at = text.charCodeAt(whole) === DOT ? afterDigits(text, whole + 1) : whole
  // The letter E in either case.
  if (at === NOWHERE || (text.charCodeAt(at) | 32) !== 101) return at
  const sign = text.charCodeAt(at + 1)
  return afterDigits(text, sign === PLUS || sign === MINUS ? at + 2 : at + 1)
}

function afterWord(text: string, start: number): number {
  for (const word of WORDS) if (text.startsWith(word, start)) return start + word.length
  return NOWHERE
}

/** Past one digit or more. */
function afterDigits(text: string, start: number): number {
  let at = start
  while (isDigit(text.charCodeAt(at))) at++
  return at === start ? NOWHERE : at
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57

function skipSpace(text: string, start: number): number {
  let at = start
  for (;;) {
    const code = text.charCodeAt(at)
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return at
    at++
  }
}
