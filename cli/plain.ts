/**
 * Texts of others, made harmless for a terminal. Whoever runs a service writes the names, descriptions and results that
 * stand in our tables; an escape sequence among them could rewrite the screen or type for the operator.
 */

/** Controls, direction marks, invisible characters and line separators; line feed and tab are not among them. */
const ACTIVE = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** Several lines, in which every active character shows as its code. */
export const neutralise = (text: string): string => text.replace(ACTIVE, codeOf).toWellFormed()

/** The same in one line. */
export const inOneLine = (text: string): string => neutralise(text.replace(/\s*[\n\t]\s*/g, ' ').trim())

/** A JSON text that says the same: in JSON these characters can stand in strings alone. */
export const neutraliseJson = (text: string): string =>
  text.replace(ACTIVE, (character) =>
    [...character]
      .flatMap((each) => Array.from({ length: each.length }, (_, at) => each.charCodeAt(at)))
      .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
      .join(''),
  )

function codeOf(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16)
  return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u{${code}}`
}
