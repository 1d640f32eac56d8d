/**
 * Text that a model reads and a person does not see (S39). What writing needs is no such text: joiners between
 * letters of scripts that join, or between the parts of one emoji; the flags of England, Scotland and Wales.
 */
import { canonicalJson } from '../protocol/canonical.ts'
import { readText } from '../protocol/edit.ts'

/** Tags, zero-width characters, marks of direction, and variation selectors that vary nothing. */
const HIDDEN =
  /[\u061C\u200B-\u200F\u202A-\u202E\u2060-\u2064\u2066-\u2069\uFEFF\u{E0000}-\u{E007F}]|(?<=[\uFE00-\uFE0F\u{E0100}-\u{E01EF}])[\uFE00-\uFE0F\u{E0100}-\u{E01EF}]/gu

/** Quick, and never wrong where it says no: by halves of characters. */
const MAYBE_HIDDEN = /[\u061C\u200B-\u206F\uDB40\uFEFF]|[\uFE00-\uFE0F]/

const EMOJI_JOINER =
  /(?<=\p{Extended_Pictographic}(?:\uFE0F|\p{Emoji_Modifier})?)\u200D(?=\p{Extended_Pictographic})/gu
const FLAG =
  /(?<=\u{1F3F4})\u{E0067}\u{E0062}(?:\u{E0065}\u{E006E}\u{E0067}|\u{E0073}\u{E0063}\u{E0074}|\u{E0077}\u{E006C}\u{E0073})\u{E007F}/gu
const SCRIPTS =
  'Arabic Syriac Nko Mongolian Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Tibetan Myanmar Khmer'
const LETTER = `[[\\p{L}\\p{M}]&&[${SCRIPTS.split(' ')
  .map((script) => `\\p{scx=${script}}`)
  .join('')}]]`
const LETTER_JOINER = new RegExp(`(?<=${LETTER})[\\u200C\\u200D](?=${LETTER})`, 'gv')

/** Longer ones are read to the end by models alone. */
const MAX_DESCRIPTION_BYTES = 4_096
const NAMED = 3

/** What is amiss with the text of a tool, in words; `undefined`: nothing. Takes its raw JSON. */
export const suspicionOf = (tool: string): string | undefined =>
  hiddenIn(tool.includes('\\u') ? canonicalJson(tool) : tool) ?? lengthOf(tool)

/** What is hidden in a text, in words; `undefined`: nothing. */
export function hiddenIn(text: string): string | undefined {
  if (!MAYBE_HIDDEN.test(text)) return undefined
  const found = withoutNeeded(text).match(HIDDEN)
  if (!found) return undefined
  const codes = [...new Set(found)].map((character) => `U+${hex(character).padStart(4, '0')}`)
  const more = codes.length > NAMED ? ', …' : ''
  return `hidden characters (${found.length}: ${codes.slice(0, NAMED).join(', ')}${more})`
}

/** The same JSON text, with what is hidden written as escapes: for people to read. */
export const showHidden = (text: string): string =>
  text.replaceAll(HIDDEN, (character) =>
    [...Array(character.length).keys()]
      .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join(''),
  )

function lengthOf(tool: string): string | undefined {
  const description = readText(tool, ['description']) ?? ''
  if (description.length * 3 <= MAX_DESCRIPTION_BYTES) return undefined
  const bytes = new TextEncoder().encode(description).length
  return bytes > MAX_DESCRIPTION_BYTES
    ? `a description of ${bytes} bytes (${MAX_DESCRIPTION_BYTES} at most)`
    : undefined
}

/** Without what writing needs. */
const withoutNeeded = (text: string): string =>
  text.replaceAll(EMOJI_JOINER, '').replaceAll(FLAG, '').replaceAll(LETTER_JOINER, '')

const hex = (character: string): string => (character.codePointAt(0) ?? 0).toString(16).toUpperCase()
