/** JSON as people keep it in files: comments and trailing commas are borne. Pure. */
import { misuse } from './failure.ts'

/** A string, a comment, or a comma before a closing bracket; strings first, since they may hold the others. */
const COMMENT = String.raw`\/\/[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\/`
const PARTS = new RegExp(String.raw`"(?:[^"\\]|\\.)*"|${COMMENT}|,(?=(?:\s|${COMMENT})*[\]}])`, 'g')

/** Throws where `text` is not JSON; `source` names it. Nothing of the text is repeated. */
export function parseJson(text: string, source: string): unknown {
  const plain = text.replace(/^\uFEFF/, '').replace(PARTS, keepLines)
  try {
    return JSON.parse(plain)
  } catch (error) {
    const [, line, column] = /line (\d+) column (\d+)/.exec(String(error)) ?? []
    const place = line === undefined ? '' : ` (line ${line}, column ${column})`
    throw misuse(`${source} is not valid JSON${place}.`)
  }
}

/** Blanks, so that places in errors stay those of the file. */
const keepLines = (part: string): string => (part.startsWith('"') ? part : part.replace(/[^\n]/g, ' '))
